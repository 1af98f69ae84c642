"""What became of the radio frames of a LoRaWAN feed: received, lost, and how often devices began anew."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAMES = ("frames_received", "frames_missing", "frames_restarts")


def upgrade() -> None:
    """Add the columns; the worker counts from now on."""
    with op.batch_alter_table("feed") as table:
        for name in NAMES:
            table.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Take them away again."""
    with op.batch_alter_table("feed") as table:
        for name in NAMES:
            table.drop_column(name)
