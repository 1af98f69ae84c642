"""CKAN's actions on users and their tokens. A user is the holder of tokens: no person need be named, and there are no passwords."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from stadthub_catalog import accounts, activities, wording, wordings
from stadthub_catalog.accounts import Account
from stadthub_catalog.activities import Deed
from stadthub_catalog.asked import Asked
from stadthub_catalog.package_grounds import chosen_id, told_time
from stadthub_catalog.packages import stamp
from stadthub_catalog.parameters import flag, natural, required, text
from stadthub_catalog.permits import refused, run
from stadthub_catalog.refusals import Invalid, NotAuthorized
from stadthub_catalog.tokens import Scope
from stadthub_catalog.user_words import account_named, user
from stadthub_catalog.wording import Wrong
from stadthub_schemas.access import Capacity, Role, runs
from stadthub_schemas.errors import Conflict, NotFound

_FEW = 20


def user_list(asked: Asked) -> list[Any]:
    """The users of the hub, for those who run it; anybody else with a token finds himself.

    q: only those whose name holds this text; all_fields: dicts, which is what is given unless it is false; order_by: name, created.
    """
    part = text(asked.parameters, "q").casefold()
    found = [one for one in _known(asked) if part in f"{one.name} {one.fullname or ''}".casefold() and one.state == "active"]
    if text(asked.parameters, "order_by") == "created":
        found.sort(key=lambda one: one.created)
    return [user(asked, one) for one in found] if flag(asked.parameters, "all_fields", "true") else [one.name for one in found]


def user_show(asked: Asked) -> dict[str, Any]:
    """One user, for those who run the hub and for himself.

    id: its name or id; include_num_followers; include_datasets: with the datasets that it made.
    """
    wanted = text(asked.parameters, "id") or asked.principal.name
    if not wanted:
        raise Invalid({"id": ["Missing value"]})
    return user(asked, _own(asked, wanted, "read user"))


def user_autocomplete(asked: Asked) -> list[dict[str, Any]]:
    """Users whose name holds the text, among those that the caller may know of.

    q: the text; limit: how many, 20 if it is not given.
    """
    part = required(asked.parameters, "q", told="q").casefold()
    found = [one for one in _known(asked) if part in f"{one.name} {one.fullname or ''}".casefold()]
    told = [{"id": str(one.id), "name": one.name, "fullname": one.fullname} for one in found]
    return told[: natural(asked.parameters, "limit", _FEW)]


def user_create(asked: Asked) -> dict[str, Any]:
    """Make a user, which is the holder of tokens. There are no passwords: `api_token_create` gives it its first token.

    name; fullname, about: whatever helps those who come after you; id, created: as in the catalogue from which it comes; email: only if it is really needed, told to operators alone.
    """
    run(asked, "create users")
    wrong: dict[str, Any] = {}
    created = told_time(asked, asked.parameters.get("created")) or datetime.now(UTC)
    made = _said(asked, Account(_new_id(asked, wrong), "", created), wrong)
    return _store(asked, made, "new user")


def user_update(asked: Asked) -> dict[str, Any]:
    """Write a user anew: what is not said is emptied.

    id: its name or id; everything else as for user_create.
    """
    one = _own(asked, required(asked.parameters, "id", told="id"), "edit user")
    return _store(asked, _said(asked, replace(one, fullname=None, about=None), {}), "changed user")


def user_patch(asked: Asked) -> dict[str, Any]:
    """Change only what is said of a user.

    id: its name or id; everything else as for user_create.
    """
    one = _own(asked, required(asked.parameters, "id", told="id"), "edit user")
    return _store(asked, _said(asked, one, {}), "changed user")


def user_delete(asked: Asked) -> None:
    """Let a user do nothing any longer: its tokens are revoked, and it belongs nowhere.

    id: its name or id.
    """
    wanted = required(asked.parameters, "id", told="id")
    run(asked, f"delete user {wanted}")
    one = account_named(asked, wanted)
    for token in asked.catalog.tokens():
        if (token.holder or token.name) == one.name and token.revoked is None:
            asked.catalog.revoke_token(token.name, asked.principal.name)
    _store(asked, replace(one, state="deleted", email=None), "deleted user")


def user_invite(asked: Asked) -> Any:
    """Invitations are sent by mail in CKAN; this hub sends none: make the user, and give it its token yourself.

    email, group_id, role: as in CKAN.
    """
    run(asked, "create users")
    raise Invalid({"message": "This hub sends no mail: use user_create, organization_member_create and api_token_create"})


def api_token_create(asked: Asked) -> dict[str, Any]:
    """Make a token for a user; it is told this once only. Those who run the hub make tokens.

    user: its name or id; name: what the token is for; expires_in with unit: seconds until it ends.
    """
    run(asked, "create API tokens")
    one = account_named(asked, required(asked.parameters, "user", told="user"))
    name = required(asked.parameters, "name", told="name")
    role = (asked.principal.role or Role.OPERATOR) if one.sysadmin else Role.PUBLISHER
    seconds = natural(asked.parameters, "expires_in", 0) * max(natural(asked.parameters, "unit", 1), 1)
    ends = datetime.fromtimestamp(datetime.now(UTC).timestamp() + seconds, UTC) if seconds else None
    scope = Scope(expires=ends, purpose=f"made through the CKAN API by {asked.principal.name}", holder=one.name, maker=asked.principal.name)
    try:
        secret = asked.catalog.make_token(f"{one.name}/{name}", role, scope)
    except Conflict as error:
        raise Invalid({"name": ["This user has a token of that name: revoke it or take another name"]}) from error
    made = next(token for token in reversed(asked.catalog.tokens()) if token.name == f"{one.name}/{name}")
    return {"token": secret, "id": str(made.id)}


def api_token_list(asked: Asked) -> list[dict[str, Any]]:
    """The tokens of a user that are valid, without their secrets.

    user_id or user: its name or id.
    """
    wanted = required(asked.parameters, "user_id", "user", told="user_id")
    if asked.principal.role is None:
        raise refused(asked, "list API tokens")
    one = _own(asked, wanted, "list API tokens of user")
    return [
        {
            "id": str(token.id),
            "name": token.name.removeprefix(f"{one.name}/"),
            "user_id": str(one.id),
            "created_at": stamp(token.created),
            "last_access": stamp(token.last_used),
        }
        for token in asked.catalog.tokens()
        if (token.holder or token.name) == one.name and token.revoked is None
    ]


def api_token_revoke(asked: Asked) -> None:
    """Refuse a token from now on; nothing happens if there is none.

    jti: its id; token: or the token itself.
    """
    if asked.principal.role is None:
        raise NotAuthorized("Access denied: Action api_token_revoke requires an authenticated user")
    secret, key = text(asked.parameters, "token"), text(asked.parameters, "jti")
    if not secret and not key:
        raise Invalid({"jti": ["Missing value"], "token": ["Missing value"]})
    for token in asked.catalog.tokens():
        is_meant = str(token.id) == key or (bool(secret) and asked.catalog.is_token(token, secret))
        if is_meant and token.revoked is None:
            if (token.holder or token.name) != asked.principal.name and not runs(asked.principal):
                raise refused(asked, "revoke this token")
            asked.catalog.revoke_token(token.name, asked.principal.name)


def _known(asked: Asked) -> list[Account]:
    """The accounts that the caller may know of: all, those who lead something all too, to choose from, else its own."""
    leads = any(one.capacity is Capacity.ADMIN for one in asked.principal.memberships)
    if asked.principal.role is None:
        raise NotAuthorized("Access denied: this hub shows its users to those who work with them: send a token")
    every = accounts.listed(asked.catalog.database)
    return every if leads or runs(asked.principal) else [one for one in every if one.name == asked.principal.name]


def _own(asked: Asked, wanted: str, what: str) -> Account:
    """The account if it is the caller's or the caller runs the hub; whoever may not know learns nothing of whether there is one."""
    if asked.principal.role is None:
        raise refused(asked, f"{what} {wanted}")
    if runs(asked.principal):
        return account_named(asked, wanted)
    mine = asked.account()
    if wanted not in (mine.name, str(mine.id)):
        raise refused(asked, f"{what} {wanted}")
    return mine


def _said(asked: Asked, before: Account, wrong: dict[str, Any]) -> Account:
    """The account as it is said; Invalid with every mistake."""
    made: dict[str, Any] = {}
    rules = {"fullname": wording.text, "about": _about, "email": wording.email}
    for key, rule in rules.items():
        if key in asked.parameters:
            try:
                made[key] = rule(asked.parameters[key]) or None
            except Wrong as error:
                wrong[key] = [str(error)]
    name = asked.parameters.get("name")
    if not before.name and name in (None, ""):
        wrong["name"] = ["Missing value"]
    elif not before.name:
        try:
            made["name"] = wording.name(name)
        except Wrong as error:
            wrong["name"] = [str(error)]
    elif name not in (None, "", before.name):
        wrong["name"] = ["That login name can not be modified."]
    if "sysadmin" in asked.parameters and runs(asked.principal) and before.name != asked.principal.name:
        made["sysadmin"] = flag(asked.parameters, "sysadmin")
    if wrong:
        raise Invalid(wordings.ordered(wrong))
    return replace(before, **made)


def _new_id(asked: Asked, wrong: dict[str, Any]) -> UUID:
    """The id of a new account: a new one, or the one that it has in another catalogue."""
    given = asked.parameters.get("id")
    if given in (None, ""):
        return uuid4()
    return chosen_id(given, lambda key: account_named(asked, key), "This user id is already in use", wrong)


def _about(value: Any) -> str | None:
    said = wording.text(value)
    if said and ("http://" in said or "https://" in said):
        raise Wrong("Edit not allowed as it looks like spam. Please avoid links in your description.")
    return said


def _store(asked: Asked, made: Account, kind: str) -> dict[str, Any]:
    with asked.catalog.database.keeping() as connection:
        try:
            accounts.write(connection, made)
        except (Conflict, NotFound) as error:
            sentence = "The username is already associated with another account. Please use a different username."
            raise Invalid({"name": [sentence]}) from error
        who = accounts.of(connection, asked.principal)
        activities.note(connection, Deed(who, kind, made.id, made.name, {"actor": who.name}))
    return user(asked, made)


USER_READS = {
    "user_list": user_list,
    "user_show": user_show,
    "user_autocomplete": user_autocomplete,
    "api_token_list": api_token_list,
}
USER_WRITES = {
    "user_create": user_create,
    "user_update": user_update,
    "user_patch": user_patch,
    "user_delete": user_delete,
    "user_invite": user_invite,
    "api_token_create": api_token_create,
    "api_token_revoke": api_token_revoke,
}
