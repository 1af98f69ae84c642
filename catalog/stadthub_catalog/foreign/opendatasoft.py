"""An Opendatasoft (Huwise): the catalogue of its Explore API v2.1; a dataset's files are the exports that the portal writes of it."""

from typing import Any
from urllib.parse import quote

from stadthub_catalog.foreign.item import Asking, Item, Page, Said, as_json, at, below, extras, from_html, listed, parameter, text, texts
from stadthub_catalog.foreign.item import with_parameters as _with
from stadthub_schemas.errors import SourceError

_PATH = "/api/explore/v2.1/catalog/datasets"

#: It gives no more: offset and limit together.
_MOST = 10_000

#: The exports of every dataset, and those of a dataset with places.
_EXPORTS = ("csv", "json", "parquet")
_PLACED = ("geojson",)
_PLACES = ("geo_point_2d", "geo_shape")


def first(asking: Asking) -> str:
    """The address of the first page."""
    url = below(asking.url, _PATH)
    return _with(url, **{"order_by": "dataset_id", **asking.parameters, "limit": min(asking.page_size, 100), "offset": 0})


def read(body: bytes, url: str, asking: Asking) -> Page:
    """The datasets of a page, and the next page while there are more."""
    said = as_json(body, url)
    rows = listed(at(said, "results"), url, "results")
    there, count = parameter(url, "offset") + len(rows), at(said, "total_count")
    more = bool(rows) and isinstance(count, int) and there < count
    if more and there + min(asking.page_size, 100) > _MOST:
        raise SourceError(f"{url.partition('?')[0]}: it has {count} datasets and gives only {_MOST}: narrow harvest.parameters (where)")
    return Page(tuple(_item(one, number, asking) for number, one in enumerate(rows)), _with(url, offset=there) if more else None)


def _item(one: Any, number: int, asking: Asking) -> Item:
    key = text(at(one, "dataset_id"))
    return Item(key, _package(one, key, asking)) if key else Item(f"#{number}", {}, "it has no dataset_id")


def _package(one: Said, key: str, asking: Asking) -> dict[str, Any]:
    said, dcat = at(one, "metas", "default") or {}, at(one, "metas", "dcat") or {}
    return {
        "name": key,
        "title": text(said.get("title")) or key,
        "notes": from_html(said.get("description")),
        "license_id": text(said.get("license_url")) or text(said.get("license")),
        "license_title": text(said.get("license")),
        "maintainer": text(dcat.get("contact_name")),
        "maintainer_email": text(dcat.get("contact_email")),
        "url": below(asking.url, f"/explore/dataset/{quote(key)}/"),
        "tags": [{"name": word} for word in texts(said.get("keyword"))],
        "groups": [{"name": theme} for theme in texts(said.get("theme"))],
        "metadata_modified": text(said.get("modified")),
        "extras": extras(
            identifier=text(at(one, "metas", "dcat_ap", "identifier")) or key,
            publisher_name=text(said.get("publisher")),
            attribution=text(said.get("attributions")),
            frequency=text(dcat.get("accrualperiodicity")),
            issued=text(dcat.get("issued")),
            temporal_start=text(dcat.get("temporal_coverage_start") or dcat.get("temporal")),
            temporal_end=text(dcat.get("temporal_coverage_end")),
            spatial=at(said, "bbox", "geometry"),
        ),
        "resources": [*_exports(one, key, asking), *_attachments(one)],
    }


def _exports(one: Said, key: str, asking: Asking) -> list[dict[str, Any]]:
    """What the portal writes of the records, if the dataset has some."""
    if not one.get("has_records"):
        return []
    fields = one.get("fields") if isinstance(one.get("fields"), list) else []
    placed = any(isinstance(field, dict) and field.get("type") in _PLACES for field in fields or [])
    base = below(asking.url, f"{_PATH}/{quote(key, safe='')}/exports/")
    return [
        {"id": f"{key}/{ending}", "url": base + ending, "name": ending.upper(), "format": ending}
        for ending in (*_EXPORTS, *(_PLACED if placed else ()))
    ]


def _attachments(one: Said) -> list[dict[str, Any]]:
    found = one.get("attachments") if isinstance(one.get("attachments"), list) else []
    return [
        {"id": text(file.get("id")), "url": text(file.get("url")), "name": text(file.get("title")), "mimetype": text(file.get("mimetype"))}
        for file in found or []
        if isinstance(file, dict) and text(file.get("url")).startswith(("http://", "https://"))
    ]
