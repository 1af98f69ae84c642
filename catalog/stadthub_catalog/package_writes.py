"""CKAN's actions that write packages: create, update, patch, delete, purge, hand over, and many at once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stadthub_catalog import accounts, activities, belongings, standing, wordings
from stadthub_catalog.activities import Deed
from stadthub_catalog.afresh import afresh
from stadthub_catalog.asked import Asked
from stadthub_catalog.datasets import Written, nothing, written_entry
from stadthub_catalog.entry import Entry, State
from stadthub_catalog.package_grounds import brought, ground, modified_time, named, new_id, owner_of, told_time
from stadthub_catalog.packages import theme_name
from stadthub_catalog.parameters import flag, names, required, text
from stadthub_catalog.permits import led, refused, run, team, writable
from stadthub_catalog.refusals import Invalid
from stadthub_catalog.relationship_actions import shown
from stadthub_schemas.access import Action, may, runs
from stadthub_schemas.dataset import Dataset
from stadthub_schemas.errors import Conflict, NotFound
from stadthub_schemas.vocabularies import THEMES

#: What a package may become by an update; `package_delete` and `dataset_purge` are the other ways out.
_STATES = {"active": State.ACTIVE, "draft": State.DRAFT, "deleted": State.DELETED}
_TOLD = {State.DELETED: "deleted package"}
_NO_PACKAGE = "Not found: Package was not found."


def package_create(asked: Asked) -> Any:
    """Make a dataset.

    name: its name in addresses; owner_org: the organisation; title, notes, author, author_email, maintainer, maintainer_email,
    license_id, url, version, private, state (active, draft, deleted), tags [{name}], extras [{key, value}], groups [{name}], resources
    [{url, name, format, …}]; id, metadata_created, metadata_modified, creator_user_id: only a sysadmin may bring them along.
    """
    if not may(asked.principal, Action.WRITE).allowed or not (runs(asked.principal) or _edits(asked)):
        raise refused(asked, "create packages")
    said = asked.parameters
    wrong: dict[str, Any] = {}
    key = new_id(asked, wrong)
    name = named(asked, said.get("name"), key, wrong)
    owner = owner_of(asked, said.get("owner_org"), wrong)
    now = datetime.now(UTC)
    document = brought(asked, _document(said, name, ground(asked, now), wrong))
    state = _STATES.get(str(said.get("state")), State.ACTIVE)
    created = told_time(asked, said.get("metadata_created")) or now
    written = Written(key, name, owner.id, state, document, created, told_time(asked, said.get("metadata_modified")) or now)
    made = written_entry(written, owner)
    _refuse_foreign(asked, made, None)
    result = store(asked, (None, written), made, "new package")
    return result["id"] if flag(said, "return_id_only") else result


@afresh
def package_update(asked: Asked) -> Any:
    """Write a dataset anew: what is not said is emptied, but for its resources and groups, which stay if nothing is said of them.

    id: its name or id; everything else as for package_create. What `package_show` gives may be given back.
    """
    wanted = text(asked.parameters, "id") or text(asked.parameters, "name")
    if not wanted:
        raise Invalid({"id": ["Missing value"]})
    entry = writable(asked, wanted, absent=_NO_PACKAGE)
    result = change(asked, entry, asked.parameters)
    return result["id"] if flag(asked.parameters, "return_id_only") else result


@afresh
def package_patch(asked: Asked) -> Any:
    """Change only what is said of a dataset.

    id: its name or id; everything else as for package_create.
    """
    entry = writable(asked, required(asked.parameters, "id", told="id"), absent=_NO_PACKAGE)
    return change(asked, entry, {**asked.package(entry), **asked.parameters, "id": str(entry.id)})


@afresh
def package_delete(asked: Asked) -> None:
    """Take a dataset out of the catalogue; those who may write it still see it, and can bring it back with state=active.

    id: its name or id.
    """
    entry = writable(asked, required(asked.parameters, "id", told="id"), "delete package")
    if entry.state is not State.DELETED:
        before = _standing(entry)
        written = replace(before, state=State.DELETED, modified=datetime.now(UTC))
        store(asked, (before, written), written_entry(written, entry.organization), "deleted package")


def dataset_purge(asked: Asked) -> None:
    """Take a dataset and its files away for ever: nothing brings them back.

    id: its name or id.
    """
    wanted = required(asked.parameters, "id", told="id")
    run(asked, f"purge dataset {wanted}")
    entry = writable(asked, wanted)
    keys = [one.id for one in entry.distributions if one.id is not None]

    def forget(connection: Connection) -> None:
        belongings.forget(connection, entry.id, keys)
        who = accounts.of(connection, asked.principal)
        activities.note(connection, Deed(who, "purged package", entry.id, entry.name, {}))

    asked.catalog.purge(entry.id, beside=forget)
    if asked.uploads is not None:
        for key in keys:
            asked.uploads.drop(key)


@afresh
def package_owner_org_update(asked: Asked) -> None:
    """Hand a dataset over to another organisation.

    id: its name or id; organization_id: the organisation's name or id.
    """
    entry = writable(asked, required(asked.parameters, "id", told="id"))
    owner = team(asked, "organization", required(asked.parameters, "organization_id", told="organization_id"))
    change(asked, entry, {**asked.package(entry), "owner_org": str(owner.id)})


@afresh
def bulk_update_private(asked: Asked) -> None:
    """Let several datasets of an organisation be for its members alone.

    datasets: their names or ids; org_id: the organisation.
    """
    _bulk(asked, {"private": True})


@afresh
def bulk_update_public(asked: Asked) -> None:
    """Let several datasets of an organisation be for everybody.

    datasets: their names or ids; org_id: the organisation.
    """
    _bulk(asked, {"private": False})


@afresh
def bulk_update_delete(asked: Asked) -> None:
    """Delete several datasets of an organisation.

    datasets: their names or ids; org_id: the organisation.
    """
    _bulk(asked, {"state": "deleted"})


def change(asked: Asked, entry: Entry, said: Mapping[str, Any]) -> dict[str, Any]:
    """Write the dataset as it is said now; nothing is written if that is what stands. Invalid."""
    wrong: dict[str, Any] = {}
    name = entry.name if said.get("name") in (None, "", entry.name, str(entry.id)) else named(asked, said["name"], entry.id, wrong)
    owner = entry.organization if said.get("owner_org") is None else owner_of(asked, said["owner_org"], wrong)
    now = datetime.now(UTC)
    document = _document(said, name, ground(asked, now, entry), wrong)
    state = _STATES.get(str(said.get("state")), entry.state)
    standing_ = _standing(entry)
    written = replace(standing_, name=name, owner=owner.id, state=state, document=document)
    if written == standing_:
        return shown(asked, entry)
    written = replace(written, modified=modified_time(asked, now, entry.modified))
    made = written_entry(written, owner)
    _refuse_foreign(asked, made, entry)
    result = store(
        asked, (standing_, written), made, _TOLD.get(state, "changed package") if state is not entry.state else "changed package"
    )
    asked.changed.append(entry.id)
    _forget_files(asked, entry, document)
    return result


def _refuse_foreign(asked: Asked, made: Entry, before: Entry | None) -> None:
    """A package goes only into an organisation in which the caller may write, whoever he is for the package itself, and only into groups
    of which he is a member; into those of the themes everybody may put it."""
    anew = made.dataset if before is not None and before.organization.id == made.organization.id else _nameless(asked, made)
    if not may(asked.principal, Action.WRITE, anew).allowed:
        raise Invalid({"owner_org": ["You cannot add a dataset to this organization"]})
    old = set((before.document or {}).get("groups", ())) if before is not None else set()
    for name in set((made.document or {}).get("groups", ())) - old - {theme_name(theme) for theme in THEMES}:
        if not runs(asked.principal) and not any(one.circle == "group" and one.name == name for one in asked.principal.memberships):
            raise refused(asked, "edit these groups")


def _nameless(asked: Asked, made: Entry) -> Dataset:
    """The dataset as one of its organisation alone: who works at it by its name may not bring it into another one."""
    by_name = any(one.circle == "dataset" and one.name == made.name for one in asked.principal.memberships)
    return made.dataset.model_copy(update={"name": ""}) if by_name else made.dataset


def _forget_files(asked: Asked, entry: Entry, document: Mapping[str, Any]) -> None:
    """Let the uploaded files go of which the dataset no longer speaks."""
    kept = {one["id"] for one in document["resources"] if one["url_type"] == "upload"}
    there = [one["id"] for one in (entry.document or {}).get("resources", ()) if one["url_type"] == "upload"]
    for key in there if asked.uploads is not None else ():
        if key not in kept and asked.uploads is not None:
            asked.uploads.drop(UUID(key))


def store(asked: Asked, change: tuple[Written | None, Written], made: Entry, kind: str) -> dict[str, Any]:
    """Put the dataset into the catalogue together with the note of it; the dataset in CKAN's words. `change`: as it was read, and as it
    is to be. Invalid if its name is taken, Outdated if it no longer stands as it was read."""
    before, written = change
    # nothing is related yet to what is new
    result = asked.package(made) if kind == "new package" else shown(asked, made)
    who = asked.account()

    def note(connection: Connection) -> None:
        activities.note(connection, Deed(who, kind, written.id, written.name, {"package": result, "actor": who.name}, written.owner))

    try:
        asked.catalog.write(written, beside=note, first=nothing if before is None else partial(standing.unchanged, read=before))
    except Conflict as error:
        raise Invalid({"name": ["That URL is already in use."]}) from error
    except NotFound as error:
        raise Invalid({"owner_org": ["Organization does not exist"]}) from error
    return result


def _standing(entry: Entry) -> Written:
    """The dataset as it stands, ready to be written."""
    return Written(entry.id, entry.name, entry.organization.id, entry.state, dict(entry.document or {}), entry.created, entry.modified)


def _document(said: Mapping[str, Any], name: str, on: wordings.Ground, wrong: dict[str, Any]) -> wordings.Document:
    """The document, unless this or what was found before is wrong: then all of it is told at once."""
    try:
        document = wordings.document({**said}, name, on)
    except Invalid as error:
        raise Invalid(wordings.ordered({**wrong, **error.fields})) from error
    if wrong:
        raise Invalid(wordings.ordered(wrong))
    return document


def _edits(asked: Asked) -> bool:
    """Whether the caller may write in any organisation."""
    return any(one.circle == "organization" and one.capacity != "member" for one in asked.principal.memberships)


def _bulk(asked: Asked, said: Mapping[str, Any]) -> None:
    owner = led(asked, "organization", required(asked.parameters, "org_id", told="org_id"), "update organization")
    for wanted in names(asked.parameters, "datasets"):
        entry = writable(asked, wanted)
        if entry.organization.id != owner.id:
            raise Invalid({"datasets": [f"{entry.name} is no dataset of {owner.name}"]})
        change(asked, entry, {**asked.package(entry), **said})


WRITES = {
    "package_create": package_create,
    "package_update": package_update,
    "package_patch": package_patch,
    "package_delete": package_delete,
    "dataset_purge": dataset_purge,
    "package_owner_org_update": package_owner_org_update,
    "bulk_update_private": bulk_update_private,
    "bulk_update_public": bulk_update_public,
    "bulk_update_delete": bulk_update_delete,
}
