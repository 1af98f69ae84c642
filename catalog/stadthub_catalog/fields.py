"""What can be searched in an entry, in CKAN's words: its texts with what each says about it, its exact values, its times and places."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from stadthub_catalog.entry import Entry, State
from stadthub_catalog.packages import Said
from stadthub_schemas.authorities import license_key
from stadthub_schemas.dataset import AccessClass
from stadthub_schemas.properties import OBSERVED_PROPERTIES
from stadthub_schemas.units import UNITS
from stadthub_schemas.vocabularies import LICENSES, THEMES

#: Extras that no reader looks for by words, and the longest that are.
_UNREAD = frozenset(["spatial", "theme", "identifier", "guid", "license_iri", "issued", "modified", "rows"])
_LONGEST = 2000

#: Longer values are not compared or counted as a whole.
_LONGEST_VALUE = 1000

_WRITTEN = re.compile(r"[^\W_]+")

Texts = Iterable[str | None]


@dataclass(frozen=True, slots=True)
class Place:
    """A sort of text: how much a word in it says, and where it is found."""

    weight: float
    texts: Callable[[Entry, Said], Texts]


#: What can be searched by its words; `text` is all of it.
PLACES: dict[str, Place] = {
    "title": Place(4.0, lambda entry, said: (said["title"], entry.dataset.metadata.title_en)),
    "name": Place(3.0, lambda entry, _: (entry.name,)),
    "tags": Place(2.0, lambda _, said: (tag["name"] for tag in said["tags"])),
    "groups": Place(2.0, lambda _, said: (text for name in said["groups"] for text in (name, *THEMES.get(name.upper(), ())))),
    "notes": Place(1.0, lambda entry, said: (said["notes"], entry.dataset.metadata.description_en, entry.dataset.metadata.attribution)),
    "author": Place(1.2, lambda _, said: (said["author"],)),
    "maintainer": Place(1.0, lambda _, said: (said["maintainer"],)),
    "organization": Place(1.5, lambda entry, _: (entry.organization.title, entry.organization.name)),
    "res_name": Place(0.8, lambda _, said: (one.get("name") for one in said["resources"])),
    "res_description": Place(0.6, lambda _, said: (one.get("description") for one in said["resources"])),
    "res_format": Place(0.3, lambda _, said: (one.get("format") for one in said["resources"])),
    "columns": Place(1.2, lambda entry, _: _columns(entry)),
    "observed_properties": Place(1.5, lambda entry, _: _observed(entry)),
    "extras": Place(0.5, lambda entry, said: () if entry.document is None else _extras(said)),
}

#: Which bit stands for each place.
BITS = {place: 1 << number for number, place in enumerate(PLACES)}

#: Fields that are searched by their words; all others are compared as they stand, as in Solr's schema for CKAN.
BY_WORDS = frozenset(["text", "title", "notes", "author", "maintainer", "res_name", "res_description", "columns", "observed_properties"])

#: Fields of the hub's own search, beside CKAN's: which values an entry has in them.
FACETS: dict[str, Callable[[Entry], Iterable[str]]] = {
    "publisher": lambda entry: (entry.organization.name,),
    "theme": lambda entry: entry.dataset.metadata.themes,
    "group": lambda entry: [name for name in _groups(entry) if name.upper() not in THEMES],
    "license": lambda entry: filter(None, (entry.dataset.metadata.license,)),
    "format": lambda entry: [one.format for one in entry.distributions],
    "kind": lambda entry: (entry.dataset.kind.value,),
    "keyword": lambda entry: entry.dataset.metadata.keywords,
}

#: Fields that are times.
TIMES = ("metadata_created", "metadata_modified")

_STATES = {State.WITHDRAWN: State.DELETED}


def texts(entry: Entry, said: Said) -> Iterator[tuple[str, list[str]]]:
    """The texts of each place."""
    for name, place in PLACES.items():
        found = [text for text in place.texts(entry, said) if text]
        if found:
            yield name, found


def values(entry: Entry, said: Said) -> dict[str, list[str]]:
    """The exact values by field, in CKAN's words; an extra by its key, and by its key after `extras_`."""
    found = {key: [one for one in given if one is not None] for key, given in _values(entry, said).items()}
    for one in said["extras"]:
        key, value = str(one["key"]), str(one["value"])
        if len(value) <= _LONGEST_VALUE:
            found.setdefault(key, [value])
            found[f"extras_{key}"] = [value]
    return {key: given for key, given in found.items() if given}


def as_kept(field: str, value: str) -> str:
    """A value as it stands in its field: a licence by its word, if somebody asks for its address."""
    return license_key(value) or value if field in ("license", "license_id") else value


def span(entry: Entry) -> tuple[float, float] | None:
    """From when to when the data of the entry are, in seconds since 1970; None: nobody says."""
    first, last = (_seconds(said) for said in (entry.extent.first_time, entry.extent.last_time))
    if first is None and last is None:
        return None
    return (first if first is not None else float("-inf")), (last if last is not None else float("inf"))


def title_of(field: str, value: str) -> str | None:
    """How a value of a field is called; None: as it stands."""
    if field == "groups" and value.upper() in THEMES:
        return THEMES[value.upper()][0]
    return LICENSES[value].title if field == "license_id" and value in LICENSES else None


def spoken(entry: Entry) -> list[str]:
    """The words of an entry as they are written where readers see them."""
    meta = entry.dataset.metadata
    said = (meta.title, meta.title_en, *meta.keywords, meta.description, meta.description_en, *_columns(entry))
    return [word for text in said if text for word in _WRITTEN.findall(text)]


def _groups(entry: Entry) -> Iterable[str]:
    """The groups that are said of an entry, themes among them."""
    return entry.dataset.metadata.groups or () if entry.document is None else entry.document.get("groups", ())


def _values(entry: Entry, said: Said) -> dict[str, Iterable[str | None]]:
    resources, license_ = said["resources"], license_key(said["license_id"]) or None
    return {
        "id": (str(entry.id),),
        "name": (entry.name,),
        "title_string": (said["title"] or entry.name,),
        "tags": [tag["name"] for tag in said["tags"]],
        "groups": said["groups"],
        "organization": (entry.organization.name,),
        "owner_org": (str(entry.organization.id),),
        "license_id": (license_,),
        "author_email": (said["author_email"] or None,),
        "maintainer_email": (said["maintainer_email"] or None,),
        "url": (said["url"] or None,),
        "version": (said["version"] or None,),
        "capacity": ("private" if said["private"] else "public",),
        "private": ("true" if said["private"] else "false",),
        "state": (_STATES.get(entry.state, entry.state).value,),
        "type": (said["type"] or "dataset",),
        "dataset_type": (said["type"] or "dataset",),
        "entity_type": ("package",),
        "isopen": ("true" if license_ in LICENSES and LICENSES[license_].is_open else "false",),
        "res_format": [one.get("format") or None for one in resources],
        "res_url": [one.get("url") or None for one in resources],
        "res_type": [one.get("resource_type") or None for one in resources],
    }


def _columns(entry: Entry) -> Iterator[str]:
    """The words of the columns that everybody may see, and their units by code and sign."""
    for column in entry.columns:
        if column.access is AccessClass.PUBLIC:  # nobody learns of the others by searching
            yield from (column.name, column.title, column.title_en, column.description, column.description_en)
            yield from _unit(column.unit)


def _observed(entry: Entry) -> Iterator[str]:
    """What the datastreams observe, in both languages, with the units."""
    hidden = {name for name, words in entry.dataset.metadata.columns.items() if words.access is not AccessClass.PUBLIC}
    if hidden & {"observed_property", "datastream"}:
        return
    for name in entry.observed:
        yield name
        known = OBSERVED_PROPERTIES.get(name)
        if known is not None:
            yield from (known.title_de, known.title_en, *_unit(known.unit))


def _unit(code: str | None) -> tuple[str, ...]:
    if not code or code in ("1", "{count}"):
        return ()
    return (code, UNITS[code].symbol) if code in UNITS else (code,)


def _extras(said: Said) -> Iterator[str]:
    """The extras that somebody wrote; those of our own datasets repeat what stands elsewhere."""
    for one in said["extras"]:
        value = str(one["value"])
        if one["key"] not in _UNREAD and len(value) <= _LONGEST:
            yield value


def _seconds(said: str | None) -> float | None:
    try:
        time = datetime.fromisoformat(said) if said else None
    except ValueError:
        return None
    if time is None:
        return None
    return (time.replace(tzinfo=UTC) if time.tzinfo is None else time).timestamp()
