"""CKAN's actions that write organisations and groups."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from stadthub_catalog import accounts, activities, packages, wording, wordings
from stadthub_catalog.accounts import Account
from stadthub_catalog.activities import Deed
from stadthub_catalog.asked import Asked
from stadthub_catalog.entry import Organization, State
from stadthub_catalog.package_grounds import told_time
from stadthub_catalog.parameters import required
from stadthub_catalog.permits import led, run, team
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.team_reads import both, in_team, theme
from stadthub_catalog.teams import TeamSort
from stadthub_catalog.user_words import account_named, shown_members
from stadthub_catalog.wording import Wrong
from stadthub_schemas.access import Capacity
from stadthub_schemas.errors import Conflict
from stadthub_schemas.vocabularies import THEMES


def _create(sort: TeamSort, asked: Asked) -> dict[str, Any]:
    run(asked, f"create {sort}s")
    wrong: dict[str, Any] = {}
    key = uuid4()
    given = asked.parameters.get("id")
    if given not in (None, ""):
        key = _checked("id", wording.key, given, wrong) or key
    if any(one.id == key for there in (asked.shelf.organizations(), asked.shelf.groups()) for one in there.values()):
        wrong["id"] = ["Group id already exists in database"]
    created = told_time(asked, asked.parameters.get("created")) or datetime.now(UTC)
    made = _said(asked, sort, Organization(key, "", "", "", created), asked.parameters, wrong)
    return _store(asked, sort, made, f"new {sort}")


def _update(sort: TeamSort, asked: Asked) -> dict[str, Any]:
    wanted = required(asked.parameters, "id", told="id")
    if (standing := _standing_theme(asked, sort, wanted)) is not None:
        return standing
    one = led(asked, sort, wanted, f"edit {sort}")
    emptied = replace(one, title="", description="", image_url="", extras=())
    return _store(asked, sort, _said(asked, sort, emptied, {"name": one.name, **asked.parameters}, {}), f"changed {sort}")


def _patch(sort: TeamSort, asked: Asked) -> dict[str, Any]:
    wanted = required(asked.parameters, "id", told="id")
    if (standing := _standing_theme(asked, sort, wanted)) is not None:
        return standing
    one = led(asked, sort, wanted, f"edit {sort}")
    return _store(asked, sort, _said(asked, sort, one, {"name": one.name, **asked.parameters}, {}), f"changed {sort}")


def _delete(sort: TeamSort, asked: Asked) -> None:
    one = led(asked, sort, required(asked.parameters, "id", told="id"), f"delete {sort}")
    if sort == "organization" and _has_datasets(asked, one):
        raise Invalid({"message": "Organization cannot be deleted while it still has datasets"})
    _store(asked, sort, replace(one, state=State.DELETED), f"deleted {sort}")


def _purge(sort: TeamSort, asked: Asked) -> None:
    wanted = required(asked.parameters, "id", told="id")
    run(asked, f"purge {sort} {wanted}")
    one = team(asked, sort, wanted)

    def forget(connection: Connection) -> None:
        accounts.disband(connection, sort, one.id)
        activities.note(connection, Deed(accounts.of(connection, asked.principal), f"purged {sort}", one.id, one.name, {}))

    try:
        asked.catalog.purge_teams(sort, one.id, beside=forget)
    except Conflict as error:
        raise Invalid({"message": "Organization cannot be purged while it still has datasets"}) from error


def _has_datasets(asked: Asked, one: Organization) -> bool:
    there = (*asked.shelf.entries(), *asked.shelf.all_hidden())
    return any(entry.organization.id == one.id and entry.state is not State.DELETED for entry in there)


def _said(asked: Asked, sort: TeamSort, before: Organization, said: Mapping[str, Any], wrong: dict[str, Any]) -> Organization:
    """The organisation or group as it is said; Invalid with every mistake."""
    made: dict[str, Any] = {}
    for key in ("title", "description", "image_url"):
        if said.get(key) is not None:
            made[key] = _checked(key, wording.text, said[key], wrong) or ""
    name = said.get("name")
    if name in (None, ""):
        wrong["name"] = ["Missing value"]
    else:
        made["name"] = _checked("name", wording.name, name, wrong)
        _refuse_taken(asked, sort, before, str(name), wrong)
    if said.get("extras") is not None:
        made["extras"] = _extras(said["extras"], wrong)
    if said.get("state") in ("active", "deleted"):
        made["state"] = State(said["state"])
    if wrong:
        raise Invalid(wordings.ordered(wrong))
    return replace(before, **made)


def _standing_theme(asked: Asked, sort: TeamSort, wanted: str) -> dict[str, Any] | None:
    """A theme as it stands, if one is meant: it is not ours to change, but catalogues are copied with all of their groups. Invalid if
    it is said otherwise, None for anything else."""
    found = theme(asked, wanted) if sort == "group" else None
    if found is None:
        return None
    run(asked, f"edit group {found['id']}")
    said = {key: asked.parameters[key] for key in ("name", "title", "description", "state") if asked.parameters.get(key) is not None}
    if any(found[key] != value for key, value in said.items()):
        raise Invalid({"message": f"{found['name']} is a theme of the European list: its words are the same in every catalogue"})
    return {**found, "users": [], "extras": [], "groups": []}


def _users(asked: Asked) -> dict[UUID, tuple[Account, Capacity]] | None:
    """Who is to belong there and nobody else; None if nothing is said of it. Invalid."""
    given = asked.parameters.get("users")
    if given is None:
        return None
    found: dict[UUID, tuple[Account, Capacity]] = {}
    for one in given if isinstance(given, list) else [given]:
        name = str(one.get("name") or one.get("id") or "") if isinstance(one, dict) else ""
        try:
            who = account_named(asked, name)
            found[who.id] = (who, Capacity(str(one.get("capacity") or "member").lower()))
        except Missing:
            raise Invalid({"users": [{"name": [f"There is no user {name!r}"]}]}) from None
        except ValueError:
            raise Invalid({"users": [{"capacity": ["role does not exist."]}]}) from None
    return found


def _seat(connection: Connection, asked: Asked, sort: TeamSort, made: Organization, users: Mapping[UUID, tuple[Account, Capacity]]) -> None:
    """Let these belong there and nobody else."""
    there = {one.account.id: one for one in accounts.members(connection, sort, [made.id])}
    who = accounts.of(connection, asked.principal)
    for key, old in there.items():
        if key not in users:
            accounts.leave(connection, sort, made.id, key)
            activities.note(connection, Deed(who, f"left {sort}", key, old.account.name, {"actor": who.name}))
    for key, (account, capacity) in users.items():
        if key not in there or there[key].capacity is not capacity:
            accounts.join(connection, sort, made.id, key, capacity)
            activities.note(connection, Deed(who, f"joined {sort}", key, account.name, {"actor": who.name}))


def _extras(given: Any, wrong: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The extras, by key."""
    rows = [one for one in (given if isinstance(given, list) else []) if isinstance(one, dict) and not one.get("deleted")]
    made = {str(one.get("key")): _checked("extras", wording.text, one.get("value"), wrong) or "" for one in rows}
    return tuple(sorted(made.items()))


def _checked(key: str, rule: Callable[[Any], Any], value: Any, wrong: dict[str, Any]) -> Any:
    try:
        return rule(value)
    except Wrong as error:
        wrong[key] = [str(error)]
        return None


def _refuse_taken(asked: Asked, sort: TeamSort, before: Organization, name: str, wrong: dict[str, Any]) -> None:
    """Names of organisations and of groups are one set, as in CKAN; those of the themes are taken too."""
    for there in (asked.shelf.organizations(), asked.shelf.groups()):
        if name in there and there[name].id != before.id:
            wrong["name"] = ["Group name already exists in database"]
    if sort == "group" and name.upper() in THEMES:
        wrong["name"] = ["Group name already exists in database"]


def _store(asked: Asked, sort: TeamSort, made: Organization, kind: str) -> dict[str, Any]:
    """Write it together with the note of it; who makes one is its admin. It in CKAN's words."""
    told = packages.team(made, sort, len(in_team(asked, sort, made.name)))
    users = _users(asked) if kind.partition(" ")[0] in ("new", "changed") else None

    def note(connection: Connection) -> None:
        who = accounts.of(connection, asked.principal)
        if users is not None:
            _seat(connection, asked, sort, made, users)
        if kind.startswith("new"):
            accounts.join(connection, sort, made.id, who.id, Capacity.ADMIN)
        activities.note(connection, Deed(who, kind, made.id, made.name, {"group": told, "actor": who.name}))

    try:
        asked.catalog.write_teams(sort, made, beside=note)
    except Conflict as error:
        raise Invalid({"name": ["Group name already exists in database"]}) from error
    return {**told, "users": shown_members(asked, sort, made), "extras": packages.team_extras(made), "groups": []}


_DOCS: dict[str, tuple[Callable[[TeamSort, Asked], Any], str]] = {
    "create": (
        _create,
        "Make a {team}; you become its admin.\n\nname, title, description, image_url, extras [{{key, value}}], users [{{name, capacity}}].",
    ),
    "update": (
        _update,
        "Write a {team} anew: what is not said is emptied, but for its users.\n\nid: its name or id; else as for {team}_create.",
    ),
    "patch": (_patch, "Change only what is said of a {team}.\n\nid: its name or id; else as for {team}_create."),
    "delete": (_delete, "Take a {team} out of the catalogue.\n\nid: its name or id."),
    "purge": (_purge, "Take a {team} away for ever.\n\nid: its name or id."),
}

TEAM_WRITES: dict[str, Callable[[Asked], Any]] = {
    f"{sort}_{name}": made for name, (function, doc) in _DOCS.items() for sort, made in both(function, doc).items()
}
