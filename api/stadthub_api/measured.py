"""What is measured here, in plain facts: what is observed, by how many, where, how often, since when, how long it is kept, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import orjson

from stadthub_api.hub import Readable
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.site import Site
from stadthub_lake.lake import Lake
from stadthub_schemas.access import shown
from stadthub_schemas.dataset import Column, ColumnType, Kind, Privacy, Words
from stadthub_schemas.errors import NotFound
from stadthub_schemas.privacy import NEVER_KEPT
from stadthub_schemas.properties import OBSERVED_PROPERTIES, title
from stadthub_schemas.rows import datastream_key
from stadthub_schemas.vocabularies import FREQUENCIES

#: The kinds of dataset whose rows are here; of files and addresses nobody knows what is in them.
KINDS = (Kind.TIMESERIES, Kind.FEATURES, Kind.TABLE)


@dataclass(frozen=True, slots=True)
class Measured:
    """One dataset: what it observes, by the name of the property or as its columns, as far as the caller may see it."""

    seen: Readable
    properties: tuple[str, ...]
    columns: tuple[Column, ...]
    box: tuple[float, float, float, float] | None

    @property
    def metadata(self) -> Words:
        """The dataset's words."""
        return self.seen.entry.dataset.metadata


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a timeseries: its words, its place if that may be seen, and the newest value of each of its properties."""

    seen: Readable
    thing: str
    name: str | None
    place: tuple[float, float] | None
    latest: tuple[dict[str, Any], ...]


def measured(lake: Lake, seen: Readable) -> Measured:
    """What this dataset measures."""
    columns: tuple[Column, ...] = ()
    properties: tuple[str, ...] = ()
    if seen.entry.dataset.kind is not Kind.TIMESERIES:
        columns = tuple(one for one in seen.entry.columns if one.name not in seen.hidden and one.type is not ColumnType.GEOMETRY)
    elif "observed_property" not in seen.hidden:
        properties = tuple(sorted({name for row in _things(lake, seen) for name in row["observed_properties"]}))
    box = None if seen.hidden & {"longitude", "latitude", "geometry"} else seen.entry.extent.bbox
    return Measured(seen, properties, columns, box)


def thing(lake: Lake, catalog: Catalog, seen: Readable, name: str) -> Thing:
    """One thing; NotFound if there is none, or if the caller may not see which things there are."""
    row = None
    if seen.entry.dataset.kind is Kind.TIMESERIES and not seen.hidden & {"thing", "observed_property"}:
        row = next((row for row in _things(lake, seen) if row["thing"] == name), None)
    if row is None:
        raise NotFound(f"there is no thing {name[:100]!r} in dataset {seen.entry.name!r}")
    placed = not seen.hidden & {"longitude", "latitude"} and row["longitude"] is not None and row["latitude"] is not None
    return Thing(
        seen,
        name,
        row["thing_name"] if "thing_name" not in seen.hidden else None,
        (row["longitude"], row["latitude"]) if placed else None,
        tuple(_latest(catalog, seen, row)),
    )


def told(one: Measured, site: Site) -> dict[str, Any]:
    """The facts for a machine."""
    entry, words = one.seen.entry, one.metadata
    return {
        "name": entry.name,
        "title": words.title,
        "title_en": words.title_en,
        "kind": entry.dataset.kind.value,
        "simulated": words.simulated,
        "observed": [_property(name) for name in one.properties] or [_column(column) for column in one.columns],
        "things": entry.extent.things if entry.dataset.kind is Kind.TIMESERIES else None,
        "rows": entry.extent.rows,
        "bbox": one.box,
        "update_frequency": _frequency(words.update_frequency),
        "first_time": entry.extent.first_time,
        "last_time": entry.extent.last_time,
        "kept_for": _days(words.kept_for),
        "publisher": words.publisher.title,
        "contact": words.contact and words.contact.model_dump(mode="json", exclude_none=True),
        "purpose": words.purpose,
        "privacy": words.privacy and told_privacy(words.privacy),
        "links": {"html": site.absolute(f"/measured#{entry.name}"), "dataset": site.absolute(f"/api/v1/datasets/{entry.name}")},
    }


def told_privacy(privacy: Privacy) -> dict[str, Any]:
    """The privacy block for a machine, with what is never kept."""
    never = [{"title": german, "title_en": english} for german, english in NEVER_KEPT]
    return {**privacy.model_dump(mode="json", exclude_none=True), "never_kept": never}


def told_thing(one: Thing, site: Site) -> dict[str, Any]:
    """The facts of a thing for a machine."""
    entry, words = one.seen.entry, one.seen.entry.dataset.metadata
    return {
        "thing": one.thing,
        **({} if "thing_name" in one.seen.hidden else {"thing_name": one.name}),
        "dataset": entry.name,
        "title": words.title,
        "title_en": words.title_en,
        **({} if one.place is None else {"longitude": one.place[0], "latitude": one.place[1]}),
        "latest": one.latest,
        "purpose": words.purpose,
        "publisher": words.publisher.title,
        "contact": words.contact and words.contact.model_dump(mode="json", exclude_none=True),
        "privacy": words.privacy and told_privacy(words.privacy),
        "links": {"html": site.absolute(address(entry.name, one.thing)), "dataset": site.absolute(f"/api/v1/datasets/{entry.name}")},
    }


def address(dataset: str, thing_: str) -> str:
    """The page of a thing: short, lasting, fit for a sign on a mast."""
    return f"/datasets/{dataset}/things/{quote(thing_)}"


def _things(lake: Lake, seen: Readable) -> list[dict[str, Any]]:
    """The things as rows; none where nothing is stored yet."""
    try:
        rows: list[dict[str, Any]] = lake.things(seen.entry.name).to_pylist()
    except NotFound:
        return []
    return rows


def _latest(catalog: Catalog, seen: Readable, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The newest observation of each property, as far as the caller may see it."""
    for name in row["observed_properties"]:
        newest = catalog.recent(seen.entry.name, datastream_key(row["thing"], name), 1)
        for one in orjson.loads(newest or b"[]"):
            yield shown(one, seen.decision)


def _frequency(id_: str | None) -> dict[str, Any] | None:
    return {"id": id_, "title": FREQUENCIES[id_][0], "title_en": FREQUENCIES[id_][1]} if id_ else None


def _days(length: timedelta | None) -> str | None:
    """A length of time in the form of ISO 8601, never rounded to months or years."""
    if length is None:
        return None
    return f"PT{int(length.total_seconds())}S" if length % timedelta(days=1) else f"P{length.days}D"


def _property(name: str) -> dict[str, Any]:
    known = OBSERVED_PROPERTIES.get(name)
    unit = known.unit if known else None
    return {"observed_property": name, "title": title(name, "de"), "title_en": title(name, "en"), "unit": unit}


def _column(column: Column) -> dict[str, Any]:
    return {"column": column.name, "title": column.title or column.name, "title_en": column.title_en or None, "unit": column.unit}
