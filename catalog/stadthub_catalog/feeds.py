"""How feeds are doing, and their runs: what the operator sees."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update
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

#: A change of some columns of one feed, given with each execution.
_CHANGE = update(table).where(table.c.feed == bindparam("which"))

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
    values = {feed: _values(notes[feed]) for feed in sorted(notes)}
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for feed, changes in values.items():
        alike.setdefault(tuple(sorted(changes)), []).append({"which": feed, **changes})
    with database.noting() as connection:
        _make(connection, values)
        for columns, rows in alike.items():
            if columns:
                connection.execute(_CHANGE, rows)


def _make(connection: Connection, feeds: Collection[str]) -> None:
    """Let all of these feeds be there, and nobody else change them; two processes may make one at once."""
    there = select(table.c.feed).where(table.c.feed.in_(feeds)).order_by(table.c.feed).with_for_update()
    known = set(connection.scalars(there))
    new = [{**_NEW, "feed": feed} for feed in feeds if feed not in known]
    if new:
        connection.execute(_INSERT[connection.dialect.name](table).on_conflict_do_nothing(), new)


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


def cut_runs(database: Database, feed: str) -> None:
    """End the feed's runs whose process has ended without a word."""
    open_runs = (runs_table.c.feed == feed) & runs_table.c.ended.is_(None)
    with database.reading() as connection:
        if connection.execute(select(runs_table.c.id).where(open_runs).limit(1)).first() is None:
            return
    with database.noting() as connection:
        cut = update(runs_table).where(open_runs)
        connection.execute(cut.values(ended=datetime.now(UTC), error="it was cut off when its process ended"))


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
