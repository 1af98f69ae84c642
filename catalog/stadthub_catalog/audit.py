"""Who did what: an append-only chain, in which each entry's digest covers the one before it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from stadthub_catalog.database import Database
from stadthub_catalog.entry import Audited
from stadthub_catalog.tables import audit as table
from stadthub_catalog.tables import counter
from stadthub_schemas.errors import StorageError

#: What the first entry follows.
GENESIS = "0" * 64

_PAGE = 1000

_COUNT = counter.c.name == "audit"
_PREVIOUS = select(table.c.digest).where(table.c.number == bindparam("before"))
_ADD = insert(table)
_NEXT = update(counter).where(_COUNT).values(value=counter.c.value + 1).returning(counter.c.value)


def record(database: Database, who: str, what: str, on: str, details: Mapping[str, Any]) -> None:
    """Append an entry; it is on disk when this returns."""
    with database.keeping() as connection:
        append(connection, who, what, on, details)


def append(connection: Connection, who: str, what: str, on: str, details: Mapping[str, Any]) -> None:
    """Append an entry within a transaction. The counter's row is the lock: nobody else appends until the transaction ends."""
    number = int(connection.execute(_NEXT).scalar_one())
    previous = connection.execute(_PREVIOUS, {"before": number - 1}).scalar_one_or_none() or GENESIS
    entry = {
        "number": number,
        "time": datetime.now(UTC).isoformat(),
        "who": who,
        "what": what,
        "on": on,
        "details": _canonical(details),
        "previous": previous,
    }
    connection.execute(_ADD, {**entry, "digest": _digest(entry)})


def newest(database: Database, begins: str, limit: int) -> list[Audited]:
    """The newest entries whose `what` begins so, newest first."""
    wanted = select(table).where(table.c.what.startswith(begins, autoescape=True)).order_by(table.c.number.desc()).limit(limit)
    with database.reading() as connection:
        rows = connection.execute(wanted).mappings().all()
    return [
        Audited(row["number"], datetime.fromisoformat(row["time"]), row["who"], row["what"], row["on"], json.loads(row["details"]))
        for row in rows
    ]


def verify(database: Database) -> int:
    """How many entries there are, if the chain is whole; StorageError names the first that is not as it was written."""
    previous, number = GENESIS, 0
    with database.reading() as connection:
        count = int(connection.execute(select(counter.c.value).where(_COUNT)).scalar_one())
        for number, row in enumerate(_rows(connection), 1):
            entry = dict(row)
            digest = entry.pop("digest")
            if entry["number"] != number:
                raise StorageError(f"audit entry {number} is missing")
            if entry["previous"] != previous or _digest(entry) != digest:
                raise StorageError(f"audit entry {number} is not as it was written")
            previous = digest
    if count > number:
        raise StorageError(f"audit entry {number + 1} is missing")
    return number


def _rows(connection: Connection) -> Iterator[RowMapping]:
    """All entries in their order, a page at a time."""
    last = 0
    while page := connection.execute(select(table).where(table.c.number > last).order_by(table.c.number).limit(_PAGE)).mappings().all():
        yield from page
        last = page[-1]["number"]


def _digest(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(entry).encode()).hexdigest()


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
