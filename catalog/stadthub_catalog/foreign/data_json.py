"""A `data.json` (Project Open Data, DCAT-US 1.1) as DKAN and ArcGIS Hub have it: one document with all datasets."""

from typing import Any

from stadthub_catalog.foreign.item import Asking, Item, Page, Said, as_json, at, below, extras, from_html, listed, text, texts


def first(asking: Asking) -> str:
    """The address of the document."""
    return asking.url if asking.url.endswith(".json") else below(asking.url, "/data.json")


def first_of_hub(asking: Asking) -> str:
    """The same of an ArcGIS Hub."""
    return asking.url if asking.url.endswith(".json") else below(asking.url, "/api/feed/dcat-us/1.1.json")


def read(body: bytes, url: str, asking: Asking) -> Page:  # noqa: ARG001 (one signature for all protocols)
    """All datasets."""
    said = as_json(body, url)
    rows = said if isinstance(said, list) else listed(at(said, "dataset"), url, "dataset")
    return Page(tuple(item(one, number) for number, one in enumerate(rows)))


def item(one: Any, number: int) -> Item:
    """One dataset."""
    key = text(at(one, "identifier")) or text(at(one, "@id"))
    if not key or not isinstance(one, dict):
        return Item(f"#{number}", {}, "it has no identifier")
    if text(one.get("accessLevel")) not in ("", "public"):
        return Item(key, {}, f"its accessLevel is {text(one['accessLevel'])[:50]}")
    return Item(key, _package(one, key))


def _package(one: Said, key: str) -> dict[str, Any]:
    begin, _, end = text(one.get("temporal")).partition("/")
    return {
        "title": from_html(one.get("title")),
        "notes": from_html(one.get("description")),
        "license_id": text(one.get("license")),
        "maintainer": text(at(one, "contactPoint", "fn")),
        "maintainer_email": text(at(one, "contactPoint", "hasEmail")).removeprefix("mailto:"),
        "url": text(one.get("landingPage")),
        "tags": [{"name": word} for word in texts(one.get("keyword"))],
        "groups": [{"name": theme} for theme in texts(one.get("theme"))],
        "metadata_modified": text(one.get("modified")),
        "extras": extras(
            identifier=key,
            publisher_name=text(at(one, "publisher", "name")),
            frequency=text(one.get("accrualPeriodicity")),
            issued=text(one.get("issued")),
            spatial=_place(one.get("spatial")),
            temporal_start=begin,
            temporal_end=end,
        ),
        "resources": [_resource(file) for file in one.get("distribution") or [] if isinstance(file, dict)],
    }


def _resource(file: Said) -> dict[str, Any]:
    return {
        "id": text(file.get("identifier") or file.get("@id")),
        "url": text(file.get("downloadURL")) or text(file.get("accessURL")),
        "name": text(file.get("title")),
        "description": from_html(file.get("description")),
        "format": text(file.get("format")),
        "mimetype": text(file.get("mediaType")),
        "license": text(file.get("license")),
        "last_modified": text(file.get("modified")),
    }


def _place(said: Any) -> Any:
    """A box out of `west,south,east,north`, or GeoJSON as it is."""
    if isinstance(said, dict) and said.get("coordinates"):
        return said
    try:
        west, south, east, north = (float(one) for one in text(said).split(","))
    except ValueError:
        return None
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
