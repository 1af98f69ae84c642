"""CKAN's actions that read packages, their resources and their keywords."""

from typing import Any

from stadthub_catalog.asked import MOST, Asked, first_packages, keyword
from stadthub_catalog.entry import State
from stadthub_catalog.package_search import package_search
from stadthub_catalog.packages import tag
from stadthub_catalog.parameters import flag, natural, required, text
from stadthub_catalog.permits import owning, readable, refused, shows, writes
from stadthub_catalog.refusals import Invalid, Missing
from stadthub_catalog.relationship_actions import shown
from stadthub_catalog.vocabulary_actions import vocabulary
from stadthub_schemas.access import ANYBODY

_INCLUDE = {State.DRAFT: "include_drafts", State.DELETED: "include_deleted"}


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
    return shown(asked, readable(asked, required(asked.parameters, "id", "name_or_id", told="name_or_id")))


def _package_list(asked: Asked) -> list[str]:
    """The names of all public datasets.

    limit, offset: a part of them; include_private, include_drafts, include_deleted: also those that the caller may see.
    """
    asker = asked.principal if flag(asked.parameters, "include_private") else ANYBODY
    wanted = {state for state in (State.DRAFT, State.DELETED) if flag(asked.parameters, _INCLUDE[state])}
    hidden = [entry.name for entry in asked.shelf.all_hidden() if entry.state in wanted and writes(asked, entry)]
    found = sorted([*asked.shelf.visible(asker), *hidden])
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
    return [asked.package(entry) for entry in found[offset : offset + min(limit, MOST)]]


def _resource_show(asked: Asked) -> dict[str, Any]:
    """One resource of a dataset.

    id: the id of the resource.
    """
    wanted = required(asked.parameters, "id", told="id")
    try:
        entry, told = owning(asked, wanted)
    except Missing:
        raise Missing from None
    if not shows(asked, entry):
        raise refused(asked, f"read resource {wanted}")
    return told


def _tag_list(asked: Asked) -> list[Any]:
    """The keywords of all datasets, or those of a vocabulary.

    query: only those that hold this text; all_fields: dicts instead of names; vocabulary_id: the vocabulary's name or id.
    """
    part = text(asked.parameters, "query").casefold()
    if text(asked.parameters, "vocabulary_id"):
        told = vocabulary(asked, text(asked.parameters, "vocabulary_id"))["tags"]
        found = [one for one in told if part in one["name"].casefold()]
        return found if flag(asked.parameters, "all_fields") else [one["name"] for one in found]
    names = sorted({name for entry in asked.visible() for name in entry.dataset.metadata.keywords if part in name.casefold()})
    return [keyword(name) for name in names] if flag(asked.parameters, "all_fields") else names


def _tag_show(asked: Asked) -> dict[str, Any]:
    """One keyword.

    id: its name or id; include_datasets: with the datasets that bear it.
    """
    wanted = required(asked.parameters, "id", told="id")
    keywords = sorted({name for entry in asked.visible() for name in entry.dataset.metadata.keywords})
    name = next((name for name in keywords if wanted in (name, tag(name)["id"])), None)
    if name is None:
        raise Missing
    found = [entry for entry in asked.visible() if name in entry.dataset.metadata.keywords]
    listed = {"packages": first_packages(asked, found)} if flag(asked.parameters, "include_datasets") else {}
    return {**keyword(name), **listed}


PACKAGE_READS = {
    "package_search": _search,
    "package_show": _package_show,
    "package_list": _package_list,
    "current_package_list_with_resources": _current_package_list,
    "resource_show": _resource_show,
    "tag_list": _tag_list,
    "tag_show": _tag_show,
}
