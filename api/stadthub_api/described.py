"""A dataset in words: what the API says of it, as far as the caller may see it."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from stadthub_api.hub import Readable
from stadthub_catalog.entry import Entry
from stadthub_catalog.site import Site
from stadthub_schemas.dataset import Column, Kind
from stadthub_schemas.vocabularies import FORMATS, FREQUENCIES, FREQUENCY_IRI, LICENSES, THEME_IRI, THEMES

#: The faces that every dataset has, and those of a timeseries only.
_FACES = ("rows", "aggregate", "things")
_TIMESERIES_FACES = ("latest", "series")


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


def description(seen: Readable, site: Site) -> dict[str, Any]:
    """Everything that the hub says of one dataset: words, columns, extent, freshness, files, and where its faces are."""
    entry, words = seen.entry, seen.entry.dataset.metadata
    license_ = LICENSES[words.license]
    frequency = FREQUENCIES[words.update_frequency]
    extent = entry.extent.model_dump(mode="json")
    if seen.hidden & {"longitude", "latitude", "geometry"}:
        extent["bbox"] = None
    return {
        **summary(entry, site),
        "id": str(entry.id),
        "description_en": words.description_en,
        "publisher": words.publisher.model_dump(mode="json", exclude_none=True),
        "contact": words.contact.model_dump(mode="json", exclude_none=True),
        "license": {"id": license_.id, "title": license_.title, "iri": license_.iri, "url": license_.url, "attribution": words.attribution},
        "themes": [{"id": one, "iri": THEME_IRI + one, "title": THEMES[one][0], "title_en": THEMES[one][1]} for one in words.themes],
        "update_frequency": {
            "id": words.update_frequency,
            "iri": FREQUENCY_IRI + words.update_frequency,
            "title": frequency[0],
            "title_en": frequency[1],
        },
        "source_url": str(words.source_url) if words.source_url else None,
        "privacy": words.privacy.model_dump(mode="json", exclude_none=True) if words.privacy else None,
        "created": _time(entry.created),
        "extent": extent,
        "columns": [_column(column) for column in entry.columns if column.name not in seen.hidden],
        "distributions": [_distribution(one, site) for one in entry.distributions],
        "links": _links(entry, site),
    }


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
    faces = _FACES + (_TIMESERIES_FACES if entry.dataset.kind is Kind.TIMESERIES else ())
    return {
        "self": here,
        "html": site.absolute(f"/datasets/{entry.name}"),
        **{face: f"{here}/{face}" for face in faces},
        "exports": {one: f"{here}/exports/{one}" for one in FORMATS},
        "ckan": site.absolute(f"/api/3/action/package_show?id={entry.name}"),
        "documentation": site.absolute("/api/docs"),
    }


def _time(time: datetime | None) -> str | None:
    return time.isoformat().replace("+00:00", "Z") if time is not None else None
