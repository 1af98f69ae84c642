"""The list of datasets: search, facets as links with their counts, order and pages, all of it in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from stadthub_api.deps import PUBLIC, CatalogDep, PrincipalDep
from stadthub_api.portal.language import Writing
from stadthub_api.portal.rendering import KINDS, link, page, writing
from stadthub_catalog.entry import Found, Organization, State
from stadthub_schemas.vocabularies import FORMATS, LICENSES, THEMES

router = APIRouter(include_in_schema=False)

SIZE = 20

#: In this order on the page: what a facet is called in the catalogue and in the address, and for readers (in German).
FACETS = {"theme": "Thema", "group": "Gruppe", "publisher": "Herausgeber", "license": "Lizenz", "format": "Format", "kind": "Art"}

#: The orders that the catalogue knows, and their words.
ORDERS = {"relevance": "Relevanz", "modified": "Zuletzt geändert", "title": "Titel"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet: its words, how many datasets have it, whether it is chosen, and the address that turns it over."""

    words: str
    count: int
    chosen: bool
    address: str


@router.get("/datasets", openapi_extra=PUBLIC)
def datasets(
    request: Request,
    catalog: CatalogDep,
    principal: PrincipalDep,
    q: Annotated[str, Query(max_length=500)] = "",
    sort: str = "relevance",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """The datasets that match."""
    chosen = {name: tuple(value for value in request.query_params.getlist(name) if value)[:20] for name in FACETS}
    order = sort if sort in ORDERS else "relevance"
    wanted = {name: values for name, values in chosen.items() if values}
    found = catalog.search(q, principal=principal, facets=wanted, sort=order, limit=SIZE, offset=(number - 1) * SIZE)
    write = writing(request)
    there_are = {"publisher": catalog.shelf.organizations(), "group": catalog.shelf.groups()}
    titles = {
        facet: {name: one.title or name for name, one in there.items() if one.state is State.ACTIVE} for facet, there in there_are.items()
    }
    there = {"q": q, "sort": "" if order == "relevance" else order, **chosen}
    context = {
        "q": q,
        "found": found,
        "chosen": chosen,
        "order": order,
        "orders": [(name, write.word(words)) for name, words in ORDERS.items()],
        "publisher": _publisher(found, chosen),
        "proposals": catalog.proposals(q, principal) if q.strip() and not found.total else (),
        "facets": _facets(write, found, titles, chosen, there),
        "page_number": number,
        "pages": max(1, -(-found.total // SIZE)),
        "turn": lambda to: link(write.language, "/datasets", **there, page=to if to > 1 else ""),
    }
    return page(request, "datasets.html", context)


def _publisher(found: Found, chosen: Mapping[str, tuple[str, ...]]) -> Organization | None:
    """The organisation whose datasets these are, where one was chosen."""
    return found.entries[0].organization if len(chosen["publisher"]) == 1 and found.entries else None


def _facets(
    write: Writing, found: Found, titles: Mapping[str, Mapping[str, str]], chosen: Mapping[str, tuple[str, ...]], there: Mapping[str, Any]
) -> list[tuple[str, list[Choice]]]:
    """The facets with something to choose, the most frequent values first. `titles` are those of organisations and groups by name."""
    shown: list[tuple[str, list[Choice]]] = []
    for name, words in FACETS.items():
        counts = {**dict.fromkeys(chosen[name], 0), **found.facets.get(name, {})}
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        choices = [
            Choice(_words(write, name, value, titles), count, value in chosen[name], _turned(write, name, value, chosen, there))
            for value, count in ordered[:12]
            if name != "group" or value in titles["group"]
        ]
        if choices:
            shown.append((write.word(words), choices))
    return shown


def _turned(write: Writing, name: str, value: str, chosen: Mapping[str, tuple[str, ...]], there: Mapping[str, Any]) -> str:
    """The address with this value chosen, or without it if it is."""
    values = tuple(one for one in chosen[name] if one != value) if value in chosen[name] else (*chosen[name], value)
    return link(write.language, "/datasets", **{**there, name: values})


def _words(write: Writing, facet: str, value: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    """How a value of a facet is called."""
    if facet == "theme" and value in THEMES:
        return write.phrase(*THEMES[value])
    if facet == "license" and value in LICENSES:
        return LICENSES[value].title
    if facet == "format" and value in FORMATS:
        return FORMATS[value].title
    if facet == "kind" and value in KINDS:
        return write.word(KINDS[value])
    return titles.get(facet, {}).get(value, value)
