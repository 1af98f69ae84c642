"""Tokens: shown once, scoped, ended by time or by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from stadthub_catalog import Catalog
from stadthub_catalog.tables import token
from stadthub_schemas.access import ANYBODY, Action, Principal, Role
from stadthub_schemas.errors import AccessError, Conflict, NotFound


def test_a_token_makes_its_holder_known_with_its_scope(catalog: Catalog) -> None:
    secret = catalog.create_token(
        "pusher", Role.PUBLISHER, datasets=["luft"], columns=["result"], actions=[Action.WRITE], purpose="Messnetz"
    )
    assert catalog.principal(secret) == Principal(
        "pusher", Role.PUBLISHER, frozenset({"luft"}), frozenset({"result"}), frozenset({Action.WRITE})
    )
    assert catalog.principal(catalog.create_token("all", Role.READER)) == Principal("all", Role.READER)
    assert catalog.principal(None) is ANYBODY


def test_the_secret_is_long_random_and_nowhere_stored(catalog: Catalog) -> None:
    secret = catalog.create_token("a", Role.ADMIN)
    assert secret.startswith("sth_")
    assert len(secret) == len("sth_") + 43
    with catalog.database.reading() as connection:
        stored = str(connection.execute(select(token)).all())
    assert secret not in stored
    assert secret[:12] in stored
    assert secret not in repr(catalog.tokens())


@pytest.mark.parametrize("wrong", ["", "sth_", "nonsense", "sth_" + "x" * 43])
def test_a_wrong_token_is_refused(catalog: Catalog, wrong: str) -> None:
    catalog.create_token("a", Role.ADMIN)
    with pytest.raises(AccessError, match="not known"):
        catalog.principal(wrong)


def test_a_token_with_a_right_beginning_only_is_refused(catalog: Catalog) -> None:
    secret = catalog.create_token("a", Role.ADMIN)
    with pytest.raises(AccessError):
        catalog.principal(secret[:-1] + ("x" if secret[-1] != "x" else "y"))


def test_a_revoked_token_is_refused_at_once_and_its_name_is_free(catalog: Catalog) -> None:
    secret = catalog.create_token("a", Role.ADMIN)
    catalog.principal(secret)
    with pytest.raises(Conflict, match="'a'"):
        catalog.create_token("a", Role.READER)
    catalog.revoke_token("a")
    with pytest.raises(AccessError, match="revoked"):
        catalog.principal(secret)
    with pytest.raises(NotFound):
        catalog.revoke_token("a")
    catalog.create_token("a", Role.READER)
    assert [one.revoked is None for one in catalog.tokens()] == [False, True]


def test_a_token_ends_when_it_expires(catalog: Catalog) -> None:
    now = datetime.now(UTC)
    late = catalog.create_token("late", Role.READER, expires=now - timedelta(seconds=1))
    with pytest.raises(AccessError, match="expired"):
        catalog.principal(late)
    assert catalog.principal(catalog.create_token("soon", Role.READER, expires=now + timedelta(hours=1))).name == "soon"


def test_it_is_known_when_a_token_was_used_last(catalog: Catalog) -> None:
    secret = catalog.create_token("a", Role.ADMIN)
    assert catalog.tokens()[0].last_used is None
    catalog.principal(secret)
    first = catalog.tokens()[0].last_used
    assert first is not None
    catalog.principal(secret)
    assert catalog.tokens()[0].last_used == first


def test_who_may_what_since_when_stands_in_the_audit_and_no_token_does(catalog: Catalog) -> None:
    secret = catalog.create_token("sensors", Role.PUBLISHER, datasets=frozenset({"air"}), purpose="push")
    catalog.revoke_token("sensors")
    revoked, created = catalog.audited("token.")
    assert (created.what, created.on, created.details["role"], created.details["datasets"]) == (
        "token.create",
        "sensors",
        "publisher",
        ["air"],
    )
    assert (revoked.what, revoked.on) == ("token.revoke", "sensors")
    assert secret not in str(created)
    assert catalog.verify_audit() == 2
