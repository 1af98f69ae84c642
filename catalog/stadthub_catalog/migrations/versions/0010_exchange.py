"""What is harvested from other catalogues and published to them."""

import sqlalchemy as sa
from alembic import op

from stadthub_catalog.tables import UtcTime

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

_COUNTS = ("found", "created", "updated", "unchanged", "failed", "skipped", "withdrawn", "spared", "before", "after")


def upgrade() -> None:
    """Make the tables of the ledger."""
    _runs()
    _datasets()


def _runs() -> None:
    op.create_table(
        "exchange_run",
        sa.Column("run", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("feed", sa.String(100), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _COUNTS),
        sa.PrimaryKeyConstraint("run", name="pk_exchange_run"),
    )
    op.create_index("ix_exchange_run_feed", "exchange_run", ["feed"])
    op.create_table(
        "exchange_outcome",
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run", "number", name="pk_exchange_outcome"),
    )


def _datasets() -> None:
    op.create_table(
        "harvested",
        sa.Column("feed", sa.String(100), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("dataset_id", sa.Uuid, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("first_time", UtcTime, nullable=False),
        sa.Column("changed_time", UtcTime, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("feed", "item", name="pk_harvested"),
    )
    op.create_index("ix_harvested_dataset_id", "harvested", ["dataset_id"])
    op.create_table(
        "published",
        sa.Column("feed", sa.String(100), nullable=False),
        sa.Column("dataset_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("foreign_id", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("rows", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("changed_time", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("feed", "dataset_id", name="pk_published"),
    )


def downgrade() -> None:
    """Take them away again."""
    for name in ("published", "harvested", "exchange_outcome", "exchange_run"):
        op.drop_table(name)
