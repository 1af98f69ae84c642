"""CKAN's actions on who belongs where: members of organisations and groups, datasets in groups, collaborators of a dataset."""

from typing import Any

from sqlalchemy import Connection

from stadthub_catalog import accounts, activities
from stadthub_catalog.activities import Deed
from stadthub_catalog.afresh import afresh
from stadthub_catalog.asked import Asked
from stadthub_catalog.entry import Entry, Organization
from stadthub_catalog.package_writes import change
from stadthub_catalog.packages import stamp
from stadthub_catalog.parameters import required, text
from stadthub_catalog.permits import readable, refused, run, standing, team, writable, writes
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.team_reads import in_team
from stadthub_catalog.teams import TeamSort
from stadthub_catalog.user_words import account_named, sees_members
from stadthub_schemas.access import Capacity, Circle, may_lead

_ROLES = {Capacity.ADMIN: "Admin", Capacity.EDITOR: "Editor", Capacity.MEMBER: "Member"}


def member_list(asked: Asked) -> list[list[str]]:
    """What belongs to an organisation or group, as [id, user or package, capacity]; its users only for those who may know them.

    id: its name or id; object_type: user or package alone; capacity: only these.
    """
    sort, one = _team(asked, required(asked.parameters, "id", told="id"))
    kind = text(asked.parameters, "object_type")
    wanted = text(asked.parameters, "capacity").lower()
    found: list[list[str]] = []
    if kind in ("", "user") and sees_members(asked, sort, one):
        with asked.catalog.database.reading() as connection:
            there = accounts.members(connection, sort, [one.id])
        found += [[str(each.account.id), "user", _ROLES[each.capacity]] for each in there if wanted in ("", each.capacity)]
    if kind in ("", "package"):
        told = "organization" if sort == "organization" else "public"
        found += [[str(entry.id), "package", told] for entry in in_team(asked, sort, one.name) if wanted in ("", told)]
    return found


def member_roles_list(asked: Asked) -> list[dict[str, str]]:
    """What members may be.

    group_type: organization or group.
    """
    del asked
    return [{"text": told, "value": capacity.value} for capacity, told in _ROLES.items()]


@afresh
def member_create(asked: Asked) -> dict[str, Any]:
    """Let a user or a dataset belong to a group or an organisation.

    id: the group; object: the user or the dataset; object_type: user or package; capacity: admin, editor, member (or public).
    """
    sort, one = _team(asked, required(asked.parameters, "id", told="id"))
    thing = required(asked.parameters, "object", told="object")
    if required(asked.parameters, "object_type", told="object_type") == "package":
        entry = _grouped(asked, sort, thing)
        there = (entry.document or {}).get("groups", ())
        change(asked, entry, {**asked.package(entry), "groups": [{"name": name} for name in {*there, one.name}]})
        return _membership(one, str(entry.id), "package", "public")
    return _join(asked, sort, one, thing, text(asked.parameters, "capacity"))


@afresh
def member_delete(asked: Asked) -> None:
    """Let a user or a dataset belong to a group or an organisation no longer.

    id: the group; object: the user or the dataset; object_type: user or package.
    """
    sort, one = _team(asked, required(asked.parameters, "id", told="id"))
    thing = required(asked.parameters, "object", told="object")
    if required(asked.parameters, "object_type", told="object_type") == "package":
        entry = _grouped(asked, sort, thing)
        rest = [{"name": name} for name in (entry.document or {}).get("groups", ()) if name != one.name]
        change(asked, entry, {**asked.package(entry), "groups": rest})
        return
    _leave(asked, sort, one, thing)


def organization_member_create(asked: Asked) -> dict[str, Any]:
    """Let a user belong to an organisation: its members see what is private, its editors write datasets, its admins lead it.

    id: the organisation; username: the user; role: member, editor or admin.
    """
    return _joined(asked, "organization")


def group_member_create(asked: Asked) -> dict[str, Any]:
    """Let a user belong to a group.

    id: the group; username: the user; role: member, editor or admin.
    """
    return _joined(asked, "group")


def organization_member_delete(asked: Asked) -> None:
    """Let a user belong to an organisation no longer.

    id: the organisation; username or user_id: the user.
    """
    one = team(asked, "organization", required(asked.parameters, "id", told="id"))
    _leave(asked, "organization", one, required(asked.parameters, "username", "user_id", told="username"))


def group_member_delete(asked: Asked) -> None:
    """Let a user belong to a group no longer.

    id: the group; username or user_id: the user.
    """
    one = team(asked, "group", required(asked.parameters, "id", told="id"))
    _leave(asked, "group", one, required(asked.parameters, "username", "user_id", told="username"))


def package_collaborator_create(asked: Asked) -> dict[str, Any]:
    """Let a user work at one dataset, whatever its organisation: member sees it while it is private, editor writes it.

    id: the dataset; user_id: the user; capacity: member, editor or admin.
    """
    entry = writable(asked, required(asked.parameters, "id", told="id"), "add collaborators to this dataset")
    who = account_named(asked, required(asked.parameters, "user_id", told="user_id"))
    capacity = _capacity(text(asked.parameters, "capacity"), "capacity")
    _write(asked, "dataset", entry.id, who, capacity)
    with asked.catalog.database.reading() as connection:
        [made] = accounts.members(connection, "dataset", [entry.id], who.id)
    return _collaborator(made)


def package_collaborator_delete(asked: Asked) -> None:
    """Let a user work at a dataset no longer.

    id: the dataset; user_id: the user.
    """
    entry = writable(asked, required(asked.parameters, "id", told="id"), "remove collaborators from this dataset")
    who = account_named(asked, required(asked.parameters, "user_id", told="user_id"))
    with asked.catalog.database.keeping() as connection:
        if not accounts.leave(connection, "dataset", entry.id, who.id):
            raise Missing(f"Not found: User {who.id} is not a collaborator on this dataset")


def package_collaborator_list(asked: Asked) -> list[dict[str, Any]]:
    """Who works at a dataset, for those who may write it.

    id: the dataset; capacity: only these.
    """
    entry = readable(asked, required(asked.parameters, "id", told="id"))
    writable(asked, str(entry.id), "list collaborators of dataset")
    wanted = text(asked.parameters, "capacity")
    with asked.catalog.database.reading() as connection:
        found = accounts.members(connection, "dataset", [entry.id])
    return [_collaborator(one) for one in found if wanted in ("", one.capacity)]


def package_collaborator_list_for_user(asked: Asked) -> list[dict[str, Any]]:
    """At which datasets a user works, for himself and those who run the hub.

    id: the user; capacity: only these.
    """
    who = account_named(asked, required(asked.parameters, "id", told="id"))
    if who.name != asked.principal.name:
        run(asked, "list collaborations of this user")
    wanted = text(asked.parameters, "capacity")
    with asked.catalog.database.reading() as connection:
        found = accounts.members(connection, "dataset", who=who.id)
    told = [_collaborator(one) for one in found if wanted in ("", one.capacity)]
    return [{"package_id": one["package_id"], "capacity": one["capacity"], "modified": one["modified"]} for one in told]


def _team(asked: Asked, wanted: str) -> tuple[TeamSort, Organization]:
    """The organisation, else the group of that name or id; Missing."""
    try:
        return "organization", team(asked, "organization", wanted)
    except Missing:
        return "group", team(asked, "group", wanted, "Not found: Group was not found.")


def _grouped(asked: Asked, sort: TeamSort, thing: str) -> Entry:
    """The dataset that goes into a group, or out of it; into an organisation it goes by package_owner_org_update."""
    if sort == "organization":
        raise Invalid({"object_type": ["Use package_owner_org_update to hand a dataset over to another organization"]})
    entry = standing(asked, thing)
    if entry.document is None and writes(asked, entry):
        raise Invalid(
            {"object": [f"{entry.name}: name the group in `groups` of the feed file {entry.feed!r}, which describes this dataset"]}
        )
    return writable(asked, thing)


def _joined(asked: Asked, sort: TeamSort) -> dict[str, Any]:
    one = team(asked, sort, required(asked.parameters, "id", told="id"))
    return _join(asked, sort, one, required(asked.parameters, "username", told="username"), text(asked.parameters, "role"), "role")


def _join(asked: Asked, sort: TeamSort, one: Organization, who: str, given: str, told: str = "capacity") -> dict[str, Any]:
    if not may_lead(asked.principal, sort, one.name).allowed:
        raise refused(asked, "add members")
    account = account_named(asked, who)
    capacity = _capacity(given, told)
    _write(asked, sort, one.id, account, capacity)
    return _membership(one, str(account.id), "user", capacity.value)


def _leave(asked: Asked, sort: TeamSort, one: Organization, who: str) -> None:
    if not may_lead(asked.principal, sort, one.name).allowed:
        raise refused(asked, f"edit {sort} {one.id}")
    account = account_named(asked, who)
    with asked.catalog.database.keeping() as connection:
        accounts.leave(connection, sort, one.id, account.id)
        _note(connection, asked, f"left {sort}", account)


def _write(asked: Asked, circle: Circle, target: Any, account: accounts.Account, capacity: Capacity) -> None:
    with asked.catalog.database.keeping() as connection:
        accounts.join(connection, circle, target, account.id, capacity)
        _note(connection, asked, f"joined {circle}", account)


def _note(connection: Connection, asked: Asked, kind: str, account: accounts.Account) -> None:
    who = accounts.of(connection, asked.principal)
    activities.note(connection, Deed(who, kind, account.id, account.name, {"actor": who.name}))


def _capacity(given: str, told: str) -> Capacity:
    if not given:
        raise Invalid({told: ["Missing value"]})
    try:
        return Capacity(given.lower())
    except ValueError:
        raise Invalid({told: ["role does not exist."]}) from None


def _membership(one: Organization, thing: str, kind: str, capacity: str) -> dict[str, Any]:
    return {
        "id": f"{one.id}/{thing}",
        "group_id": str(one.id),
        "table_id": thing,
        "table_name": kind,
        "capacity": capacity,
        "state": "active",
    }


def _collaborator(one: accounts.Member) -> dict[str, Any]:
    return {
        "package_id": str(one.target),
        "user_id": str(one.account.id),
        "capacity": one.capacity.value,
        "modified": stamp(one.modified),
    }


MEMBER_READS = {
    "member_list": member_list,
    "member_roles_list": member_roles_list,
    "package_collaborator_list": package_collaborator_list,
    "package_collaborator_list_for_user": package_collaborator_list_for_user,
}
MEMBER_WRITES = {
    "member_create": member_create,
    "member_delete": member_delete,
    "organization_member_create": organization_member_create,
    "organization_member_delete": organization_member_delete,
    "group_member_create": group_member_create,
    "group_member_delete": group_member_delete,
    "package_collaborator_create": package_collaborator_create,
    "package_collaborator_delete": package_collaborator_delete,
}
