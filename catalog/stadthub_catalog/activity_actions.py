"""CKAN's streams of activities: what was written of a dataset, an organisation, a group, by a user, and what one follows."""

import difflib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement

from stadthub_catalog import accounts, activities
from stadthub_catalog.activities import Activity
from stadthub_catalog.asked import Asked
from stadthub_catalog.entry import State
from stadthub_catalog.packages import stamp
from stadthub_catalog.parameters import flag, natural, required, text
from stadthub_catalog.permits import readable, refused, team, writes
from stadthub_catalog.refusals import Invalid, Missing, NotAuthorized
from stadthub_catalog.user_words import account_named
from stadthub_schemas.access import Action, may, runs
from stadthub_schemas.errors import NotFound

_FEW, _MOST = 31, 100

#: What of others than datasets everybody may know of; what is done to users is known to themselves and to those who run the hub.
_OPEN = frozenset(f"{what} {team}" for what in ("new", "changed") for team in ("organization", "group"))


def package_activity_list(asked: Asked) -> list[dict[str, Any]]:
    """What was done to a dataset, newest first.

    id: its name or id; limit, offset: a part of it; include_hidden_activity, activity_types, exclude_activity_types.
    """
    return _stream(asked, activities.of_targets([readable(asked, required(asked.parameters, "id", told="id")).id]))


def organization_activity_list(asked: Asked) -> list[dict[str, Any]]:
    """What was done to an organisation and its datasets, newest first.

    id: its name or id; limit, offset: a part of it.
    """
    return _stream(asked, activities.of_targets([team(asked, "organization", required(asked.parameters, "id", told="id")).id]))


def group_activity_list(asked: Asked) -> list[dict[str, Any]]:
    """What was done to a group, newest first.

    id: its name or id; limit, offset: a part of it.
    """
    return _stream(asked, activities.of_targets([team(asked, "group", required(asked.parameters, "id", told="id")).id]))


def user_activity_list(asked: Asked) -> list[dict[str, Any]]:
    """What a user did, newest first: for himself and for those who run the hub.

    id: its name or id; limit, offset: a part of it.
    """
    wanted = required(asked.parameters, "id", told="id")
    if asked.principal.role is None or (wanted not in (asked.principal.name, str(asked.account().id)) and not runs(asked.principal)):
        raise refused(asked, f"read the activities of user {wanted}")
    return _stream(asked, activities.of_account(account_named(asked, wanted).id))


def recently_changed_packages_activity_list(asked: Asked) -> list[dict[str, Any]]:
    """What was done to datasets of the hub, newest first.

    limit, offset: a part of it.
    """
    return _stream(asked, activities.of_packages())


def dashboard_activity_list(asked: Asked) -> list[dict[str, Any]]:
    """What was done to what you follow, newest first.

    limit, offset: a part of it.
    """
    who = _signed_in(asked)
    return [{**one, "is_new": who.seen is None or one["timestamp"] > (stamp(who.seen) or "")} for one in _stream(asked, _dashboard(who))]


def dashboard_new_activities_count(asked: Asked) -> int:
    """How much was done to what you follow since you last looked."""
    who = _signed_in(asked)
    return activities.count_since(asked.catalog.database, _dashboard(who), who.seen)


def dashboard_mark_activities_old(asked: Asked) -> None:
    """You have looked at your dashboard."""
    who = _signed_in(asked)
    with asked.catalog.database.keeping() as connection:
        accounts.write(connection, replace(who, seen=datetime.now(UTC)))


def activity_show(asked: Asked) -> dict[str, Any]:
    """One activity.

    id: its id; include_data: with what it was about, as it was then.
    """
    return _told(_one(asked), with_data=flag(asked.parameters, "include_data", "true"))


def activity_data_show(asked: Asked) -> Any:
    """What an activity was about, as it was then.

    id: its id; object_type: package, group or organization.
    """
    body = _one(asked).body
    kind = text(asked.parameters, "object_type")
    if not kind:
        return body
    if kind not in body:
        raise Missing
    return body[kind]


def activity_diff(asked: Asked) -> dict[str, Any]:
    """What an activity changed: the two states of its object, and their difference.

    id: its id; object_type: package, group or organization; diff_type: unified, context or html.
    """
    one = _one(asked)
    kind = required(asked.parameters, "object_type", told="object_type")
    before = activities.before(asked.catalog.database, one)
    if kind not in one.body or before is None:
        raise Missing("Not found: there is no activity before this one to compare with")
    old, new = (
        json.dumps(body.get(kind, {}), indent=2, sort_keys=True, ensure_ascii=False).splitlines() for body in (before.body, one.body)
    )
    how = text(asked.parameters, "diff_type") or "unified"
    if how == "html":
        diff = difflib.HtmlDiff().make_table(old, new, context=True)
    elif how in ("unified", "context"):
        differ = difflib.unified_diff if how == "unified" else difflib.context_diff
        diff = "\n".join(differ(old, new, lineterm=""))
    else:
        raise Invalid({"message": "diff_type not recognized"})
    return {"diff": diff, "activities": [_told(before, with_data=True), _told(one, with_data=True)]}


def activity_create(asked: Asked) -> Any:
    """Activities are made by what is done, never by hand."""
    raise NotAuthorized(f"Access denied: User {asked.principal.name} not authorized to create activities")


def _stream(asked: Asked, which: ColumnElement[bool]) -> list[dict[str, Any]]:
    """One part of a stream: what the caller may know of."""
    limit, offset = min(natural(asked.parameters, "limit", _FEW), _MOST), natural(asked.parameters, "offset", 0)
    kinds = _kinds(asked, "activity_types")
    without = _kinds(asked, "exclude_activity_types")
    told: list[dict[str, Any]] = []
    skipped, place = 0, 0
    while len(told) < limit:
        part = activities.stream(asked.catalog.database, which, _MOST, place)
        for one in part:
            if not _shows(asked, one) or (kinds and one.kind not in kinds) or one.kind in without:
                continue
            skipped += 1
            if skipped > offset and len(told) < limit:
                told.append(_told(one, with_data=True))
        place += len(part)
        if len(part) < _MOST:
            break
    return told


def _kinds(asked: Asked, name: str) -> list[str]:
    given = asked.parameters.get(name) or []
    return [str(one) for one in given] if isinstance(given, list) else [str(given)]


def _shows(asked: Asked, one: Activity) -> bool:
    """Whether the caller may know of it: as of its dataset now, and of one that was private then only if he may write it."""
    if not one.kind.endswith(" package"):
        return one.kind in _OPEN or runs(asked.principal) or one.body.get("actor") == asked.principal.name
    for look in (asked.shelf.entry, asked.shelf.hidden):
        try:
            entry = look(str(one.target))
        except NotFound:
            continue
        if writes(asked, entry):
            return True
        told = one.body.get("package") or {}
        was_open = told.get("state") == "active" and not told.get("private")
        return entry.state is State.ACTIVE and was_open and may(asked.principal, Action.SEE, entry.dataset).allowed
    return runs(asked.principal)


def _told(one: Activity, *, with_data: bool) -> dict[str, Any]:
    """An activity in CKAN's words; the name of who did it is not among what it tells."""
    data = {key: value for key, value in one.body.items() if key != "actor"}
    return {
        "id": str(one.id),
        "timestamp": stamp(one.time),
        "user_id": str(one.account),
        "object_id": str(one.target),
        "activity_type": one.kind,
        "data": data if with_data else {},
    }


def _one(asked: Asked) -> Activity:
    """The activity that is asked for, if the caller may know of it; Missing."""
    try:
        key = UUID(required(asked.parameters, "id", told="id"))
    except ValueError:
        raise Missing from None
    found = activities.one(asked.catalog.database, key)
    if found is None or not _shows(asked, found):
        raise Missing
    return found


def _dashboard(who: accounts.Account) -> ColumnElement[bool]:
    return activities.of_followed(who.id) | activities.of_account(who.id)


def _signed_in(asked: Asked) -> accounts.Account:
    if asked.principal.role is None:
        raise NotAuthorized("Access denied: You must be logged in to access your dashboard.")
    return asked.account()


ACTIVITY_READS = {
    "package_activity_list": package_activity_list,
    "organization_activity_list": organization_activity_list,
    "group_activity_list": group_activity_list,
    "user_activity_list": user_activity_list,
    "recently_changed_packages_activity_list": recently_changed_packages_activity_list,
    "dashboard_activity_list": dashboard_activity_list,
    "dashboard_new_activities_count": dashboard_new_activities_count,
    "activity_show": activity_show,
    "activity_data_show": activity_data_show,
    "activity_diff": activity_diff,
}
ACTIVITY_WRITES = {
    "activity_create": activity_create,
    "dashboard_mark_activities_old": dashboard_mark_activities_old,
}
