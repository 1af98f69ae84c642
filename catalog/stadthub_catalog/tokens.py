"""Tokens: random, shown once, kept as SHA-256, scoped, and checked on every request."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from stadthub_catalog import accounts
from stadthub_catalog.audit import append
from stadthub_catalog.database import Database
from stadthub_catalog.entry import Token
from stadthub_catalog.tables import token as table
from stadthub_schemas.access import ANYBODY, RUNNING, Action, Principal, Role
from stadthub_schemas.errors import AccessError, Conflict, NotFound

#: What every token begins with, so that a leaked one is found by scanners.
MARK = "sth_"

_PREFIX = len(MARK) + 8

_BEGINNING = select(table).where(table.c.prefix == bindparam("prefix"))

#: Who makes and revokes tokens: whoever may run the hub's commands on its machine.
COMMAND_LINE = "command line"

#: `last_used` is written at most this often.
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is narrowed to; None: not narrowed."""

    datasets: Iterable[str] | None = None
    columns: Iterable[str] | None = None
    actions: Iterable[Action] | None = None
    expires: datetime | None = None
    purpose: str = ""
    holder: str | None = None
    maker: str = COMMAND_LINE


def create(database: Database, name: str, role: Role, scope: Scope) -> str:
    """A new token, readable this once only; Conflict if a valid one bears that name."""
    secret = MARK + secrets.token_urlsafe(32)
    values = {
        "name": name,
        "holder": scope.holder,
        "prefix": secret[:_PREFIX],
        "digest": _digest(secret),
        "role": Role(role).value,
        "datasets": _listed(scope.datasets),
        "columns": _listed(scope.columns),
        "actions": _listed(scope.actions),
        "purpose": scope.purpose,
        "created": datetime.now(UTC),
        "expires": scope.expires,
    }
    with database.keeping() as connection:
        valid = select(func.count()).where(table.c.name == name, table.c.revoked.is_(None))
        if connection.execute(valid).scalar_one():
            raise Conflict(f"there is a token {name!r} already: revoke it or take another name")
        connection.execute(insert(table).values(values))
        append(
            connection,
            scope.maker,
            "token.create",
            name,
            {key: values[key] for key in ("role", "datasets", "columns", "actions", "purpose")},
        )
        accounts.ensure(connection, scope.holder or name, sysadmin=role in RUNNING)
    return secret


def listed(database: Database) -> list[Token]:
    """All tokens, the revoked ones too, oldest first; none with its secret."""
    with database.reading() as connection:
        return [_token(row) for row in connection.execute(select(table).order_by(table.c.id))]


def is_token(database: Database, one: Token, secret: str) -> bool:
    """Whether this is the token's secret."""
    with database.reading() as connection:
        digest = connection.execute(select(table.c.digest).where(table.c.id == one.id)).scalar_one()
    return hmac.compare_digest(digest, _digest(secret))


def revoke(database: Database, name: str, who: str = COMMAND_LINE) -> None:
    """From now on the token is refused; NotFound if no valid one bears that name."""
    valid = update(table).where(table.c.name == name, table.c.revoked.is_(None))
    with database.keeping() as connection:
        if not connection.execute(valid.values(revoked=datetime.now(UTC))).rowcount:
            raise NotFound(f"there is no valid token {name!r}")
        append(connection, who, "token.revoke", name, {})


def principal(database: Database, secret: str | None) -> Principal:
    """Who holds this token; ANYBODY without one, AccessError for one that is wrong, expired or revoked."""
    if secret is None:
        return ANYBODY
    digest = _digest(secret)
    with database.reading() as connection:
        rows = connection.execute(_BEGINNING, {"prefix": secret[:_PREFIX]}).all()
        row = next((row for row in rows if hmac.compare_digest(row.digest, digest)), None)
        belongs = accounts.memberships(connection, row.holder or row.name) if row is not None and row.role not in RUNNING else frozenset()
    now = datetime.now(UTC)
    if row is None:
        raise AccessError("this token is not known: ask the operator for a new one")
    if row.revoked is not None:
        raise AccessError(f"the token {row.name!r} was revoked: ask the operator for a new one")
    if row.expires is not None and row.expires <= now:
        raise AccessError(f"the token {row.name!r} has expired: ask the operator for a new one")
    if row.last_used is None or now - row.last_used > _USED_EVERY:
        with database.noting() as connection:
            connection.execute(update(table).where(table.c.id == row.id).values(last_used=now))
    holder = row.holder or row.name
    return Principal(holder, Role(row.role), _set(row.datasets), _set(row.columns), _actions(row.actions), belongs)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _listed(names: Iterable[str] | None) -> list[str] | None:
    return None if names is None else sorted(str(name) for name in names)


def _set(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _actions(names: list[str] | None) -> frozenset[Action] | None:
    return None if names is None else frozenset(Action(name) for name in names)


def _token(row: Row[Any]) -> Token:
    return Token(
        name=row.name,
        prefix=row.prefix,
        role=Role(row.role),
        datasets=_set(row.datasets),
        columns=_set(row.columns),
        actions=_actions(row.actions),
        purpose=row.purpose,
        created=row.created,
        expires=row.expires,
        last_used=row.last_used,
        revoked=row.revoked,
        id=row.id,
        holder=row.holder,
    )
