"""Whether a feed's own file pauses it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the worker fills it when it takes the feeds up."""
    with op.batch_alter_table("feed") as table:
        table.add_column(sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Take it away again."""
    with op.batch_alter_table("feed") as table:
        table.drop_column("held")
