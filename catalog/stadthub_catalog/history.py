"""What each feed brought hour by hour, and how many things of a dataset report: what a feed's usual behaviour is read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, case, select, text
from sqlalchemy.dialects import postgresql, sqlite

from stadthub_catalog.database import Database
from stadthub_catalog.watch_tables import feed_hour as table
from stadthub_schemas.counts import Counts

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_COUNTS = tuple(Counts().as_dict())

#: The thing is what stands before the observed property in a datastream's key. 23 letters of the fragment are not its name.
_THINGS = text("""
    SELECT count(*), coalesce(sum(CASE WHEN newest >= :recent THEN 1 ELSE 0 END), 0), max(newest) FROM (
        SELECT substr(datastream, 1, length(datastream) - length(observed_property) + 22) AS thing, max(time) AS newest
        FROM latest WHERE dataset = :dataset AND time >= :known
        GROUP BY substr(datastream, 1, length(datastream) - length(observed_property) + 22)) AS things""")


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of a feed: what came in it, and the longest pause that ended in it, in seconds."""

    feed: str
    hour: datetime
    counts: Counts
    pause_seconds: float


@dataclass(frozen=True, slots=True)
class Things:
    """How many things of a dataset are known, how many of them reported lately, and the time of the newest observation."""

    known: int
    reporting: int
    newest: datetime | None


def note(database: Database, hours: Sequence[Hour]) -> None:
    """Add what came to the hours, in one transaction."""
    if not hours:
        return
    with database.noting() as connection:
        for one in sorted(hours, key=lambda one: one.feed):
            row = {"feed": one.feed, "hour": one.hour, "pause_seconds": one.pause_seconds, **one.counts.as_dict()}
            add = _INSERT[connection.dialect.name](table).values(row)
            more: dict[str, Any] = {name: table.c[name] + add.excluded[name] for name in _COUNTS}
            longer = add.excluded.pause_seconds > table.c.pause_seconds
            more["pause_seconds"] = case((longer, add.excluded.pause_seconds), else_=table.c.pause_seconds)
            connection.execute(add.on_conflict_do_update(index_elements=["feed", "hour"], set_=more))


def since(database: Database, time: datetime) -> list[Hour]:
    """The hours of all feeds that began then or later."""
    with database.reading() as connection:
        return [_hour(row) for row in connection.execute(select(table).where(table.c.hour >= time)).mappings()]


def at(database: Database, hours: Sequence[datetime]) -> list[Hour]:
    """These hours of all feeds."""
    with database.reading() as connection:
        return [_hour(row) for row in connection.execute(select(table).where(table.c.hour.in_(hours))).mappings()]


def forget(database: Database, before: datetime) -> None:
    """Older hours say nothing about what is usual now."""
    with database.noting() as connection:
        connection.execute(table.delete().where(table.c.hour < before))


def things(database: Database, dataset: str, known: datetime, recent: datetime) -> Things:
    """How many things of the dataset observed something since `known`, and how many of them since `recent`."""
    asked: Mapping[str, Any] = {"dataset": dataset, "known": _microseconds(known), "recent": _microseconds(recent)}
    with database.reading() as connection:
        count, reporting, newest = connection.execute(_THINGS, asked).one()
    return Things(int(count), int(reporting), None if newest is None else datetime.fromtimestamp(int(newest) / 1e6, known.tzinfo))


def _microseconds(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000)


def _hour(row: RowMapping) -> Hour:
    return Hour(row["feed"], row["hour"], Counts(**{name: row[name] for name in _COUNTS}), row["pause_seconds"])
