"""CKAN's actions that read organisations and groups: lists and pages of them, and where the caller may do what."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from stadthub_catalog import packages
from stadthub_catalog.asked import MOST, Asked, first_packages
from stadthub_catalog.belongings import follower_count
from stadthub_catalog.entry import Entry, Organization, State
from stadthub_catalog.parameters import flag, natural, required, text
from stadthub_catalog.permits import refused, team
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.teams import TABLES, TeamSort
from stadthub_catalog.user_words import shown_members
from stadthub_schemas.access import Capacity, may_lead, runs
from stadthub_schemas.vocabularies import THEMES

#: Lists with all fields are cut here, as CKAN does.
_MOST_WITH_FIELDS = 25


def in_team(asked: Asked, sort: TeamSort, name: str) -> list[Entry]:
    """The datasets of an organisation or group that the caller may know of, by name."""
    return [entry for entry in asked.visible() if name in _teams_of(entry, sort)]


def _teams_of(entry: Entry, sort: TeamSort) -> set[str]:
    if sort == "organization":
        return {entry.organization.name}
    themes = {packages.theme_name(theme) for theme in entry.dataset.metadata.themes}
    return themes | set((entry.document or {}).get("groups", ())) | set(entry.dataset.metadata.groups or ())


def all_teams(asked: Asked, sort: TeamSort) -> list[dict[str, Any]]:
    """All organisations, or all groups and the themes in which there are datasets, with how many datasets the caller may know of."""
    visible = asked.visible()
    counts = Counter(name for entry in visible for name in _teams_of(entry, sort))
    own = asked.shelf.organizations() if sort == "organization" else asked.shelf.groups()
    found = [packages.team(one, sort, counts[one.name]) for one in own.values() if one.state is State.ACTIVE]
    if sort == "organization":
        return [one for one in found if one["package_count"] or _is_shown_empty(asked, own[one["name"]])]
    first: dict[str, datetime] = {}
    for entry in visible:
        for theme in entry.dataset.metadata.themes:
            first[theme] = min(entry.created, first.get(theme, entry.created))
    return found + [packages.group(theme, counts[packages.theme_name(theme)], made) for theme, made in first.items()]


def _is_shown_empty(asked: Asked, one: Organization) -> bool:
    """An organisation without datasets is shown unless it only stands behind those that the caller may not know of."""
    return runs(asked.principal) or not any(entry.organization.id == one.id for entry in asked.shelf.entries())


def _list(sort: TeamSort, asked: Asked) -> list[Any]:
    with_fields = flag(asked.parameters, "all_fields")
    every = all_teams(asked, sort)
    chosen = asked.parameters.get(f"{sort}s")
    if chosen:
        wanted = set(chosen if isinstance(chosen, list) else str(chosen).strip("[]").replace('"', "").replace(" ", "").split(","))
        every = [one for one in every if one["name"] in wanted]
    ordered = _sorted(every, text(asked.parameters, "sort") or "title asc")
    most = _MOST_WITH_FIELDS if with_fields else MOST
    limit, offset = min(natural(asked.parameters, "limit", most), most), natural(asked.parameters, "offset", 0)
    part = ordered[offset : offset + limit]
    if not with_fields:
        return [one["name"] for one in part]
    more = [key for key in ("extras", "tags", "groups", "users") if flag(asked.parameters, f"include_{key}")]
    return [{**one, **{key: _more(asked, sort, one, key) for key in more}} for one in part]


def _more(asked: Asked, sort: TeamSort, one: Mapping[str, Any], key: str) -> list[Any]:
    own = (asked.shelf.organizations() if sort == "organization" else asked.shelf.groups()).get(one["name"])
    if own is None or key in ("tags", "groups"):
        return []
    return packages.team_extras(own) if key == "extras" else shown_members(asked, sort, own)


def _sorted(every: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    field, _, direction = sort.strip().partition(" ")
    if field not in ("name", "packages", "package_count", "title"):
        raise Invalid({"message": f"Cannot sort by field `{field}`"})
    key = "package_count" if field == "packages" else field
    down = direction.strip().lower() == "desc" or (not direction and key == "package_count")
    return sorted(every, key=lambda one: one[key] if key == "package_count" else str(one[key]).casefold(), reverse=down)


def _show(sort: TeamSort, asked: Asked) -> dict[str, Any]:
    wanted = required(asked.parameters, "id", told="id")
    if sort == "group" and (one_theme := theme(asked, wanted)) is not None:
        return _whole(asked, sort, one_theme, None)
    one = team(asked, sort, wanted)
    if one.state is not State.ACTIVE and not may_lead(asked.principal, sort, one.name).allowed:
        raise refused(asked, f"read {sort} {one.id}")
    found = in_team(asked, sort, one.name)
    if sort == "organization" and not found and not _is_shown_empty(asked, one):
        raise Missing
    return _whole(asked, sort, packages.team(one, sort, len(found)), one)


def theme(asked: Asked, wanted: str) -> dict[str, Any] | None:
    """The theme of that name or id as a group, also where no dataset has it; None if there is none."""
    code = next((one for one in THEMES if wanted in (packages.theme_name(one), str(packages.theme_id(one)))), None)
    if code is None:
        return None
    having = [entry for entry in asked.visible() if code in entry.dataset.metadata.themes]
    return packages.group(code, len(having), min((entry.created for entry in having), default=datetime.fromtimestamp(0, UTC)))


def _whole(asked: Asked, sort: TeamSort, told: dict[str, Any], own: Organization | None) -> dict[str, Any]:
    """An organisation or group with what only its own page has."""
    listed = {"packages": first_packages(asked, in_team(asked, sort, told["name"]))} if flag(asked.parameters, "include_datasets") else {}
    followers = {"num_followers": follower_count(asked.catalog.database, own.id)} if own is not None else {}
    # left out where they are not wanted: what is given back then says nothing of who belongs there
    users = {"users": shown_members(asked, sort, own) if own is not None else []} if flag(asked.parameters, "include_users", "true") else {}
    extras = packages.team_extras(own) if own is not None else []
    return {**told, **followers, **listed, **users, "extras": extras, "groups": []}


def _mine(sort: TeamSort, asked: Asked) -> list[dict[str, Any]]:
    """Those in which the caller may do something."""
    least = {"read": 0, "create_dataset": 1, "update_dataset": 1, "delete_dataset": 1, "manage_group": 0, "admin": 2, "membership": 2}
    needed = least.get(text(asked.parameters, "permission") or ("manage_group" if sort == "organization" else "read"), 2)
    mine = {
        one.name: one.capacity for one in asked.principal.memberships if one.circle == sort and list(Capacity).index(one.capacity) >= needed
    }
    if runs(asked.principal):
        mine = dict.fromkeys((one["name"] for one in all_teams(asked, sort)), Capacity.ADMIN)
    return [{**one, "capacity": mine[one["name"]].value} for one in all_teams(asked, sort) if one["name"] in mine]


def both(function: Callable[[TeamSort, Asked], Any], doc: str) -> dict[TeamSort, Callable[[Asked], Any]]:
    """The action for organisations and for groups, each with its help."""
    made: dict[TeamSort, Callable[[Asked], Any]] = {}
    for sort in TABLES:
        action = partial(function, sort)
        action.__doc__ = doc.format(team=sort)  # what `help_show` tells
        made[sort] = action
    return made


_DOCS: dict[str, tuple[Callable[[TeamSort, Asked], Any], str]] = {
    "list": (
        _list,
        "All {team}s.\n\nall_fields: dicts instead of names; sort: name, package_count or title, with asc or desc; limit, offset; "
        "{team}s: only these; include_extras, include_users.",
    ),
    "show": (
        _show,
        "One {team}.\n\nid: its name or id; include_datasets: with its first datasets; include_users: with its members, for those who "
        "may know them.",
    ),
}
_MINE = both(_mine, "The {team}s in which you may do something.\n\npermission: what (read, create_dataset, update_dataset, admin, …).")

TEAM_READS: dict[str, Callable[[Asked], Any]] = {
    **{f"{sort}_{name}": made for name, (function, doc) in _DOCS.items() for sort, made in both(function, doc).items()},
    "organization_list_for_user": _MINE["organization"],
    "group_list_authz": _MINE["group"],
}
