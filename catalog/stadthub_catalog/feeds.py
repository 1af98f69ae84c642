"""How feeds are doing, and their runs: what the operator sees."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from stadthub_catalog import findings
from stadthub_catalog.database import Database
from stadthub_catalog.entry import FeedState, Run
from stadthub_catalog.tables import feed as table
from stadthub_catalog.tables import run as runs_table
from stadthub_schemas.counts import Counts
from stadthub_schemas.errors import NotFound, QueryError

_COUNTS = tuple(Counts().as_dict())

#: Shorter names that `note_feed` takes too.
_ALIASES = {
    "last_message": "last_message_time",
    "last_commit": "last_commit_time",
    "next_run": "next_run_time",
    "last_success": "last_success_time",
}

#: Each database has its own way to leave alone what is there already.
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

_NEW = {
    "title": "",
    "dataset": "",
    "source": "",
    "connected": False,
    "paused": False,
    "position": 0,
    "source_state": {},
    **Counts().as_dict(),
}


def note(database: Database, notes: Mapping[str, Mapping[str, Any]]) -> None:
    """Write down what changed in these feeds, in one transaction; the first note makes a feed known."""
    values = {feed: _values(changes) for feed, changes in notes.items()}
    with database.noting() as connection:
        for feed in sorted(values):
            _write(connection, feed, values[feed])


def _values(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes by column; QueryError for one that no feed has."""
    values = {_ALIASES.get(name, name): value for name, value in changes.items()}
    counts = values.pop("counts", None)
    if counts is not None:
        values.update(counts.as_dict())
    unknown = sorted(set(values) - set(table.c.keys()))
    if unknown:
        raise QueryError(f"a feed has no {unknown[0]!r}: it has {', '.join(sorted(table.c.keys()))}, counts")
    return values


def _write(connection: Connection, feed: str, values: Mapping[str, Any]) -> None:
    """Change the feed, or make it with these values; two processes may do so at once."""
    change = update(table).where(table.c.feed == feed).values(feed=feed, **values)
    if not connection.execute(change).rowcount:
        add = _INSERT[connection.dialect.name](table).values({**_NEW, **values, "feed": feed}).on_conflict_do_nothing()
        if not connection.execute(add).rowcount:
            connection.execute(change)


def state(database: Database, feed: str) -> FeedState:
    """One feed; NotFound if nothing was ever noted of it."""
    with database.reading() as connection:
        row = connection.execute(select(table).where(table.c.feed == feed)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no feed {feed!r}")
    return _state(row)


def states(database: Database) -> list[FeedState]:
    """All feeds by name."""
    with database.reading() as connection:
        return [_state(row) for row in connection.execute(select(table).order_by(table.c.feed)).mappings()]


def forget(database: Database, feed: str) -> None:
    """A feed whose file is gone is shown no more, and nothing is noticed of it; its runs stay."""
    with database.noting() as connection:
        findings.forget(connection, feed)
        connection.execute(table.delete().where(table.c.feed == feed))


def start_run(database: Database, feed: str) -> int:
    """The number of a run that begins now."""
    values = {"feed": feed, "started": datetime.now(UTC), **Counts().as_dict()}
    with database.noting() as connection:
        return int(connection.execute(insert(runs_table).values(values).returning(runs_table.c.id)).scalar_one())


def end_run(database: Database, run: int, counts: Counts, error: str | None) -> None:
    """The run ends now; NotFound if it never began."""
    ended = update(runs_table).where(runs_table.c.id == run).values(ended=datetime.now(UTC), error=error, **counts.as_dict())
    with database.noting() as connection:
        if not connection.execute(ended).rowcount:
            raise NotFound(f"there is no run {run}")


def runs(database: Database, feed: str, limit: int) -> list[Run]:
    """The last runs of a feed, newest first."""
    newest = select(runs_table).where(runs_table.c.feed == feed).order_by(runs_table.c.id.desc()).limit(limit)
    with database.reading() as connection:
        return [
            Run(row["id"], row["feed"], row["started"], row["ended"], _counts(row), row["error"])
            for row in connection.execute(newest).mappings()
        ]


def _counts(row: RowMapping) -> Counts:
    return Counts(**{name: row[name] for name in _COUNTS})


def _state(row: RowMapping) -> FeedState:
    values = dict(row)
    counts = Counts(**{name: values.pop(name) for name in _COUNTS})
    return FeedState(counts=counts, **values)
