"""Payloads in quarantine and what normal ones look like: the state that intake and operator share."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from stadthub_catalog.database import Database
from stadthub_catalog.tables import feed as feeds
from stadthub_catalog.tables import held as table
from stadthub_catalog.tables import profile
from stadthub_schemas.errors import NotFound
from stadthub_schemas.finding import WAITING, Held, HeldBack, HeldState

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def hold(database: Database, helds: Sequence[Held]) -> None:
    """Payloads are put aside. After a kill they may be put aside again: what an operator decided meanwhile stays."""
    with database.keeping() as connection:
        for held in helds:
            facts = {"reason": held.reason, "rows": held.rows, "differences": held.differences}
            values = {
                **facts,
                "feed": held.feed,
                "position": held.position,
                "received_time": held.received_time,
                "name": held.name,
                "size": held.size,
                "state": held.state.value,
                "decided_by": "",
            }
            add = _INSERT[connection.dialect.name](table).values(values)
            connection.execute(add.on_conflict_do_update(index_elements=["feed", "position"], set_=facts))


def note(database: Database, feed: str, position: int, changes: Mapping[str, Any]) -> None:
    """What became of a held payload, on disk when this returns."""
    place = (table.c.feed == feed, table.c.position == position)
    with database.keeping() as connection:
        connection.execute(update(table).where(*place).values(**changes))


def decide(database: Database, feed: str, positions: Collection[int], state: HeldState, who: str) -> int:
    """How many payloads an operator's word was written down for; NotFound if one of them is not in quarantine."""
    place = (table.c.feed == feed, table.c.position.in_(positions), table.c.state.in_([one.value for one in WAITING]))
    with database.keeping() as connection:
        known = set(connection.execute(select(table.c.position).where(*place)).scalars())
        missing = sorted(set(positions) - known)
        if missing:
            raise NotFound(f"{feed}: no payload {missing[0]} is in quarantine")
        words = {"state": state.value, "decided_time": datetime.now(UTC), "decided_by": who, "release_position": None}
        return int(connection.execute(update(table).where(*place).values(**words)).rowcount)


def one(database: Database, feed: str, position: int) -> Held:
    """One payload that is or was in quarantine; NotFound."""
    with database.reading() as connection:
        row = connection.execute(select(table).where(table.c.feed == feed, table.c.position == position)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"{feed}: no payload {position} is in quarantine")
    return _held(row)


def listed(database: Database, feed: str, states: Sequence[HeldState], after: int, limit: int) -> list[Held]:
    """Payloads of a feed in these states, in the order of the raw log."""
    wanted = select(table).where(table.c.feed == feed, table.c.state.in_([state.value for state in states]), table.c.position > after)
    with database.reading() as connection:
        return [_held(row) for row in connection.execute(wanted.order_by(table.c.position).limit(limit)).mappings()]


def counted(database: Database) -> dict[str, tuple[int, int, int]]:
    """Of each feed that has payloads in quarantine: how many, how many rows they count for, and the first one's position."""
    waiting = [state.value for state in WAITING]
    question = (
        select(table.c.feed, func.count(), func.sum(table.c.rows), func.min(table.c.position))
        .where(table.c.state.in_(waiting))
        .group_by(table.c.feed)
    )
    with database.reading() as connection:
        return {feed: (int(number), int(rows), int(first)) for feed, number, rows, first in connection.execute(question)}


def held_back(database: Database, dataset: str) -> HeldBack | None:
    """What a dataset lacks because payloads wait for an operator; None if it lacks nothing."""
    question = (
        select(table.c.received_time, table.c.differences)
        .join(feeds, feeds.c.feed == table.c.feed)
        .where(feeds.c.dataset == dataset, feeds.c.quarantine.is_not(None), table.c.state.in_([state.value for state in WAITING]))
        .order_by(table.c.received_time)
        .limit(1000)
    )
    with database.reading() as connection:
        rows = connection.execute(question).all()
    if not rows:
        return None
    return HeldBack(rows[0][0], len(rows), tuple(dict.fromkeys(one["kind"] for _, words in rows for one in words)))


def save_profile(database: Database, feed: str, body: Mapping[str, Any]) -> None:
    """Keep what the feed's good payloads look like."""
    values = {"feed": feed, "body": dict(body), "written": datetime.now(UTC)}
    with database.keeping() as connection:
        add = _INSERT[connection.dialect.name](profile).values(values)
        connection.execute(add.on_conflict_do_update(index_elements=["feed"], set_={key: values[key] for key in ("body", "written")}))


def load_profile(database: Database, feed: str) -> dict[str, Any]:
    """What the feed's good payloads look like; empty if none is known."""
    with database.reading() as connection:
        body = connection.execute(select(profile.c.body).where(profile.c.feed == feed)).scalar_one_or_none()
    return dict(body or {})


def _held(row: RowMapping) -> Held:
    return Held(**{**row, "state": HeldState(row["state"])})
