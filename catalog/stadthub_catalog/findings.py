"""What was noticed about feeds: a finding is open until it is resolved, and begins anew if it comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects import postgresql, sqlite

from stadthub_catalog.database import Database
from stadthub_catalog.tables import finding as table
from stadthub_schemas.finding import Finding, Severity

#: Each database has its own way to leave alone what is there already.
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

#: The longest subject that is kept.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Noticed:
    """What was noticed just now, before the catalogue knows when it began."""

    kind: str
    subject: str
    severity: Severity
    details: Mapping[str, Any]


def note(database: Database, feed: str, noticed: Sequence[Noticed]) -> None:
    """Write down what was noticed of a feed, in one transaction."""
    if not noticed:
        return
    now = datetime.now(UTC)
    with database.noting() as connection:
        for one in noticed:
            _write(connection, feed, one, now)


def _write(connection: Connection, feed: str, one: Noticed, now: datetime) -> None:
    """One finding: seen again if it is open, begun anew if it is not; two processes may do so at once."""
    subject = one.subject[:_LONGEST]
    place = (table.c.feed == feed, table.c.kind == one.kind, table.c.subject == subject)
    seen: dict[str, Any] = {"severity": one.severity.value, "details": dict(one.details), "last_seen": now}
    again = update(table).where(*place, table.c.resolved_time.is_(None)).values(**seen, count=table.c.count + 1)
    if connection.execute(again).rowcount:
        return
    begun = {**seen, "first_seen": now, "resolved_time": None, "count": 1}
    if connection.execute(update(table).where(*place).values(begun)).rowcount:
        return
    row = {**begun, "feed": feed, "kind": one.kind, "subject": subject}
    if not connection.execute(_INSERT[connection.dialect.name](table).values(row).on_conflict_do_nothing()).rowcount:
        connection.execute(again)


def resolve(database: Database, feed: str, kind: str, subject: str | None) -> int:
    """How many open findings of that kind (and subject) hold no longer from now on."""
    place = [table.c.feed == feed, table.c.kind == kind, table.c.resolved_time.is_(None)]
    if subject is not None:
        place.append(table.c.subject == subject[:_LONGEST])
    with database.noting() as connection:
        return int(connection.execute(update(table).where(*place).values(resolved_time=datetime.now(UTC))).rowcount)


def age(database: Database, before: datetime) -> int:
    """How many findings that are only good to know were not seen since then, and are open no more."""
    old = (table.c.severity == Severity.INFO.value, table.c.last_seen < before, table.c.resolved_time.is_(None))
    with database.noting() as connection:
        return int(connection.execute(update(table).where(*old).values(resolved_time=datetime.now(UTC))).rowcount)


def listed(database: Database, feed: str | None, *, open_only: bool) -> list[Finding]:
    """Findings of one feed or of all, those seen last first."""
    wanted = select(table).order_by(table.c.last_seen.desc(), table.c.id.desc())
    if feed is not None:
        wanted = wanted.where(table.c.feed == feed)
    if open_only:
        wanted = wanted.where(table.c.resolved_time.is_(None))
    with database.reading() as connection:
        return [_finding(row) for row in connection.execute(wanted).mappings()]


def forget(connection: Connection, feed: str) -> None:
    """The feed's file is gone: nothing is noticed of it any more."""
    connection.execute(table.delete().where(table.c.feed == feed))


def _finding(row: RowMapping) -> Finding:
    values = {name: value for name, value in row.items() if name != "id"}
    return Finding(**{**values, "severity": Severity(values["severity"])})
