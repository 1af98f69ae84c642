"""CKAN's read actions on the catalogue: each action is a function, and its name in the table is its name in the API."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from stadthub_catalog import packages
from stadthub_catalog.asked import MOST, Asked, first_packages, groups, keyword
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Entry
from stadthub_catalog.lookups import LOOKUPS
from stadthub_catalog.package_search import package_search
from stadthub_catalog.parameters import flag, natural, required, text
from stadthub_catalog.refusals import Invalid, Missing, NotAuthorized, UnknownAction
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY, Action, Principal, may
from stadthub_schemas.errors import NotFound
from stadthub_schemas.vocabularies import LICENSES

#: The CKAN whose API this is; clients look at it to know what they may ask.
CKAN_VERSION = "2.12.0"

#: Lists with all fields are cut here, as CKAN does.
_MOST_WITH_FIELDS = 25


def call(catalog: Catalog, action: str, parameters: Mapping[str, Any], principal: Principal, site: Site) -> Any:
    """The `result` of an action; a Refusal in CKAN's words, UnknownAction if there is no such action."""
    if action not in ACTIONS:
        raise UnknownAction(f"Action name not known: {action}")
    return ACTIONS[action](Asked(catalog.shelf, parameters, principal, site))


def _search(asked: Asked) -> dict[str, Any]:
    """Search for datasets.

    q: words, or a query in Solr's language; fq, fq_list: filters; sort, rows, start; facet.field, facet.limit,
    facet.mincount; include_private: also what the caller's token may see; fl: only these keys.
    """
    return package_search(asked.shelf, asked.parameters, asked.principal, asked.site)


def _package_show(asked: Asked) -> dict[str, Any]:
    """One dataset with its resources.

    id: the name or the id of the dataset.
    """
    wanted = required(asked.parameters, "id", "name_or_id", told="name_or_id")
    return packages.package(_readable(asked, wanted), asked.site)


def _package_list(asked: Asked) -> list[str]:
    """The names of all public datasets.

    limit, offset: a part of them.
    """
    found = list(asked.shelf.visible(ANYBODY))
    limit, offset = natural(asked.parameters, "limit", 0), natural(asked.parameters, "offset", 0)
    return found[offset : offset + limit] if "limit" in asked.parameters else found[offset:]


def _current_package_list(asked: Asked) -> list[dict[str, Any]]:
    """All datasets with their resources, the last changed first.

    limit, offset: a part of them; page: instead of offset, from 1.
    """
    limit, offset = natural(asked.parameters, "limit", MOST), natural(asked.parameters, "offset", 0)
    if "page" in asked.parameters:
        page = natural(asked.parameters, "page", 1)
        if page < 1:
            raise Invalid({"message": "Must be larger than 0"})
        offset = (page - 1) * limit
    found = sorted(asked.visible(), key=lambda entry: entry.modified, reverse=True)
    return [packages.package(entry, asked.site) for entry in found[offset : offset + min(limit, MOST)]]


def _resource_show(asked: Asked) -> dict[str, Any]:
    """One resource of a dataset.

    id: the id of the resource.
    """
    wanted = required(asked.parameters, "id", told="id")
    try:
        entry, one = asked.shelf.distribution(wanted)
    except NotFound as error:
        raise Missing from error
    if not may(asked.principal, Action.SEE, entry.dataset).allowed:
        raise _forbidden(asked.principal, f"read resource {wanted}")
    return packages.resource(entry, one, entry.distributions.index(one), asked.site)


def _organization_list(asked: Asked) -> list[Any]:
    """The organisations that have published something.

    all_fields: dicts instead of names; sort: name, package_count or title, with asc or desc; limit, offset; organizations: only these.
    """
    counts = Counter(entry.organization for entry in asked.visible())
    return _listed(asked, [packages.organization(one, count) for one, count in counts.items()], "organizations")


def _group_list(asked: Asked) -> list[Any]:
    """The themes in which there are datasets.

    all_fields: dicts instead of names; sort: name, package_count or title, with asc or desc; limit, offset; groups: only these.
    """
    return _listed(asked, groups(asked), "groups")


def _organization_show(asked: Asked) -> dict[str, Any]:
    """One organisation.

    id: its name or id; include_datasets: with its first datasets.
    """
    wanted = required(asked.parameters, "id", told="id")
    found = [entry for entry in asked.visible() if wanted in (entry.organization.name, str(entry.organization.id))]
    if not found:
        raise Missing
    return _shown(asked, packages.organization(found[0].organization, len(found)), found)


def _group_show(asked: Asked) -> dict[str, Any]:
    """One theme as a group.

    id: its name or id; include_datasets: with its first datasets.
    """
    wanted = required(asked.parameters, "id", told="id")
    group = next((group for group in groups(asked) if wanted in (group["name"], group["id"])), None)
    if group is None:
        raise Missing
    found = [entry for entry in asked.visible() if group["name"] in map(packages.theme_name, entry.dataset.metadata.themes)]
    return _shown(asked, group, found)


def _tag_list(asked: Asked) -> list[Any]:
    """The keywords of all datasets.

    query: only those that hold this text; all_fields: dicts instead of names.
    """
    if text(asked.parameters, "vocabulary_id"):
        raise Missing(f'Not found: Could not find vocabulary "{text(asked.parameters, "vocabulary_id")}"')
    part = text(asked.parameters, "query").casefold()
    names = sorted({name for entry in asked.visible() for name in entry.dataset.metadata.keywords if part in name.casefold()})
    return [keyword(name) for name in names] if flag(asked.parameters, "all_fields") else names


def _tag_show(asked: Asked) -> dict[str, Any]:
    """One keyword.

    id: its name or id; include_datasets: with the datasets that bear it.
    """
    wanted = required(asked.parameters, "id", told="id")
    keywords = sorted({name for entry in asked.visible() for name in entry.dataset.metadata.keywords})
    name = next((name for name in keywords if wanted in (name, packages.tag(name)["id"])), None)
    if name is None:
        raise Missing
    found = [entry for entry in asked.visible() if name in entry.dataset.metadata.keywords]
    listed = {"packages": first_packages(asked, found)} if flag(asked.parameters, "include_datasets") else {}
    return {**keyword(name), **listed}


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
    if name not in ACTIONS:
        raise Missing(f'Not found: Action "{name}" was not found.')
    return str(ACTIONS[name].__doc__)


ACTIONS: dict[str, Callable[[Asked], Any]] = {
    "package_search": _search,
    "package_show": _package_show,
    "package_list": _package_list,
    "current_package_list_with_resources": _current_package_list,
    "resource_show": _resource_show,
    "organization_list": _organization_list,
    "organization_show": _organization_show,
    "group_list": _group_list,
    "group_show": _group_show,
    "tag_list": _tag_list,
    "tag_show": _tag_show,
    "license_list": _license_list,
    "status_show": _status_show,
    "help_show": _help_show,
    **LOOKUPS,
}


def _readable(asked: Asked, wanted: str) -> Entry:
    """The entry of that name or id; Missing, or NotAuthorized if the caller may not see it."""
    try:
        entry = asked.shelf.entry(wanted)
    except NotFound:
        raise _absent(asked, wanted) from None
    if not may(asked.principal, Action.SEE, entry.dataset).allowed:
        raise _forbidden(asked.principal, f"read package {entry.id}")
    return entry


def _absent(asked: Asked, wanted: str) -> Missing | NotAuthorized:
    """Why there is no such dataset to be read: CKAN says of one that is a draft, deleted or withdrawn that it may not be read."""
    try:
        return _forbidden(asked.principal, f"read package {asked.shelf.hidden(wanted).id}")
    except NotFound:
        return Missing()


def _forbidden(principal: Principal, what: str) -> NotAuthorized:
    """CKAN's sentence; the name of nobody is empty in it."""
    return NotAuthorized(f"Access denied: User {principal.name} not authorized to {what}")


def _listed(asked: Asked, every: list[dict[str, Any]], choice: str) -> list[Any]:
    """Names or dicts of organisations or groups, sorted and cut as CKAN does."""
    with_fields = flag(asked.parameters, "all_fields")
    chosen = asked.parameters.get(choice)
    if chosen:
        wanted = set(chosen if isinstance(chosen, list) else str(chosen).strip("[]").replace('"', "").replace(" ", "").split(","))
        every = [one for one in every if one["name"] in wanted]
    ordered = _sorted(every, text(asked.parameters, "sort") or "title asc")
    most = _MOST_WITH_FIELDS if with_fields else MOST
    limit, offset = min(natural(asked.parameters, "limit", most), most), natural(asked.parameters, "offset", 0)
    part = ordered[offset : offset + limit]
    if not with_fields:
        return [one["name"] for one in part]
    more: dict[str, list[Any]] = {key: [] for key in ("extras", "tags", "groups", "users") if flag(asked.parameters, f"include_{key}")}
    return [{**one, **more} for one in part]


def _sorted(every: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    field, _, direction = sort.strip().partition(" ")
    if field not in ("name", "packages", "package_count", "title"):
        raise Invalid({"message": f"Cannot sort by field `{field}`"})
    key = "package_count" if field == "packages" else field
    down = direction.strip().lower() == "desc" or (not direction and key == "package_count")
    return sorted(every, key=lambda one: one[key] if key == "package_count" else str(one[key]).casefold(), reverse=down)


def _shown(asked: Asked, one: dict[str, Any], found: list[Entry]) -> dict[str, Any]:
    """An organisation or group with what only its own page has."""
    listed = {"packages": first_packages(asked, found)} if flag(asked.parameters, "include_datasets") else {}
    return {**one, **listed, "users": [], "extras": [], "groups": []}
