"""Accounts in the state database: the holders of tokens, and in which organisations, groups and datasets they may do what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, literal, select, union_all, update

from stadthub_catalog.database import Database
from stadthub_catalog.people_tables import account, member
from stadthub_catalog.tables import dataset, group, organization
from stadthub_schemas.access import Capacity, Circle, Membership, Principal, runs
from stadthub_schemas.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Account:
    """One account; `email` is shown to nobody but operators and its holder."""

    id: UUID
    name: str
    created: datetime
    fullname: str | None = None
    about: str | None = None
    email: str | None = None
    state: str = "active"
    sysadmin: bool = False
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One account in one circle."""

    account: Account
    target: UUID
    capacity: Capacity
    modified: datetime


_NAMED = select(account).where(account.c.name == bindparam("key"))


def of(connection: Connection, principal: Principal) -> Account:
    """The account of this principal, made if there is none yet."""
    return ensure(connection, principal.name, sysadmin=runs(principal))


def ensure(connection: Connection, name: str, *, sysadmin: bool) -> Account:
    """The account of that name, made if there is none yet."""
    row = connection.execute(select(account).where(account.c.name == name)).one_or_none()
    if row is not None:
        return _account(row)
    made = Account(uuid4(), name, datetime.now(UTC), sysadmin=sysadmin)
    connection.execute(insert(account).values(id=made.id, name=name, created=made.created, state="active", sysadmin=sysadmin))
    return made


def listed(database: Database) -> list[Account]:
    """All accounts by name."""
    with database.reading() as connection:
        return [_account(row) for row in connection.execute(select(account).order_by(account.c.name))]


def named(connection: Connection, key: str) -> Account:
    """The account of that name or id; NotFound."""
    if "\x00" in key:  # no database looks for that
        raise NotFound("there is no user of such a name")
    row = connection.execute(_NAMED, {"key": key}).one_or_none()
    if row is None:
        try:
            row = connection.execute(select(account).where(account.c.id == UUID(key))).one_or_none()
        except ValueError:
            row = None
    if row is None:
        raise NotFound(f"there is no user {key!r}")
    return _account(row)


def write(connection: Connection, one: Account) -> None:
    """Make the account, or bring it up to date. Conflict where another bears the name."""
    if connection.execute(select(account.c.id).where(account.c.name == one.name, account.c.id != one.id)).first() is not None:
        raise Conflict(f"{one.name}: another account bears that name")
    values = {name: getattr(one, name) for name in Account.__slots__ if name != "id"}
    if not connection.execute(update(account).where(account.c.id == one.id).values(**values)).rowcount:
        connection.execute(insert(account).values(id=one.id, **values))


def join(connection: Connection, circle: Circle, target: UUID, who: UUID, capacity: Capacity) -> None:
    """Let the account belong to an organisation, a group or a dataset, in this capacity from now on."""
    leave(connection, circle, target, who)
    values = {"circle": circle, "target": target, "account_id": who, "capacity": capacity.value, "modified": datetime.now(UTC)}
    connection.execute(insert(member).values(**values))


def leave(connection: Connection, circle: Circle, target: UUID, who: UUID) -> int:
    """Let the account belong to it no longer; how many memberships that ended."""
    there = and_(member.c.circle == circle, member.c.target == target, member.c.account_id == who)
    return int(connection.execute(delete(member).where(there)).rowcount)


def disband(connection: Connection, circle: Circle, target: UUID) -> None:
    """Nobody belongs to it any longer: it is gone."""
    connection.execute(delete(member).where(member.c.circle == circle, member.c.target == target))


def members(connection: Connection, circle: Circle, targets: Sequence[UUID] | None = None, who: UUID | None = None) -> list[Member]:
    """Who belongs to circles of this kind: to these alone, or this account alone."""
    wanted = select(account, member.c.target, member.c.capacity, member.c.modified).join_from(member, account)
    wanted = wanted.where(member.c.circle == circle, account.c.state == "active").order_by(account.c.name)
    if targets is not None:
        wanted = wanted.where(member.c.target.in_(targets))
    if who is not None:
        wanted = wanted.where(member.c.account_id == who)
    return [Member(_account(row), row.target, Capacity(row.capacity), row.modified) for row in connection.execute(wanted)]


def _circle(circle: Circle, table: Any) -> Any:
    there = select(literal(circle).label("circle"), table.c.name, member.c.capacity)
    there = there.join_from(member, account).join(table, and_(member.c.target == table.c.id, member.c.circle == circle))
    return there.add_columns(account.c.name.label("holder")).where(account.c.state == "active")


_CIRCLES = union_all(_circle("organization", organization), _circle("group", group), _circle("dataset", dataset)).subquery()


def memberships(connection: Connection, name: str) -> frozenset[Membership]:
    """Where the account of that name belongs."""
    rows = connection.execute(select(_CIRCLES).where(_CIRCLES.c.holder == name))
    return frozenset(Membership(row.circle, row.name, Capacity(row.capacity)) for row in rows)


def _account(row: Row[Any]) -> Account:
    return Account(row.id, row.name, row.created, row.fullname, row.about, row.email, row.state, row.sysadmin, row.seen)
