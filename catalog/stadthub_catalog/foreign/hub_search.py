"""A piveau, such as open.bydata or data.europa.eu: its hub-search, page by page."""

from typing import Any

from stadthub_catalog.foreign.item import (
    Asking,
    Item,
    Page,
    Said,
    as_json,
    at,
    below,
    english,
    extras,
    from_html,
    listed,
    parameter,
    text,
    texts,
)
from stadthub_catalog.foreign.item import with_parameters as _with
from stadthub_schemas.errors import SourceError

#: It gives no more over its pages.
_MOST = 10_000


def first(asking: Asking) -> str:
    """The address of the first page."""
    url = asking.url if asking.url.rstrip("/").endswith("/search") else below(asking.url, "/api/hub/search/search")
    return _with(url, **{"q": "", **asking.parameters, "filter": "dataset", "limit": asking.page_size, "scroll": "true"})


def read(body: bytes, url: str, asking: Asking) -> Page:
    """The datasets of a page, and the next page while there are more: by its scroll if it has one, else by number."""
    result = at(as_json(body, url), "result")
    rows = listed(at(result, "results"), url, "results")
    items = tuple(_item(one, number) for number, one in enumerate(rows))
    if text(at(result, "scrollId")):
        onwards = _with(below(asking.url, "/api/hub/search/scroll"), scrollId=text(at(result, "scrollId")))
        return Page(items, onwards if rows else None)
    page, count = parameter(url, "page") + 1, at(result, "count")
    more = bool(rows) and isinstance(count, int) and page * asking.page_size < count
    if more and (page + 1) * asking.page_size > _MOST:
        raise SourceError(f"{url.partition('?')[0]}: it has {count} datasets and gives only {_MOST}: narrow harvest.parameters (facets)")
    return Page(items, _with(url, page=page) if more else None)


def _item(one: Any, number: int) -> Item:
    key = text(at(one, "resource")) or text(at(one, "id"))
    return Item(key, _package(one, key)) if key else Item(f"#{number}", {}, "it has no id")


def _package(one: Said, key: str) -> dict[str, Any]:
    contact = _first(one.get("contact_point"))
    period = _first(one.get("temporal"))
    return {
        "name": text(one.get("id")),
        "title": text(one.get("title")),
        "notes": from_html(one.get("description")),
        "maintainer": text(contact.get("name")),
        "maintainer_email": text(contact.get("email")).removeprefix("mailto:"),
        "url": text(_first(one.get("landing_page")).get("resource")),
        "tags": [{"name": text(word.get("label"))} for word in one.get("keywords") or [] if isinstance(word, dict)],
        "groups": [
            {"name": text(theme.get("resource") or theme.get("id"))} for theme in one.get("categories") or [] if isinstance(theme, dict)
        ],
        "metadata_modified": text(one.get("modified")) or text(at(one, "catalog_record", "modified")),
        "extras": extras(
            identifier=next(iter(texts(one.get("identifier"))), "") or key,
            title_en=english(one.get("title")),
            notes_en=english(one.get("description")),
            uri=text(one.get("resource")),
            publisher_name=text(at(one, "publisher", "name")),
            catalog_title=text(at(one, "catalog", "title")),
            frequency=text(at(one, "accrual_periodicity", "resource") or at(one, "accrual_periodicity", "id")),
            issued=text(one.get("issued")),
            spatial=_first(one.get("spatial")),
            temporal_start=text(period.get("gte")),
            temporal_end=text(period.get("lte")),
            hvd_category=[text(at(found, "resource") or at(found, "id")) for found in one.get("hvd_category") or []],
        ),
        "resources": [_resource(file) for file in one.get("distributions") or [] if isinstance(file, dict)],
    }


def _resource(file: Said) -> dict[str, Any]:
    size = file.get("byte_size")
    return {
        "id": text(file.get("id")),
        "url": next(iter([*texts(file.get("download_url")), *texts(file.get("access_url"))]), ""),
        "name": text(file.get("title")),
        "description": from_html(file.get("description")),
        "format": text(at(file, "format", "resource") or at(file, "format", "id") or at(file, "format", "label")),
        "mimetype": text(file.get("media_type")),
        "license": text(at(file, "license", "resource") or at(file, "license", "id") or at(file, "license", "label")),
        "last_modified": text(file.get("modified")),
        "size": size if isinstance(size, int) else None,
    }


def _first(said: Any) -> Said:
    """The first object of a list, or the object itself."""
    found = next((one for one in said if isinstance(one, dict)), {}) if isinstance(said, list) else said
    return found if isinstance(found, dict) else {}
