"""Accounts, who belongs where, followers, activities, views of resources, relationships of datasets and vocabularies."""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NAMES = ("term", "vocabulary", "relationship", "view", "activity", "follower", "member", "account")


def upgrade() -> None:
    """Make the tables; every token that is there gets an account of its name."""
    _accounts()
    _circles()
    _activities()
    _views()
    _vocabularies()
    with op.batch_alter_table("token") as table:
        table.add_column(sa.Column("holder", sa.String(length=200), nullable=True))
    _holders()
    counter = sa.table("counter", sa.column("name", sa.String), sa.column("value", sa.BigInteger))
    op.bulk_insert(counter, [{"name": "teams", "value": 0}])


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("fullname", sa.Text(), nullable=True),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("sysadmin", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )


def _circles() -> None:
    for name, kind, last in (
        ("member", "circle", (sa.Column("capacity", sa.String(length=20), nullable=False), "modified")),
        ("follower", "kind", (None, "time")),
    ):
        op.create_table(
            name,
            sa.Column(kind, sa.String(length=20), nullable=False),
            sa.Column("target", sa.Uuid(), nullable=False),
            sa.Column("account_id", sa.Uuid(), nullable=False),
            *([last[0]] if last[0] is not None else []),
            sa.Column(last[1], sa.DateTime(timezone=True), nullable=False),
            sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f(f"fk_{name}_account_id_account"), ondelete="CASCADE"),
            sa.PrimaryKeyConstraint(kind, "target", "account_id", name=op.f(f"pk_{name}")),
        )
        op.create_index(op.f(f"ix_{name}_account_id"), name, ["account_id"], unique=False)


def _activities() -> None:
    op.create_table(
        "activity",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("target", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_activity")),
        sa.UniqueConstraint("id", name=op.f("uq_activity_id")),
    )
    for column in ("target", "account_id", "owner"):
        op.create_index(op.f(f"ix_activity_{column}_number"), "activity", [column, "number"], unique=False)


def _views() -> None:
    op.create_table(
        "view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view")),
    )
    op.create_index(op.f("ix_view_resource_id"), "view", ["resource_id"], unique=False)
    op.create_table(
        "relationship",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("object", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "object", "type", name=op.f("pk_relationship")),
    )


def _vocabularies() -> None:
    op.create_table(
        "vocabulary",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vocabulary")),
        sa.UniqueConstraint("name", name=op.f("uq_vocabulary_name")),
    )
    op.create_table(
        "term",
        sa.Column("vocabulary_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["vocabulary_id"], ["vocabulary.id"], name=op.f("fk_term_vocabulary_id_vocabulary"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("vocabulary_id", "name", name=op.f("pk_term")),
    )


def _holders() -> None:
    token = sa.table("token", sa.column("name", sa.String), sa.column("role", sa.String), sa.column("id", sa.Integer))
    account = sa.table(
        "account",
        sa.column("id", sa.Uuid),
        sa.column("name", sa.String),
        sa.column("created", sa.DateTime(timezone=True)),
        sa.column("state", sa.String),
        sa.column("sysadmin", sa.Boolean),
    )
    there = op.get_bind().execute(sa.select(token.c.name, token.c.role).order_by(token.c.id)).all()
    now = datetime.now(UTC)
    made = {
        name: {"id": uuid4(), "name": name, "created": now, "state": "active", "sysadmin": role in ("operator", "admin")}
        for name, role in there
    }
    if made:
        op.bulk_insert(account, list(made.values()))


def downgrade() -> None:
    """Take them away again."""
    op.execute("DELETE FROM counter WHERE name = 'teams'")
    with op.batch_alter_table("token") as table:
        table.drop_column("holder")
    for name in _NAMES:
        op.drop_table(name)
