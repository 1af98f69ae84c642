"""A dataset that was written through CKAN's API: its document as it is kept, and what the other faces read out of it.

The document holds what its writer said, in CKAN's words: title, notes, author, maintainer, license_id, url, version, type,
private, extras `[{key, value}]`, tags `[{name, vocabulary_id}]`, groups `[name]`, resources (whole). What follows from
other things (organization, counts, titles of licences) is not kept but worked out when it is asked for.
"""

import re
from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from pydantic import EmailStr, HttpUrl, TypeAdapter, ValidationError
from shapely import from_geojson
from shapely.errors import GEOSException

from stadthub_catalog import dates
from stadthub_catalog.entry import Distribution, LoadState, Organization
from stadthub_catalog.refusals import SearchError
from stadthub_schemas.authorities import license_key
from stadthub_schemas.dataset import AccessClass, Contact, Dataset, Extent, Kind, Publisher, Words
from stadthub_schemas.vocabularies import FORMATS, FREQUENCIES, FREQUENCY_IRI, THEME_IRI, THEMES

Document = Mapping[str, Any]

_EMAIL: TypeAdapter[Any] = TypeAdapter(EmailStr)
_URL: TypeAdapter[Any] = TypeAdapter(HttpUrl)

#: As long as our own words may be.
_LONGEST = 10_000

#: Extras that say within which box or time a dataset lies, as ckanext-spatial and ckanext-dcat name them.
_ISO = re.compile(r"\d{4}(-\d\d(-\d\d([T ][\d:.]+(Z|[+\-]\d\d:?\d\d)?)?)?)?")
#: The first and the last year have no neighbours: no time zone can be reckoned there.
_NO_TIME = datetime.min.replace(tzinfo=UTC)
_SPATIAL, _BEGIN, _END = "spatial", "temporal_start", "temporal_end"


def dataset(name: str, document: Document, owner: Organization) -> Dataset:
    """What the hub says of the dataset."""
    extras = extras_of(document)
    words = Words(
        title=_line(document.get("title")) or name,
        title_en=_line(extras.get("title_en")),
        description=document.get("notes") or "",
        description_en=_line(extras.get("notes_en")),
        license=license_key(document.get("license_id")) or None,
        attribution=_line(extras.get("attribution")),
        publisher=Publisher(name=owner.name, title=_line(owner.title) or owner.name, description=owner.description),
        contact=_contact(document),
        themes=_themes(document, extras),
        keywords=tuple(tag["name"] for tag in document.get("tags", ())),
        update_frequency=_frequency(extras.get("frequency", "")),
        source_url=_good(_URL, document.get("url")),
        access=AccessClass.INTERNAL if document.get("private") else AccessClass.PUBLIC,
        hvd_categories=tuple(dict.fromkeys(re.findall(r"\bc_[0-9a-f]{6,8}\b", extras.get("hvd_category", "")))) or None,
    )
    return Dataset(name=name, kind=Kind.FILES, metadata=words)


def extent(document: Document) -> Extent:
    """What the extras say that the data cover."""
    extras = extras_of(document)
    return Extent(
        first_time=_edge(extras.get(_BEGIN, ""), 0),
        last_time=_edge(extras.get(_END, ""), 1),
        bbox=_box(extras.get(_SPATIAL, "")),
    )


def distributions(document: Document) -> tuple[Distribution, ...]:
    """The resources as distributions."""
    return tuple(_distribution(one) for one in document.get("resources", ()))


def extras_of(document: Document) -> dict[str, str]:
    """The extras by key."""
    return {str(one["key"]): str(one["value"]) for one in document.get("extras", ())}


def _distribution(resource: Mapping[str, Any]) -> Distribution:
    format_ = str(resource.get("format") or "")
    known = next((one.id for one in FORMATS.values() if format_.casefold() in (one.id, one.title.casefold())), format_)
    size = resource.get("size")
    return Distribution(
        format=known,
        url=str(resource.get("url") or ""),
        title=str(resource.get("name") or ""),
        size=size if isinstance(size, int) else None,
        sha256=str(resource.get("hash") or ""),
        modified=_time(resource.get("last_modified") or resource.get("metadata_modified")),
        created=_time(resource.get("created")),
        id=UUID(resource["id"]),
        is_held=resource.get("load_state") == LoadState.HELD,
    )


@lru_cache(maxsize=4096)
def contact_named(name: str, said: str) -> Contact | None:
    """Somebody of whom name or e-mail address were said; None if neither was, an address that is none is left out."""
    name, email = _line(name) or "", _good(_EMAIL, said)
    return Contact(name=name or email, email=email) if name or email else None


def _contact(document: Document) -> Contact | None:
    """Whom to ask: the maintainer, else the author."""
    told = (contact_named(document.get(role) or "", document.get(f"{role}_email") or "") for role in ("maintainer", "author"))
    return next((one for one in told if one is not None), None)


def _themes(document: Document, extras: Mapping[str, str]) -> tuple[Any, ...]:
    """The European themes among the groups, and those in the extra that ckanext-dcat writes."""
    said = {str(name).upper() for name in document.get("groups", ())}
    try:
        iris = orjson.loads(extras.get("theme", "[]"))
    except orjson.JSONDecodeError:
        iris = [extras["theme"]]
    said |= {str(iri).removeprefix(THEME_IRI) for iri in (iris if isinstance(iris, list) else [iris])}
    return tuple(theme for theme in THEMES if theme in said)


def _frequency(said: str) -> Any:
    code = said.removeprefix(FREQUENCY_IRI).upper()
    return code if code in FREQUENCIES else None


@lru_cache(maxsize=4096)
def _edge(said: str, which: int) -> str | None:
    """The first (0) or the last (1) moment that a time, a day, a month or a year means; a day stays one. None for anything else."""
    if not _ISO.fullmatch(said.strip()):
        return None
    try:
        edge = dates.span(said, _NO_TIME)[which]
    except SearchError:
        return None
    if edge.year in (MINYEAR, MAXYEAR):
        return None
    return edge.isoformat() if ":" in said else edge.date().isoformat()


@lru_cache(maxsize=8)  # whoever writes a dataset asks twice in a row
def _box(spatial: str) -> tuple[float, float, float, float] | None:
    """The box around a GeoJSON geometry; None for anything else."""
    if not spatial or len(spatial) > 1_000_000:
        return None
    try:
        west, south, east, north = from_geojson(spatial).bounds
    except (GEOSException, ValueError, TypeError):
        return None
    within = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if within else None


def _line(said: Any) -> str | None:
    """A text as far as our own words take one; None if there is nothing to read in it. The document keeps it as it was said."""
    return str(said or "").strip()[:_LONGEST].strip() or None


def _good(kind: TypeAdapter[Any], value: Any) -> Any:
    """The value if it is what it should be, else None: the document keeps it as it was said."""
    try:
        return kind.validate_python(value) if value else None
    except ValidationError:
        return None


def _time(said: Any) -> datetime | None:
    """A time as CKAN writes it: UTC without a zone."""
    try:
        return datetime.fromisoformat(f"{str(said).removesuffix('Z')}+00:00") if said else None
    except ValueError:
        return None
