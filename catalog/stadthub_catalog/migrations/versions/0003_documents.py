"""Datasets that are written through CKAN's API, and groups."""

import sqlalchemy as sa
from alembic import op

from stadthub_catalog.tables import UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SHAPE = (
    ("image_url", sa.Text(), ""),
    ("state", sa.String(20), "active"),
    ("extras", sa.JSON(), "[]"),
)


def upgrade() -> None:
    """Add what organisations can also have, the groups, and the document of a dataset."""
    with op.batch_alter_table("organization") as table:
        for name, type_, default in _SHAPE:
            table.add_column(sa.Column(name, type_, nullable=False, server_default=default))
    op.create_table(
        "group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        *(sa.Column(name, type_, nullable=False, server_default=default) for name, type_, default in _SHAPE),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group")),
        sa.UniqueConstraint("name", name=op.f("uq_group_name")),
    )
    with op.batch_alter_table("dataset") as table:
        table.add_column(sa.Column("document", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    """Take it away again; datasets that only have a document go with it."""
    op.execute("DELETE FROM dataset WHERE document IS NOT NULL")
    with op.batch_alter_table("dataset") as table:
        table.drop_column("document")
    op.drop_table("group")
    with op.batch_alter_table("organization") as table:
        for name, _, _ in _SHAPE:
            table.drop_column(name)
