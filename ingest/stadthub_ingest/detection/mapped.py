"""From columns to the mapping and back: fields out of what the columns mean, and a decoder's options out of fields."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stadthub_ingest.detection.dates import NUMERIC
from stadthub_ingest.detection.meaning import Meaning
from stadthub_ingest.detection.names import id_rank, is_code, is_id_word, key_of, property_of, unit_in
from stadthub_ingest.detection.personal import masked
from stadthub_ingest.detection.proposal import Field, Said
from stadthub_ingest.detection.traits import Traits
from stadthub_ingest.keys import column_keys, property_key, thing_key
from stadthub_schemas.dataset import ColumnType, Kind
from stadthub_schemas.properties import OBSERVED_PROPERTIES

#: Words in the name of a sample that tell what is counted in it, where no header does.
_SUBJECTS = (
    ("bike", "bicycles"),
    ("rad", "bicycles"),
    ("bicycle", "bicycles"),
    ("fuss", "pedestrians"),
    ("passant", "pedestrians"),
    ("pedest", "pedestrians"),
    ("park", "parking_free"),
    ("kfz", "vehicles"),
    ("verkehr", "vehicles"),
    ("pegel", "water_level"),
    ("laerm", "sound_level"),
)
_SHOWN, _CELL = 3, 60

_ROLE_REASONS = {
    "phenomenon_time": Said("die Werte sind Zeiten", "the values are times"),
    "longitude": Said("Grad im Bereich von Längen", "degrees in the range of longitudes"),
    "latitude": Said("Grad im Bereich von Breiten", "degrees in the range of latitudes"),
    "geometry": Said("WKT oder GeoJSON", "WKT or GeoJSON"),
    "thing": Said("unterscheidet die Messstellen", "tells the things apart"),
    "thing_name": Said("ein Name für Leserinnen und Leser", "a name for readers"),
    "id": Said("in jeder Zeile anders", "another in each row"),
    "key": Said("in jeder Zeile anders", "another in each row"),
}
_BY_HEADER = Said("nach der Überschrift", "by its header")
_UNUSED = Said("wird für Messwerte nicht gebraucht", "is not needed for observations")


def fields_of(found: Meaning, name: str) -> tuple[Field, ...]:
    """The mapping as a table: a field for each column of the sample."""
    keys = column_keys([column.header for column in found.parts.columns])
    values = [column for column in found.parts.columns if found.parts.roles.get(column.place) == "value"]
    return tuple(
        replace(_field(found, column, (key, kind), _subject(name), values), identifies=kind is None and identifies(column))
        for column, key, kind in zip(found.parts.columns, keys, found.parts.personal, strict=True)
    )


def _subject(name: str) -> str:
    key = property_key(name)
    return next((subject for word, subject in _SUBJECTS if word in key), "")


def _field(found: Meaning, column: Traits, named: tuple[str, str | None], subject: str, values: Sequence[Traits]) -> Field:
    """What is proposed for one column."""
    key, personal = named
    cells = list(dict.fromkeys(column.there))[:_SHOWN]
    examples = tuple((masked(cell) if personal else cell[:_CELL]) for cell in cells)
    role = found.parts.roles.get(column.place)
    unit = unit_in(column.header)[1]
    if personal is not None:
        return Field(
            column.place, "drop", key, None, type_of(column), personal, examples, 0.8, Said("sagt etwas über Personen", "tells of people")
        )
    if role == "value":
        known = property_of(column.header)
        shared = {one[0] for value in values if (one := property_of(value.header))}
        subject = next(iter(shared)) if len(shared) == 1 and found.parts.playing("thing") is None else subject
        prop = known[0] if known else subject or key_of(column.header) or key
        sure = known[1] if known else 0.4
        given = unit or (None if known is None and not subject else OBSERVED_PROPERTIES[prop].unit if prop in OBSERVED_PROPERTIES else None)
        words = _BY_HEADER if known else Said("Zahlen; die Messgröße ist nicht sicher", "numbers; what is observed is not sure")
        return Field(column.place, "value", prop, given, ColumnType.NUMBER, None, examples, sure, words)
    if role == "quality":
        of = next((value.place for value in values if _flags(column, value)), "")
        return Field(column.place, "quality", of, None, type_of(column), None, examples, 0.7, _BY_HEADER)
    if role is not None:
        return Field(column.place, role, key, unit, type_of(column), None, examples, 0.85, _ROLE_REASONS.get(role, _BY_HEADER))
    if found.kind is Kind.TIMESERIES:
        return Field(column.place, "drop", key, unit, type_of(column), None, examples, 0.6, _UNUSED)
    return Field(column.place, "property", key, unit, type_of(column), None, examples, 0.8, Said("wird eine Spalte", "becomes a column"))


def _flags(flag: Traits, value: Traits) -> bool:
    """Whether one column is the flag of the other: its header begins like it."""
    stem = key_of(flag.header).rsplit("_", 1)[0]
    return bool(stem) and (key_of(value.header) == stem or value.header.startswith(flag.header.rsplit("-", 1)[0]))


def type_of(column: Traits) -> ColumnType | None:
    """The type of a column of a table; None: text, or nothing to tell by."""
    if is_code(column.header):
        return ColumnType.TEXT
    if column.time is not None and column.time.pattern not in ("%Y", "epoch", "epoch_ms", "%Y%m%d%H"):
        return ColumnType.TIME if column.time.has_clock else ColumnType.DATE
    if column.is_number:
        return ColumnType.INTEGER if column.is_whole else ColumnType.NUMBER
    if column.there and {cell.lower() for cell in column.there} <= {"true", "false"}:
        return ColumnType.BOOLEAN
    return ColumnType.TEXT if column.there else None


def identifies(column: Traits) -> bool:
    """Whether it tells rows apart, by its header and its cells: every row has one of its own."""
    whole, not_a_time = not column.is_number or column.is_whole, column.time is None or column.time.pattern in NUMERIC
    return is_id_word(column.header) and whole and not_a_time and column.is_unique and len(column.there) == len(column.cells)


def options_of(kind: Kind, fields: Sequence[Field], base: Mapping[str, Any], thing: str) -> dict[str, Any]:
    """The options that this mapping means: an allow-list, so that nothing comes in that nobody chose. `base` is the notation;
    `thing` names the one thing of a sample that doesn't tell things apart."""
    options = {key: value for key, value in base.items() if key not in _MADE and (key != "crs" or kind is Kind.FEATURES)}
    columns: dict[str, Any] = {}
    for one in fields:
        if one.becomes == "phenomenon_time" and "phenomenon_time" in columns:
            before = columns["phenomenon_time"]
            columns["phenomenon_time"] = [*(before if isinstance(before, list) else [before]), one.place]
        elif one.becomes in _PLACES and not (one.becomes == "quality" and one.name):
            columns.setdefault(one.becomes, one.place)
    if kind is Kind.TIMESERIES:
        options.update(_observations(fields, columns, thing))
    elif kind is Kind.FEATURES:
        columns = {name: place for name, place in columns.items() if name in ("id", "longitude", "latitude", "geometry")}
    else:
        columns = {}
    if columns:
        options["columns"] = columns
    if kind is not Kind.TIMESERIES:
        kept = [one for one in fields if one.becomes in ("property", "key")]
        options["properties"] = {one.name: one.place for one in kept}
        times = [one.name for one in kept if one.type in (ColumnType.TIME, ColumnType.DATE)]
        options |= {"time_columns": times} if times else {}
        amounts = [one.name for one in kept if one.type is ColumnType.DECIMAL]
        options |= {"decimal_columns": amounts} if amounts else {}
    return options | ({"keep": "named"} if any(one.personal for one in fields) else {})


#: What this module makes; everything else of given options stays.
_MADE = frozenset({"columns", "values", "constants", "parameters", "properties", "time_columns", "decimal_columns", "keep"})
_PLACES = frozenset(
    {
        "thing",
        "thing_name",
        "phenomenon_time",
        "observed_property",
        "result",
        "unit",
        "quality",
        "sensor",
        "longitude",
        "latitude",
        "id",
        "geometry",
    }
)


def _observations(fields: Sequence[Field], columns: Mapping[str, Any], thing: str) -> dict[str, Any]:
    """The options values, constants and parameters of a timeseries."""
    values = [one for one in fields if one.becomes == "value"]
    flags = {one.name: one.place for one in fields if one.becomes == "quality" and one.name}
    constants: dict[str, Any] = {}
    by_header = "thing" not in columns and len(values) > 1 and len({one.name for one in values}) == 1
    if "thing" not in columns and not by_header:
        constants["thing"] = thing_key(thing) or "thing"
    if "phenomenon_time" not in columns:
        constants["phenomenon_time"] = "received"
    found: dict[str, Any] = {}
    for one in values:
        told: dict[str, Any] = {"observed_property": one.name}
        told |= {"unit": one.unit} if one.unit else {}
        told |= {"thing": one.place} if by_header else {}
        found[one.place] = told | ({"quality": flags[one.place]} if one.place in flags else {})
    parameters = {one.name or property_key(one.place): one.place for one in fields if one.becomes == "parameter"}
    parts = (("values", found), ("constants", constants), ("parameters", parameters))
    return {name: part for name, part in parts if part}


#: What a part becomes when somebody says that the dataset is of another kind; all others become what the kind keeps or drops.
_RECAST: dict[Kind, dict[str, str]] = {
    Kind.TIMESERIES: {"id": "thing", "key": "thing", "longitude": "longitude", "latitude": "latitude"},
    Kind.FEATURES: {"thing": "id", "key": "id", "longitude": "longitude", "latitude": "latitude", "geometry": "geometry"},
    Kind.TABLE: {"id": "key"},
}


def recast(fields: Sequence[Field], kind: Kind) -> tuple[Field, ...]:
    """The same columns for a dataset of another kind. What told things apart, or nothing, may be the key of a table."""
    found = tuple(replace(one, becomes=_recast(one, kind)) for one in fields)
    if kind is not Kind.TABLE or any(one.becomes == "key" for one in found):
        return found
    named = [one for one in found if one.identifies and one.becomes == "property"]
    key = min(named, key=lambda one: id_rank(one.place) or 0, default=None)
    return tuple(replace(one, becomes="key") if one is key else one for one in found)


def _recast(one: Field, kind: Kind) -> str:
    known = _RECAST[kind].get(one.becomes)
    if known is not None or one.personal is not None:
        return known if known is not None and one.personal is None else "drop"
    if kind is not Kind.TIMESERIES:
        return "property"
    if one.type in (ColumnType.TIME, ColumnType.DATE):
        return "phenomenon_time"
    return "value" if one.type in (ColumnType.NUMBER, ColumnType.INTEGER) else "drop"
