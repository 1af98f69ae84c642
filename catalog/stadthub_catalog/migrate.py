"""The tables as they are in this version: made or brought up to date, by one process at a time."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from stadthub_catalog.database import Database

#: Any number that is ours alone: whoever holds this lock of PostgreSQL is the one who migrates.
_LOCK = text("SELECT pg_advisory_xact_lock(7205759403792793)")


def upgrade(database: Database) -> None:
    """Bring the tables up to date; on SQLite the transaction itself is the lock."""
    database.make_folder()
    with database.keeping() as connection:
        if database.dialect == "postgresql":
            connection.execute(_LOCK)
        _run(connection)


def _run(connection: Connection) -> None:
    with as_file(files("stadthub_catalog") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
