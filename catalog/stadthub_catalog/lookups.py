"""CKAN's smaller questions to the catalogue: completions, search in resources and keywords, vocabularies, what is in a group."""

from collections.abc import Callable, Iterable
from typing import Any

from stadthub_catalog import packages
from stadthub_catalog.asked import MOST, Asked, first_packages
from stadthub_catalog.entry import Entry
from stadthub_catalog.parameters import natural, required, text
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.team_reads import all_teams, in_team
from stadthub_catalog.teams import TeamSort
from stadthub_catalog.vocabulary_actions import vocabulary
from stadthub_schemas.vocabularies import FORMATS

#: How many completions are given if nobody says.
_FEW = 10

#: What `resource_search` tells of a resource, in its order.
_TOLD = (
    "id",
    "package_id",
    "url",
    "format",
    "description",
    "hash",
    "position",
    "name",
    "resource_type",
    "mimetype",
    "mimetype_inner",
    "size",
    "created",
    "last_modified",
    "metadata_modified",
    "cache_url",
    "cache_last_updated",
    "url_type",
    "state",
)

#: The fields of a resource that can be searched.
_SEARCHED = ("name", "url", "format", "description", "hash", "mimetype", "resource_type")


def package_autocomplete(asked: Asked) -> list[dict[str, Any]]:
    """Datasets whose title or name holds the text, those that begin with it first.

    q: the text; limit: how many, 10 if it is not given.
    """
    found = _begun(asked, ((entry.name, entry.dataset.metadata.title) for entry in asked.visible()), "q", "query")
    return [
        {
            "name": name,
            "title": title,
            "match_field": "title" if _is_in(asked, title) else "name",
            "match_displayed": f"{title} ({name})" if title != name else name,
        }
        for name, title in found
    ]


def organization_autocomplete(asked: Asked) -> list[dict[str, Any]]:
    """Organisations whose title or name holds the text.

    q: the text; limit: how many, 20 at the most.
    """
    return _teams(asked, "organization")


def group_autocomplete(asked: Asked) -> list[dict[str, Any]]:
    """Groups whose title or name holds the text.

    q: the text; limit: how many, 20 at the most.
    """
    return _teams(asked, "group")


def tag_autocomplete(asked: Asked) -> list[str]:
    """Keywords that hold the text.

    query: the text; limit: how many, 10 if it is not given.
    """
    return [name for name, _ in _begun(asked, ((name, name) for name in _keywords(asked)), "query", "q")]


def format_autocomplete(asked: Asked) -> list[str]:
    """Formats of resources that begin like the text, in small letters.

    q: the text; limit: how many, 5 if it is not given.
    """
    there = {FORMATS[one.format].title if one.format in FORMATS else one.format for one in _files(asked.visible()) if one.format}
    return [name.lower() for name, _ in _begun(asked, ((name, name) for name in there), "q")]


def tag_search(asked: Asked) -> dict[str, Any]:
    """Keywords that hold any of the texts.

    query: one text or several; offset, limit: a part of them.
    """
    wanted = [one.casefold() for one in _texts(asked, "query", "q") if one.strip()]
    found = [name for name in _keywords(asked) if any(one in name.casefold() for one in wanted)]
    offset, limit = natural(asked.parameters, "offset", 0), natural(asked.parameters, "limit", MOST)
    part = [{"id": packages.tag(name)["id"], "name": name, "vocabulary_id": None} for name in found[offset : offset + limit]]
    return {"count": len(found), "results": part}


def resource_search(asked: Asked) -> dict[str, Any]:
    """Resources in whose field the text stands, whatever its letters' size.

    query: `field:text`, one or several, which must all hold; order_by: a field; offset, limit: a part of them.
    """
    if not asked.parameters.get("query"):
        raise Invalid({"query": "Missing value"})
    conditions = [_condition(one) for one in _texts(asked, "query")]
    found = [
        resource
        for entry in asked.visible()
        for resource in asked.package(entry)["resources"]
        if all(wanted in str(resource.get(field) or "").casefold() for field, wanted in conditions)
    ]
    order = text(asked.parameters, "order_by")
    if order and order not in _SEARCHED and order not in ("created", "last_modified", "id"):
        raise Invalid({"order_by": f'Field "{order}" not recognised in resource_search.'})
    if order:
        found.sort(key=lambda resource: str(resource.get(order) or ""))
    offset, limit = natural(asked.parameters, "offset", 0), natural(asked.parameters, "limit", MOST)
    return {"count": len(found), "results": [{name: one.get(name) for name in _TOLD} for one in found[offset : offset + limit]]}


def group_package_show(asked: Asked) -> list[dict[str, Any]]:
    """The datasets of a group.

    id: its name or id; limit: how many at the most.
    """
    wanted = required(asked.parameters, "id", told="id")
    group = next((one for one in all_teams(asked, "group") if wanted in (one["name"], one["id"])), None)
    if group is None:
        raise Missing
    found = in_team(asked, "group", group["name"])
    return first_packages(asked, found[: natural(asked.parameters, "limit", MOST)])


def term_translation_show(_: Asked) -> list[Any]:
    """Translations of terms: this hub keeps its two languages with the words themselves.

    terms: the terms.
    """
    return []


LOOKUPS: dict[str, Callable[[Asked], Any]] = {
    "package_autocomplete": package_autocomplete,
    "organization_autocomplete": organization_autocomplete,
    "group_autocomplete": group_autocomplete,
    "tag_autocomplete": tag_autocomplete,
    "format_autocomplete": format_autocomplete,
    "tag_search": tag_search,
    "resource_search": resource_search,
    "group_package_show": group_package_show,
    "term_translation_show": term_translation_show,
}


def _teams(asked: Asked, sort: TeamSort) -> list[dict[str, Any]]:
    there = {one["name"]: one for one in all_teams(asked, sort)}
    found = _begun(asked, ((name, one["title"]) for name, one in there.items()), "q")
    return [{"id": there[name]["id"], "name": name, "title": title} for name, title in found]


def _begun(asked: Asked, pairs: Iterable[tuple[str, str]], *spellings: str) -> list[tuple[str, str]]:
    """The (name, title) pairs that hold the text, those that begin with it first."""
    wanted = required(asked.parameters, *spellings, told=spellings[0]).casefold()
    found = [pair for pair in pairs if any(wanted in word.casefold() for word in pair)]
    found.sort(key=lambda pair: (not any(word.casefold().startswith(wanted) for word in pair), pair[1].casefold(), pair[0]))
    return found[: natural(asked.parameters, "limit", _FEW)]


def _is_in(asked: Asked, title: str) -> bool:
    return text(asked.parameters, "q", text(asked.parameters, "query")).casefold() in title.casefold()


def _keywords(asked: Asked) -> list[str]:
    wanted = text(asked.parameters, "vocabulary_id")
    if wanted:
        return [one["name"] for one in vocabulary(asked, wanted)["tags"]]
    return sorted({name for entry in asked.visible() for name in entry.dataset.metadata.keywords})


def _files(entries: Iterable[Entry]) -> Iterable[Any]:
    return (one for entry in entries for one in entry.distributions)


def _texts(asked: Asked, *spellings: str) -> list[str]:
    """The texts of a parameter that may be repeated; Invalid if it is missing."""
    value = next((asked.parameters[name] for name in spellings if asked.parameters.get(name)), None)
    if value is None:
        raise Invalid({spellings[0]: ["Missing value"]})
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _condition(said: str) -> tuple[str, str]:
    """The field and the text of one condition; Invalid as CKAN says it."""
    field, colon, wanted = said.partition(":")
    if not colon:
        raise Invalid({"query": "Must be <field>:<value> pair(s)"})
    if field not in _SEARCHED:
        raise Invalid({"query": f'Field "{field}" not recognised in resource_search.'})
    return field, wanted.casefold()
