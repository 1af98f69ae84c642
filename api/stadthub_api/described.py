"""A dataset in words: what the API says of it, as far as the caller may see it."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from stadthub_api.hub import Readable
from stadthub_api.lineage import Ancestry
from stadthub_catalog.entry import Entry
from stadthub_catalog.site import Site
from stadthub_schemas.dataset import Column, Kind, Words
from stadthub_schemas.finding import HeldBack
from stadthub_schemas.vocabularies import FORMATS, FREQUENCIES, FREQUENCY_IRI, THEME_IRI, THEMES, license_named

#: The faces that show rows, by kind of dataset.
_FACES = {
    Kind.TIMESERIES: ("rows", "aggregate", "things", "measured", "latest", "series"),
    Kind.FEATURES: ("rows", "aggregate", "things", "measured"),
    Kind.TABLE: ("rows", "aggregate", "things", "measured"),
    Kind.FILES: (),
}


def summary(entry: Entry, site: Site) -> dict[str, Any]:
    """A dataset in a list."""
    words = entry.dataset.metadata
    return {
        "name": entry.name,
        "kind": entry.dataset.kind.value,
        "title": words.title,
        "title_en": words.title_en,
        "description": words.description,
        "publisher": words.publisher.title,
        "license": words.license,
        "themes": list(words.themes),
        "keywords": list(words.keywords),
        "access": words.access.value,
        "simulated": words.simulated,
        "rows": entry.extent.rows,
        "last_time": entry.extent.last_time,
        "modified": _time(entry.modified),
        "links": {"self": site.absolute(f"/api/v1/datasets/{entry.name}"), "html": site.absolute(f"/datasets/{entry.name}")},
    }


def description(seen: Readable, site: Site, held_back: HeldBack | None, origin: Ancestry | None) -> dict[str, Any]:
    """Everything that the hub says of one dataset: words, columns, extent, freshness, files, and where its faces are."""
    entry, words = seen.entry, seen.entry.dataset.metadata
    extent = entry.extent.model_dump(mode="json")
    if seen.hidden & {"longitude", "latitude", "geometry"}:
        extent["bbox"] = None
    return {
        **summary(entry, site),
        "id": str(entry.id),
        "description_en": words.description_en,
        "publisher": words.publisher.model_dump(mode="json", exclude_none=True),
        "contact": words.contact.model_dump(mode="json", exclude_none=True) if words.contact else None,
        "license": _license(words),
        "themes": [{"id": one, "iri": THEME_IRI + one, "title": THEMES[one][0], "title_en": THEMES[one][1]} for one in words.themes],
        "update_frequency": _frequency(words.update_frequency),
        "source_url": str(words.source_url) if words.source_url else None,
        "privacy": words.privacy.model_dump(mode="json", exclude_none=True) if words.privacy else None,
        "lineage": None if origin is None else _lineage(origin, site),
        "release": words.release.model_dump(mode="json", exclude_none=True) if words.release else None,
        "created": _time(entry.created),
        "extent": extent,
        "quality": _quality(held_back),
        "columns": [_column(column) for column in entry.columns if column.name not in seen.hidden],
        "distributions": [_distribution(one, site) for one in entry.files],
        "links": _links(entry, site),
    }


def _license(words: Words) -> dict[str, Any] | None:
    """The licence; of one that the hub does not know only its key."""
    known = license_named(words.license)
    if known is None:
        return {"id": words.license, "attribution": words.attribution} if words.license else None
    return {"id": known.id, "title": known.title, "iri": known.iri, "url": known.url, "attribution": words.attribution}


def _frequency(id_: str | None) -> dict[str, Any] | None:
    if id_ is None:
        return None
    title, title_en, _ = FREQUENCIES[id_]
    return {"id": id_, "iri": FREQUENCY_IRI + id_, "title": title, "title_en": title_en}


def _quality(held_back: HeldBack | None) -> dict[str, Any]:
    """Whether the newest data are served; no word of what is in them."""
    if held_back is None:
        return {"state": "current"}
    reason = "newer data came in another form than usual and wait for somebody to look; the last good data are served"
    return {
        "state": "held_back",
        "since": _time(held_back.since),
        "payloads": held_back.payloads,
        "reason": reason,
        "kinds": list(held_back.kinds),
    }


def _lineage(origin: Ancestry, site: Site) -> dict[str, Any]:
    links = [
        {"name": one.name, "title": one.dataset.metadata.title, "self": site.absolute(f"/api/v1/datasets/{one.name}")}
        for one in origin.inputs
    ]
    return {"derived_from": links, "sql": origin.sql}


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type.value,
        "title": column.title or column.name,
        "title_en": column.title_en or None,
        "description": column.description or None,
        "description_en": column.description_en or None,
        "unit": column.unit,
    }


def _distribution(one: Any, site: Site) -> dict[str, Any]:
    known = FORMATS.get(one.format)
    return {
        "id": str(one.id) if one.id else None,
        "format": one.format,
        "media_type": known.media_type if known else None,
        "title": one.title,
        "url": site.absolute(quote(one.url, safe="/:?=&%#")),
        "size": one.size,
        "sha256": one.sha256 or None,
        "modified": _time(one.modified),
    }


def _links(entry: Entry, site: Site) -> dict[str, Any]:
    here = site.absolute(f"/api/v1/datasets/{entry.name}")
    return {
        "self": here,
        "html": site.absolute(f"/datasets/{entry.name}"),
        **{face: f"{here}/{face}" for face in _FACES[entry.dataset.kind]},
        "exports": {one: f"{here}/exports/{one}" for one in FORMATS if entry.dataset.kind is not Kind.FILES},
        "ckan": site.absolute(f"/api/3/action/package_show?id={entry.name}"),
        "documentation": site.absolute("/api/docs"),
    }


def _time(time: datetime | None) -> str | None:
    return time.isoformat().replace("+00:00", "Z") if time is not None else None
