"""What was written in the catalogue: for CKAN's streams of activities, and in the audit chain, both in the write's own transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select

from stadthub_catalog.accounts import Account
from stadthub_catalog.audit import append
from stadthub_catalog.database import Database
from stadthub_catalog.people_tables import activity, follower

_ADD = insert(activity)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that is written: by whom, which kind (`new package`), to what, and what that is afterwards in CKAN's words."""

    who: Account
    kind: str
    target: UUID
    name: str
    body: Mapping[str, Any]
    owner: UUID | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry of a stream."""

    id: UUID
    time: datetime
    account: UUID
    kind: str
    target: UUID
    body: Mapping[str, Any]


def note(connection: Connection, deed: Deed) -> None:
    """Write the deed down: in the streams, and in the audit chain."""
    append(connection, deed.who.name, f"ckan.{deed.kind.replace(' ', '-')}", deed.name, {"id": str(deed.target)})
    values = {
        "id": uuid4(),
        "time": datetime.now(UTC),
        "account_id": deed.who.id,
        "kind": deed.kind,
        "target": deed.target,
        "owner": deed.owner,
        "body": dict(deed.body),
    }
    connection.execute(_ADD, values)


def of_targets(targets: Sequence[UUID]) -> ColumnElement[bool]:
    """What was done to these, or to datasets of these organisations."""
    return or_(activity.c.target.in_(targets), activity.c.owner.in_(targets))


def of_account(who: UUID) -> ColumnElement[bool]:
    """What this account did, or what was done to it."""
    return or_(activity.c.account_id == who, activity.c.target == who)


def of_followed(who: UUID) -> ColumnElement[bool]:
    """What was done to or by what this account follows."""
    followed = select(follower.c.target).where(follower.c.account_id == who)
    return or_(activity.c.target.in_(followed), activity.c.owner.in_(followed), activity.c.account_id.in_(followed))


def of_packages() -> ColumnElement[bool]:
    """What was done to datasets."""
    return activity.c.kind.like("% package")


def stream(database: Database, which: ColumnElement[bool], limit: int, offset: int = 0) -> list[Activity]:
    """The newest entries, newest first."""
    wanted = select(activity).where(which).order_by(activity.c.number.desc()).limit(limit).offset(offset)
    with database.reading() as connection:
        return [_activity(row) for row in connection.execute(wanted)]


def one(database: Database, key: UUID) -> Activity | None:
    """The entry with this id."""
    found = stream(database, activity.c.id == key, 1)
    return found[0] if found else None


def before(database: Database, one: Activity) -> Activity | None:
    """The entry before this one on the same thing."""
    number = select(activity.c.number).where(activity.c.id == one.id).scalar_subquery()
    found = stream(database, (activity.c.target == one.target) & (activity.c.number < number), 1)
    return found[0] if found else None


def count_since(database: Database, which: ColumnElement[bool], time: datetime | None) -> int:
    """How many entries there are since then."""
    wanted = select(func.count()).select_from(activity).where(which)
    with database.reading() as connection:
        return int(connection.execute(wanted if time is None else wanted.where(activity.c.time > time)).scalar_one())


def _activity(row: Any) -> Activity:
    return Activity(row.id, row.time, row.account_id, row.kind, row.target, row.body)
