"""Alarms: which trouble was told to whom, and the messages on their way. Both are written in one transaction, so that a kill
between them neither loses a message nor tells it twice."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from stadthub_catalog.database import Database
from stadthub_catalog.watch_tables import alert, incident
from stadthub_schemas.finding import Severity


@dataclass(frozen=True, slots=True)
class Incident:
    """Trouble of one cause that was told: to the hub's channels (`channels` empty) or those of one feed. `told`: the last time."""

    channels: str
    kind: str
    subject: str
    severity: Severity
    feeds: tuple[str, ...]
    opened: datetime
    told: datetime
    closed: datetime | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel is told. `next_attempt` None: delivered, or given up."""

    channels: str
    channel: str
    title: str
    body: str
    severity: Severity
    created: datetime
    attempts: int = 0
    next_attempt: datetime | None = None
    delivered: datetime | None = None
    error: str | None = None
    id: int | None = None


def incidents(database: Database) -> list[Incident]:
    """The trouble that was told and is not over."""
    wanted = select(incident).where(incident.c.closed.is_(None)).order_by(incident.c.id)
    with database.reading() as connection:
        return [_incident(row) for row in connection.execute(wanted).mappings()]


def tell(database: Database, changed: Sequence[Incident], messages: Sequence[Message]) -> None:
    """Keep these incidents, new and changed ones, together with the messages that tell of them."""
    if not changed and not messages:
        return
    with database.keeping() as connection:
        for one in changed:
            values = {**_values(one), "feeds": list(one.feeds)}
            if one.id is None:
                connection.execute(insert(incident).values(values))
            else:
                connection.execute(update(incident).where(incident.c.id == one.id).values(values))
        for message in messages:
            connection.execute(insert(alert).values(_values(message)))


def waiting(database: Database, now: datetime) -> list[Message]:
    """The messages that are to be tried now, oldest first."""
    wanted = select(alert).where(alert.c.next_attempt <= now).order_by(alert.c.id)
    with database.reading() as connection:
        return [_message(row) for row in connection.execute(wanted).mappings()]


def note(database: Database, message: int, **changes: Any) -> None:
    """How an attempt to deliver went: attempts, next_attempt, delivered, error."""
    with database.keeping() as connection:
        connection.execute(update(alert).where(alert.c.id == message).values(changes))


def messages(database: Database, limit: int) -> list[Message]:
    """The last messages, newest first."""
    with database.reading() as connection:
        return [_message(row) for row in connection.execute(select(alert).order_by(alert.c.id.desc()).limit(limit)).mappings()]


def forget(database: Database, before: datetime) -> None:
    """Drop what is over since long."""
    with database.noting() as connection:
        connection.execute(alert.delete().where(alert.c.created < before, alert.c.next_attempt.is_(None)))
        connection.execute(incident.delete().where(incident.c.closed < before))


def _values(one: Incident | Message) -> dict[str, Any]:
    values = {name: value for name, value in asdict(one).items() if name != "id"}
    return {**values, "severity": one.severity.value}


def _incident(row: RowMapping) -> Incident:
    return Incident(**{**row, "severity": Severity(row["severity"]), "feeds": tuple(row["feeds"])})


def _message(row: RowMapping) -> Message:
    return Message(**{**row, "severity": Severity(row["severity"])})
