"""CKAN's action API on the catalogue: one table says which action is which function, and its name there is its name in the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from stadthub_catalog import packages
from stadthub_catalog.activity_actions import ACTIVITY_READS, ACTIVITY_WRITES
from stadthub_catalog.asked import Asked
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.follow_actions import FOLLOW_READS, FOLLOW_WRITES
from stadthub_catalog.lookups import LOOKUPS
from stadthub_catalog.member_actions import MEMBER_READS, MEMBER_WRITES
from stadthub_catalog.package_reads import PACKAGE_READS
from stadthub_catalog.package_writes import WRITES
from stadthub_catalog.parameters import required
from stadthub_catalog.refusals import Missing, NotAuthorized, UnknownAction, WrongMethod
from stadthub_catalog.refused_actions import REFUSED_READS, REFUSED_WRITES
from stadthub_catalog.relationship_actions import RELATIONSHIP_READS, RELATIONSHIP_WRITES
from stadthub_catalog.resource_writes import RESOURCE_WRITES
from stadthub_catalog.revising import package_revise
from stadthub_catalog.site import Site
from stadthub_catalog.team_reads import TEAM_READS
from stadthub_catalog.team_writes import TEAM_WRITES
from stadthub_catalog.uploads import Uploads
from stadthub_catalog.user_actions import USER_READS, USER_WRITES
from stadthub_catalog.view_actions import VIEW_READS, VIEW_WRITES
from stadthub_catalog.vocabulary_actions import VOCABULARY_READS, VOCABULARY_WRITES
from stadthub_schemas.access import Principal
from stadthub_schemas.vocabularies import LICENSES

Action = Callable[[Asked], Any]

#: The CKAN whose API this is; clients look at it to know what they may ask.
CKAN_VERSION = "2.12.0"

#: Writing actions that say themselves, in their own sentence, that nobody may do this.
_ANSWER_NOBODY = frozenset({"package_create", "package_update", "package_patch", "package_revise", "resource_update", "resource_patch"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What an action answers, and the packages that it really changed."""

    result: Any
    changed: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class More:
    """Actions of other rooms beside the catalogue's own. They say themselves who may do what, and answer JSON as bytes or a value."""

    reading: Mapping[str, Action] = field(default_factory=dict)
    writing: Mapping[str, Action] = field(default_factory=dict)


NOTHING_MORE = More()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, whether in a way in which nothing may be changed (GET), and what can be called beside the catalogue's own actions."""

    principal: Principal
    only_reads: bool = False
    more: More = NOTHING_MORE


def answer(catalog: Catalog, action: str, parameters: Mapping[str, Any], caller: Caller, site: Site, uploads: Uploads | None) -> Answer:
    """What an action answers; a Refusal in CKAN's words, UnknownAction if there is no such action, WrongMethod if it may not be called so."""
    more = caller.more
    known: Mapping[str, Action] = {**ACTIONS, **more.reading, **more.writing} if more is not NOTHING_MORE else ACTIONS
    if action not in known:
        raise UnknownAction(f"Action name not known: {action}")
    writes = action in WRITING or action in more.writing
    if writes and caller.only_reads:
        raise WrongMethod("JSON Error: Invalid request. Please use POST method for your request")
    if writes and caller.principal.role is None and action not in _ANSWER_NOBODY | set(REFUSED_WRITES) | set(more.writing):
        raise NotAuthorized(f"Access denied: Action {action} requires an authenticated user")
    asked = Asked(catalog, parameters, caller.principal, site, uploads, actions=known)
    with catalog.shelf.steady():
        return Answer(known[action](asked), tuple(asked.changed))


def call(catalog: Catalog, action: str, parameters: Mapping[str, Any], principal: Principal, site: Site) -> Any:
    """The `result` of an action that needs no files."""
    return answer(catalog, action, parameters, Caller(principal), site, None).result


def _license_list(_: Asked) -> list[dict[str, Any]]:
    """The licences that datasets may have."""
    return [packages.license_(one) for one in LICENSES.values()]


def _status_show(asked: Asked) -> dict[str, Any]:
    """What this site is, and the API of which CKAN it speaks."""
    return {
        "site_title": asked.site.title,
        "site_description": "",
        "site_url": asked.site.url,
        "error_emails_to": asked.site.contact or None,
        "locale_default": "de",
        "extensions": [],
        "ckan_version": CKAN_VERSION,
        "stadthub_version": asked.site.version,
    }


def _help_show(asked: Asked) -> str:
    """What an action does.

    name: the name of the action.
    """
    name = required(asked.parameters, "name", told="name")
    if name not in asked.actions:
        raise Missing(f'Not found: Action "{name}" was not found.')
    return str(asked.actions[name].__doc__)


#: Those that may be called by GET.
READING: dict[str, Action] = {
    **PACKAGE_READS,
    **TEAM_READS,
    "license_list": _license_list,
    "status_show": _status_show,
    "help_show": _help_show,
    **LOOKUPS,
    **USER_READS,
    **MEMBER_READS,
    **FOLLOW_READS,
    **ACTIVITY_READS,
    **VIEW_READS,
    **VOCABULARY_READS,
    **RELATIONSHIP_READS,
    **REFUSED_READS,
}

#: Those that change something.
WRITING: dict[str, Action] = {
    **WRITES,
    "package_revise": package_revise,
    **RESOURCE_WRITES,
    **TEAM_WRITES,
    **USER_WRITES,
    **MEMBER_WRITES,
    **FOLLOW_WRITES,
    **ACTIVITY_WRITES,
    **VIEW_WRITES,
    **VOCABULARY_WRITES,
    **RELATIONSHIP_WRITES,
    **REFUSED_WRITES,
}

ACTIONS: dict[str, Action] = {**READING, **WRITING}
