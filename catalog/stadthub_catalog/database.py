"""The one door to the state database: engines, transactions, and foreign errors turned into ours.

Two ways to write. `keeping` survives a power cut: datasets, tokens, audit. `noting` survives a crash of the program and is
fast: latest values and the state of feeds, which the raw log and the lake can bring back.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from stadthub_schemas.errors import SettingsError, StorageError
from stadthub_schemas.settings import make_data_dir

#: How long a writer waits for another one, in seconds.
PATIENCE = 30

_PRAGMAS = (
    f"PRAGMA busy_timeout={PATIENCE * 1000}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-32000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=16000",
    "PRAGMA journal_size_limit=67108864",
)
#: How each driver names the values in a statement.
_STYLE: dict[str, Any] = {"sqlite": "named", "postgresql": "pyformat"}

_POOL: dict[str, Any] = {"pool_size": 10, "max_overflow": 20, "pool_timeout": PATIENCE}


class Database:
    """Connections to one state database, for all threads of a process."""

    def __init__(self, url: str) -> None:
        """Open nothing yet; SettingsError if the address can't be one of SQLite or PostgreSQL."""
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise SettingsError("STADTHUB_DATABASE_URL: it is not an address of a database, such as postgresql://user@host/name") from error
        if self.url.get_backend_name() not in ("sqlite", "postgresql"):
            raise SettingsError(f"STADTHUB_DATABASE_URL: {self.url.get_backend_name()} is not supported: use sqlite or postgresql")
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.dialect = self.url.get_backend_name()
        self._named = {"sqlite": sqlite, "postgresql": psycopg}[self.dialect].dialect(paramstyle=_STYLE[self.dialect])
        self._native: dict[TextClause, str] = {}
        make = {"sqlite": self._sqlite, "postgresql": self._postgresql}[self.dialect]
        self._keeping, self._noting, self._reading = make()

    def _sqlite(self) -> tuple[Engine, Engine, Engine]:
        """Three engines on one file; WAL, so that readers never wait for the writer."""
        if self.url.database in (None, "", ":memory:"):
            raise SettingsError("STADTHUB_DATABASE_URL: the state database must be a file, it is read by several processes")
        engines = []
        for synchronous in ("FULL", "NORMAL", "NORMAL"):
            engine = create_engine(self.url, connect_args={"timeout": PATIENCE, "check_same_thread": False}, **_POOL)
            event.listen(engine, "connect", _prepare(synchronous))
            engines.append(engine)
        for engine in engines[:2]:
            event.listen(engine, "begin", _begin_writing)
        return engines[0], engines[1], engines[2]

    def _postgresql(self) -> tuple[Engine, Engine, Engine]:
        """Three engines: durable, fast, and one without transactions for single questions."""
        try:
            common: dict[str, Any] = {"pool_pre_ping": False, "pool_recycle": 1800, **_POOL}
            quick = {"options": "-c synchronous_commit=off", "connect_timeout": 10}
            return (
                create_engine(self.url, connect_args={"connect_timeout": 10}, **common),
                create_engine(self.url, connect_args=quick, **common),
                create_engine(
                    self.url, connect_args={"connect_timeout": 10}, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **common
                ),
            )
        except NoSuchModuleError as error:
            raise SettingsError(f"STADTHUB_DATABASE_URL: there is no driver {self.url.drivername}: use postgresql://") from error

    @contextmanager
    def keeping(self) -> Iterator[Connection]:
        """A transaction that is on disk when it ends. On SQLite it is the only writer from its start."""
        with _ours(), self._keeping.begin() as connection:
            yield connection

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """A transaction that a power cut may take back, never tear."""
        with _ours(), self._noting.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for single questions, each of which sees one state."""
        with _ours(), self._reading.connect() as connection:
            yield connection

    def native(self, statement: TextClause) -> str:
        """The statement in the driver's own words, for what is asked thousands of times a second."""
        if statement not in self._native:
            self._native[statement] = str(statement.compile(dialect=self._named))
        return self._native[statement]

    def many(self, connection: Connection, statement: TextClause, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run the statement for each of the rows, at the driver's speed."""
        connection.exec_driver_sql(self.native(statement), list(rows))

    def make_folder(self) -> None:
        """The folder of a SQLite file, so that a first start needs no preparation."""
        if self.dialect == "sqlite":
            try:
                make_data_dir(Path(str(self.url.database)).parent)
            except OSError as error:
                raise StorageError(f"the folder of the state database can't be made: {error.strerror}") from error

    def close(self) -> None:
        """Give all connections back."""
        for engine in (self._keeping, self._noting, self._reading):
            engine.dispose()


@contextmanager
def _ours() -> Iterator[None]:
    """Errors of the database as StorageError; the message holds no SQL and no path."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None)
        reason = type(cause or error).__name__ if cause is None or not isinstance(cause, sqlite3.Error) else str(cause)
        raise StorageError(f"the state database does not answer as it should: {reason}") from error


def _prepare(synchronous: str) -> Any:
    """What every new SQLite connection is told."""

    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 begins nothing by itself: `_begin_writing` does
        for pragma in (*_PRAGMAS, "PRAGMA journal_mode=WAL", f"PRAGMA synchronous={synchronous}"):
            connection.execute(pragma).close()

    return prepare


def _begin_writing(connection: Connection) -> None:
    """Take the writer's lock at once: a reader that becomes a writer later could fail without a wait."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
