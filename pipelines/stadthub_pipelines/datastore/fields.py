"""The fields of a DataStore table: PostgreSQL's types as CKAN names them, how each is stored, and what is said of the whole table."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson
import pyarrow as pa

from stadthub_catalog.refusals import Invalid
from stadthub_lake.recordset import ID
from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.query import Form

TIME = pa.timestamp("us", tz="UTC")

#: A number of any size is exact up to 20 digits before and 18 behind the point.
NUMERIC = pa.decimal128(38, 18)

#: How each type is stored.
STORED: Mapping[str, pa.DataType] = {
    "text": pa.string(),
    "varchar": pa.string(),
    "bpchar": pa.string(),
    "uuid": pa.string(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "numeric": NUMERIC,
    "float4": pa.float32(),
    "float8": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "time": pa.string(),
    "timestamp": TIME,
    "timestamptz": TIME,
    "json": pa.string(),
    "jsonb": pa.string(),
}

#: Other names of the types.
_NAMES = {
    "int": "int4",
    "integer": "int4",
    "serial": "int4",
    "bigint": "int8",
    "bigserial": "int8",
    "smallint": "int2",
    "decimal": "numeric",
    "real": "float4",
    "float": "float8",
    "double precision": "float8",
    "double": "float8",
    "boolean": "bool",
    "character varying": "varchar",
    "character": "bpchar",
    "char": "bpchar",
    "string": "text",
    "citext": "text",
    "name": "text",
    "nested": "json",
    "datetime": "timestamp",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
}

#: Types of elements that a list may have.
_LISTED = ("text", "varchar", "int2", "int4", "int8", "float4", "float8", "bool", "date")

#: What the lake's own types are there.
OF_LAKE = {
    ColumnType.TEXT: "text",
    ColumnType.INTEGER: "int8",
    ColumnType.NUMBER: "float8",
    ColumnType.DECIMAL: "numeric",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATE: "date",
    ColumnType.TIME: "timestamptz",
    ColumnType.JSON: "json",
    ColumnType.GEOMETRY: "json",
}

#: Types whose text says more than their value.
FORMS = {"timestamp": Form.NAIVE_TIME, "json": Form.TEXT_OF_JSON, "jsonb": Form.TEXT_OF_JSON}

_LONGEST = 63

_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d{0,18})")
_BROKEN = re.compile(r"[+-]?(?:0|[1-9]\d{0,18})\.\d{1,18}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\dZ?)?")


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `info` is what the data dictionary says of it."""

    id: str
    type: str
    info: Mapping[str, Any] | None = None

    @property
    def stored(self) -> pa.DataType:
        """How its values are stored."""
        return pa.list_(STORED[self.type[1:]]) if self.type.startswith("_") else STORED[self.type]

    def told(self) -> dict[str, Any]:
        """The field as CKAN tells it."""
        said: dict[str, Any] = {"id": self.id, "type": self.type}
        return said if not self.info else {**said, "info": dict(self.info)}


@dataclass(frozen=True, slots=True)
class Layout:
    """What is said of a table: its fields, the key, the indexes that were asked for, its other names, and the number of the next row."""

    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    aliases: tuple[str, ...] = ()
    next: int = 1
    resource: str = field(default="")

    @property
    def schema(self) -> pa.Schema:
        """The stored columns."""
        return pa.schema([pa.field(ID, pa.int64()), *(pa.field(one.id, one.stored) for one in self.fields)])

    def field(self, name: str) -> Field | None:
        """The field of that name."""
        return next((one for one in self.fields if one.id == name), None)

    def note(self) -> str:
        """As it stands in each commit."""
        return orjson.dumps(asdict(self)).decode()


def layout(note: str | None) -> Layout | None:
    """What a commit says of its table; None: it is no table of the DataStore, or none yet: one that is made names its resource once its
    first rows are there."""
    said = orjson.loads(note) if note is not None else {}
    if not said.get("resource"):
        return None
    fields = tuple(Field(one["id"], one["type"], one["info"]) for one in said["fields"])
    indexes = tuple(tuple(one) for one in said["indexes"])
    return Layout(fields, tuple(said["key"]), indexes, tuple(said["aliases"]), said["next"], said["resource"])


def of_columns(columns: Sequence[Column], words: Mapping[str, Column]) -> tuple[Field, ...]:
    """The columns of a dataset of a feed as fields; what the catalogue says of them is their data dictionary."""
    return tuple(Field(one.name, OF_LAKE[one.type], _dictionary(words.get(one.name, one))) for one in columns)


def _dictionary(column: Column) -> dict[str, Any] | None:
    said = {"label": column.title, "label_en": column.title_en, "notes": column.description, "notes_en": column.description_en}
    said["unit"] = column.unit or ""
    return {key: value for key, value in said.items() if value} or None


def forms(fields: Sequence[Field]) -> dict[str, Form]:
    """How the values are written whose type alone doesn't say it."""
    return {one.id: FORMS[one.type] for one in fields if one.type in FORMS}


def read_type(said: Any) -> str | None:
    """The type as CKAN tells it; None if there is none of that name."""
    name = " ".join(str(said).strip().lower().split())
    if name.endswith("[]") or name.startswith("_"):
        inner = read_type(name.removesuffix("[]").removeprefix("_"))
        return f"_{inner}" if inner in _LISTED else None
    bare = name.partition("(")[0].strip()
    known = _NAMES.get(name) or _NAMES.get(bare) or bare
    return known if known in STORED else None


def is_name(name: str) -> bool:
    """Whether a field may be called so."""
    return bool(name) and name == name.strip() and name[0] != "_" and '"' not in name and not any(map(_controls, name))


def _controls(sign: str) -> bool:
    return unicodedata.category(sign).startswith("C")


def read_fields(said: Any, records: Sequence[Mapping[str, Any]], there: Layout | None) -> tuple[Field, ...]:
    """The fields that are asked for, with those that the first record has beyond them; Invalid in CKAN's words."""
    named = [_named(one) for one in said or ()]
    if len({one["id"] for one in named}) < len(named):
        raise Invalid({"field": ["Duplicate column names are not supported"]})
    first = records[0] if records else {}
    found = [_field(one, first, there) for one in named]
    known = {one.id for one in found} | ({one.id for one in there.fields} if there else set())
    for name in first:
        if name not in known and name != ID:
            _check_name(str(name))
            found.append(Field(str(name), guessed(first[name])))
    return tuple(found)


def _named(said: Any) -> dict[str, Any]:
    if not isinstance(said, Mapping) or not said.get("id"):
        raise Invalid({"fields": [{"id": ["Missing value"]}]})
    return {**said, "id": str(said["id"])}


def _field(said: Mapping[str, Any], first: Mapping[str, Any], there: Layout | None) -> Field:
    name, old = said["id"], there.field(said["id"]) if there else None
    _check_name(name)
    info = said.get("info") if isinstance(said.get("info"), Mapping) else None
    if old is not None:
        if said.get("type") and read_type(said["type"]) != old.type:
            raise Invalid({"fields": [f'The field "{name}" has the type {old.type}: its type can only be changed in a new table']})
        return replace(old, info=dict(info)) if info is not None else old
    if not said.get("type"):
        if name not in first:
            raise Invalid({"fields": [f'"{name}" type not guessable']})
        return Field(name, guessed(first[name]), info)
    kind = read_type(said["type"])
    if kind is None:
        raise Invalid({"fields": [f'"{said["type"]}" is not a valid field type']})
    return Field(name, kind, dict(info) if info is not None else None)


def _check_name(name: str) -> None:
    if not is_name(name):
        raise Invalid({"fields": [f'"{name}" is not a valid field name']})
    if len(name) > _LONGEST:
        raise Invalid({"fields": [f'Column heading "{name}" exceeds limit of {_LONGEST} characters.']})


def guessed(value: Any) -> str:
    """The type that a field with this value has where none is said."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int4" if abs(value) < 2**31 else "numeric"
    if isinstance(value, float):
        return "float8"
    if isinstance(value, Mapping | list):
        return "json"
    return _guessed_text(value) if isinstance(value, str) else "text"


def _guessed_text(value: str) -> str:
    """The type that a text looks like; what begins with a zero is a key and no number."""
    if _WHOLE.fullmatch(value):
        return "int4" if abs(int(value)) < 2**31 else "numeric"
    if _BROKEN.fullmatch(value):
        return "numeric"
    return "timestamp" if _MOMENT.fullmatch(value) else "text"
