"""A CKAN, or another Stadthub: package_search page by page, in an order that doesn't shift."""

from stadthub_catalog.foreign.item import Asking, Item, Page, Said, as_json, at, below, listed, parameter, with_parameters
from stadthub_schemas.errors import SourceError


def first(asking: Asking) -> str:
    """The address of the first page."""
    url = below(asking.url, "/api/3/action/package_search")
    return with_parameters(url, **{"sort": "id asc", **asking.parameters, "rows": asking.page_size, "start": 0})


def read(body: bytes, url: str, asking: Asking) -> Page:  # noqa: ARG001 (one signature for all protocols)
    """The datasets of a page, and the next page while there are more."""
    said = as_json(body, url)
    result = at(said, "result")
    if at(said, "success") is not True or not isinstance(result, dict):
        raise SourceError(f"{url.partition('?')[0]}: it refuses: {str(at(said, 'error', 'message') or 'no success')[:200]}")
    rows = listed(result.get("results"), url, "results")
    there = parameter(url, "start") + len(rows)
    count = result.get("count")
    more = bool(rows) and isinstance(count, int) and there < count
    return Page(tuple(items(rows)), with_parameters(url, start=there) if more else None)


def items(rows: list[object]) -> list[Item]:
    """Packages as a CKAN lists them."""
    found = []
    for number, one in enumerate(rows):
        if not isinstance(one, dict) or not (one.get("id") or one.get("name")):
            found.append(Item(f"#{number}", {}, "it has neither id nor name"))
            continue
        found.append(Item(str(one.get("id") or one["name"]), one))
    return found


def is_package(said: Said) -> bool:
    """Whether this looks like a package."""
    return "resources" in said and "title" in said
