"""JSON that is a table: where its rows stand, which paths they have, and what those mean."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Any

import orjson

from stadthub_ingest.detection.mapped import fields_of, identifies, options_of
from stadthub_ingest.detection.meaning import Setting, meaning
from stadthub_ingest.detection.names import id_rank
from stadthub_ingest.detection.personal import personal_kinds
from stadthub_ingest.detection.proposal import Field, Guess, Proposal, Said
from stadthub_ingest.detection.tabular import notation
from stadthub_ingest.detection.traits import Traits
from stadthub_ingest.geometries import GEOMETRIES
from stadthub_schemas.dataset import Kind
from stadthub_schemas.rows import FEATURES_IN

#: So many rows, paths in a row and levels below it are looked at; no cell is longer than CELL.
ROWS, PATHS, DEPTH, CELL = 500, 200, 4, 500
_PLAIN = re.compile(r'[^.\[\]"*^$@]+\Z')
_CRS84 = re.compile(r"(CRS:?84|EPSG:(:|[\d.]+:)?4326|EPSG/0/4326)\s*$", re.IGNORECASE)


def of_objects(found: Any, setting: Setting, *, lines: bool) -> Proposal:
    """What JSON without a known family is."""
    path, rows = _rows(found)
    geojson = isinstance(found, dict) and found.get("type") in ("FeatureCollection", "Feature")
    if isinstance(found, dict) and found.get("type") == "FeatureCollection":
        path, rows = "features[*]", [one for one in found.get("features") or [] if isinstance(one, dict)]
    columns = _columns(rows[:ROWS], DEPTH)
    if isinstance(found, dict) and found.get("type") in GEOMETRIES and ("coordinates" in found or "geometries" in found):
        reason = Said("eine Geometrie ohne Eigenschaften", "a geometry without properties")
        return Proposal("geojson", Kind.FEATURES, {}, (), (Guess("format", "GeoJSON", 0.95, reason),))
    points = _access_points(path, columns)
    if points is not None:
        return points
    told = meaning(columns, Setting(setting.zone, setting.name, live=True))
    title = "GeoJSON" if geojson else "NDJSON" if lines else "JSON"
    where = Guess("rows", path or "–", 0.8, Said(f"{len(rows)} Objekte gleicher Art", f"{len(rows)} objects of one kind"))
    guesses = [
        Guess("format", title, 0.9, Said("JSON", "JSON") if not geojson else Said("type: FeatureCollection", "type: FeatureCollection")),
        where,
    ]
    if geojson and told.kind is not Kind.TIMESERIES:
        flat = _columns(rows[:ROWS], 1)
        people = personal_kinds([(column.header, column.there) for column in flat])
        return _geojson(found, flat, (people, guesses, told.warnings))
    base = notation(told) | ({"rows": path} if path else {}) | ({"lines": True} if lines else {})
    fields = fields_of(told, setting.name)
    if told.kind is Kind.TIMESERIES and path.endswith("*") and not any(one.becomes == "thing" for one in fields):
        fields = (*fields, Field("@key", "thing", "key", None, None, None, (), 0.7, Said("der Name des Objekts", "the name of the object")))
    options = options_of(told.kind, fields, base, setting.name)
    key = [one.name for one in fields if one.becomes == "key"]
    return Proposal("json_table", told.kind, options, fields, (*guesses, *told.guesses), told.warnings, key, told.frequency)


#: What dashboards of WLANs call the number of clients, what tells their access points apart, and where those stand.
_CLIENTS = frozenset({"clients", "client_count", "clientcount", "num_clients", "numclients", "num_sta", "connected_clients"})
_POINTS = ("serial", "serialnumber", "mac", "macaddr", "macaddress", "bssid", "apmac")


def _access_points(path: str, columns: list[Traits]) -> Proposal | None:
    """Access points with counts of clients: the decoder that keeps nothing but the counts. None if these are none."""
    by_name = {column.place.rsplit(".", 1)[-1].lower(): column for column in reversed(columns)}
    count = next((column for name, column in by_name.items() if name in _CLIENTS and column.is_number), None)
    identity = next((by_name[name] for name in _POINTS if name in by_name), None)
    if count is None or identity is None:
        return None
    options: dict[str, Any] = {"rows": path.removesuffix("[*]")} if path else {}
    options |= {"id": identity.place, "values": {"wifi_clients": count.place}}
    reason = Said(f"enthält {count.place} und {identity.place}", f"holds {count.place} and {identity.place}")
    return Proposal("wlan_counts", Kind.TIMESERIES, options, (), (Guess("format", "WLAN", 0.8, reason),), (), (), "15MIN")


def _geojson(found: dict[str, Any], columns: list[Traits], told: tuple[Any, list[Guess], Any]) -> Proposal:
    """Features whose place is their geometry: which property tells them apart, and which are kept."""
    personal, guesses, warnings = told
    props = [(column, kind) for column, kind in zip(columns, personal, strict=True) if column.place.startswith("properties.")]
    has_id = any(column.place == "id" and column.is_unique for column in columns)
    unique = [c for c, kind in props if kind is None and c.is_unique]
    named = next((c for c in unique if re.search(r"(^|[._ ])(id|gid|fid|objectid|nr|nummer|code|key)$|id$", c.header, re.IGNORECASE)), None)
    identity = None if has_id else named or next(iter(unique), None)
    fields = _named_apart([_property(column, kind, identity) for column, kind in props])
    options = geojson_options(fields, {})
    crs = found.get("crs")
    name = str((crs.get("properties") or {}).get("name") if isinstance(crs, dict) else crs)
    extra: list[Said] = []
    if crs is not None and not _CRS84.search(name):
        guesses.append(Guess("crs", name[-20:], 0.95, Said("so steht es in der Datei", "the file says so")))
    if identity is None and not has_id:
        extra.append(Said("Keine Eigenschaft unterscheidet die Objekte voneinander.", "No property tells the features apart."))
    guesses.append(Guess("kind", "features", 0.9, Said("Orte mit Eigenschaften", "places with properties")))
    people = [one for one in warnings if "„" in one.de]
    return Proposal("geojson", Kind.FEATURES, options, tuple(fields), tuple(guesses), (*people, *extra), (), None)


def with_properties(proposal: Proposal, rows: Sequence[Mapping[str, Any]]) -> Proposal:
    """The proposal for features whose properties were read: which of them are kept, and which tell of people."""
    columns = _columns([{"properties": dict(row)} for row in rows[:ROWS]], 1)
    people = personal_kinds([(column.header, column.there) for column in columns])
    whole = _columns([{"properties": dict(row)} for row in rows], 1) if len(rows) > ROWS else columns
    named = [column for column, kind in zip(whole, people, strict=False) if kind is None and identifies(column)]
    best = min(named, key=lambda column: id_rank(column.header) or 0, default=None)
    identity = next((column for column in columns if best is not None and column.place == best.place), None)
    fields = _named_apart([_property(column, kind, identity) for column, kind in zip(columns, people, strict=True)])
    return replace(proposal, fields=tuple(fields))


def _named_apart(fields: Sequence[Field]) -> list[Field]:
    """The fields, of which no two have one name and none that of a column that all features have."""
    taken = {one.name for one in FEATURES_IN if one.name != "id"}
    found: list[Field] = []
    for one in fields:
        names = chain([one.name], (f"{one.name[:59]}_{number}" for number in count(2)))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        found.append(replace(one, name=name))
    return found


def geojson_options(fields: Sequence[Field], base: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the geojson decoder: the property that tells features apart, and the allow-list of the others."""
    identity = next((one for one in fields if one.becomes == "id"), None)
    places = {one.name: one.place.removeprefix("properties.").strip('"') for one in fields if one.becomes in ("property", "id")}
    kept = list(places) if all(name == place for name, place in places.items()) else places
    options = {key: value for key, value in base.items() if key not in ("id", "properties", "keep")}
    options |= {"id": identity.place.removeprefix("properties.")} if identity else {}
    return options | {"properties": kept} | ({"keep": "named"} if any(one.personal for one in fields) else {})


def _property(column: Traits, personal: str | None, identity: Traits | None) -> Field:
    [field] = fields_of_property(column, personal)
    if column is identity:
        return Field(field.place, "id", field.name, None, None, None, field.examples, 0.8, Said("überall anders", "another everywhere"))
    return field


def fields_of_property(column: Traits, personal: str | None) -> tuple[Field, ...]:
    """A property as a field of its own."""
    told = meaning([Traits(column.place, column.header, column.cells)], Setting("UTC"))
    field = fields_of(told, "")[0]
    becomes = "drop" if personal else "property"
    return (Field(field.place, becomes, field.name, field.unit, field.type, personal or field.personal, field.examples, 0.8, field.reason),)


def _rows(found: Any) -> tuple[str, list[Any]]:
    """The path to the longest list of objects, or to an object of objects; the whole if there is none."""
    if isinstance(found, list):
        return "", [one for one in found if isinstance(one, dict)]
    best: tuple[str, list[Any]] = ("", [found])
    lone = not (isinstance(found, dict) and any(isinstance(value, dict) for value in found.values()))  # a list of one beside no object
    for path, value in _within(found, "", 0):
        are_rows = isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value[:50])
        if are_rows and (len(value) > len(best[1]) or (lone and not best[0])):
            best = (f"{path}[*]", value)
    if best[0] == "" and isinstance(found, dict):
        for path, value in (("", found), *((path, one) for path, one in _within(found, "", 0) if isinstance(one, dict))):
            inner = list(value.values())
            if (
                len(inner) > 2
                and all(isinstance(one, dict) for one in inner)
                and len({frozenset(one) for one in inner}) <= max(1, len(inner) // 3)
            ):
                return (f"{path}.*" if path else "*"), inner
    return best


def _within(value: Any, before: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Objects and lists below, breadth as it comes, a few levels deep."""
    if not isinstance(value, dict) or depth > 3:
        return
    for key, child in list(value.items())[:PATHS]:
        path = _join(before, str(key))
        if isinstance(child, dict | list):
            yield path, child
            yield from _within(child, path, depth + 1)


def _join(before: str, key: str) -> str:
    step = key if _PLAIN.match(key) and key != "@key" else '"' + key.replace('"', "") + '"'
    return f"{before}.{step}" if before else step


def _columns(rows: list[Any], depth: int) -> list[Traits]:
    """Each path of the rows with its cells as text; lists are left out, but for the coordinates of a point."""
    flat = [dict(_flat(row, "", depth)) for row in rows]
    paths = list(dict.fromkeys(path for row in flat for path in row if path not in _OF_GEOJSON))[:PATHS]
    return [Traits(path, _header(path), [row.get(path, "") for row in flat]) for path in paths]


#: What says that GeoJSON is GeoJSON.
_OF_GEOJSON = frozenset({"type", "geometry.type"})


def _header(path: str) -> str:
    """The path for readers: without quotes, and without what is around every property of GeoJSON."""
    return path.replace('"', "").removeprefix("properties.")


def _flat(value: Any, before: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth >= 0:
        for key, child in list(value.items())[:PATHS]:
            yield from _flat(child, _join(before, str(key)), depth - 1)
    elif isinstance(value, list):
        if before.endswith("coordinates") and len(value) in (2, 3) and all(isinstance(one, int | float) for one in value):
            yield from ((f"{before}[{number}]", repr(one)) for number, one in enumerate(value[:2]))
    else:
        yield before, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return orjson.dumps(value, default=str).decode()[:CELL] if isinstance(value, dict) else str(value)[:CELL]
