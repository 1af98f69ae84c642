"""Tables with a Frictionless Table Schema: CSV or TSV with the schema in the options, or a zip with datapackage.json.

A cell that is not of its column's type or breaks a constraint makes its row a reject.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.delimited import Delimiter, Layout, Sheet, open_sheet
from stadthub_ingest.keys import column_keys
from stadthub_ingest.packed import Packed
from stadthub_ingest.tableschema import Schema, SchemaField, broken, read
from stadthub_ingest.texts import read_json, read_text
from stadthub_ingest.times import Times
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import Strict

_ZIP = b"PK\x03\x04"
_INNER = re.compile(r"[\w.\-/ ]+\Z")


class Options(Strict):
    """Where the schema is and how the text is laid out."""

    kind: Kind = Field(default=Kind.TABLE, description="set from the feed's own kind")
    table_schema: dict[str, Any] | None = Field(default=None, description="the Table Schema; absent: the payload is a zip with one")
    resource: str | None = Field(default=None, description="of a data package: the name of the resource; absent: its first table")
    delimiter: Delimiter | None = Field(default=None, description="absent: the dialect's, a tab for TSV, else a comma")
    encoding: str | None = Field(default=None, description="absent: as csv_table finds it")
    decimal_columns: tuple[str, ...] = Field(default=(), description="number columns that hold amounts: kept exact, never as a float")
    time_zone: str | None = Field(default=None, description="of times that do not say theirs; absent: UTC, as the standard has it")

    @field_validator("kind")
    @classmethod
    def _only_table(cls, value: Kind) -> Kind:
        if value is not Kind.TABLE:
            raise ValueError(f'table_schema makes a table, not {value}: write kind = "table"')
        return value

    @model_validator(mode="after")
    def _right(self) -> Self:
        Times(time_zone=self.time_zone)
        if self.table_schema is not None:
            try:
                read_schema(self.table_schema)
            except DecodeError as error:
                raise ValueError(f"table_schema.{error}") from error
        return self


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """The rows in the order of the file."""
    if payload.startswith(_ZIP):
        text, schema, delimiter = _packed(payload, options)
    elif options.table_schema is None:
        raise DecodeError("options.table_schema: missing: only a zip with datapackage.json brings its own schema")
    else:
        schema = read_schema(options.table_schema)
        text = read_text(payload, options.encoding)
        delimiter = options.delimiter or ("\t" if "\t" in text.partition("\n")[0] else ",")
    sheet = open_sheet(text, Layout(delimiter, '"', 0, True, 0, None))
    yield from _rows(sheet, schema, options)


def read_schema(found: Any) -> Schema:
    """The schema; DecodeError says what is wrong with it."""
    try:
        return Schema.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if not str(part).startswith("tuple["))
        raise DecodeError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from error


def _packed(payload: bytes, options: Options) -> tuple[str, Schema, str]:
    """Text, schema and delimiter of the resource of a data package."""
    packed = Packed(payload)
    where = packed.find("datapackage.json")
    if where is None:
        raise DecodeError("the archive has no datapackage.json")
    package = read_json(packed.read(where))
    resources = [one for one in package.get("resources") or [] if isinstance(one, dict)] if isinstance(package, dict) else []
    wanted = [one for one in resources if options.resource in (None, one.get("name")) and one.get("path")]
    if not wanted:
        raise DecodeError(f"datapackage.json: it has no such resource; it has {', '.join(str(one.get('name')) for one in resources)}")
    resource = wanted[0]
    folder = PurePosixPath(where).parent
    path = resource["path"][0] if isinstance(resource["path"], list) else resource["path"]
    body = _member(packed, folder, path)
    found = options.table_schema or resource.get("schema")
    if isinstance(found, str):
        found = read_json(_member(packed, folder, found))
    given = resource.get("dialect")
    dialect = given if isinstance(given, dict) else {}
    tabs = str(path).endswith(".tsv") or resource.get("format") == "tsv"
    delimiter = options.delimiter or dialect.get("delimiter") or ("\t" if tabs else ",")
    return read_text(body, options.encoding or resource.get("encoding")), read_schema(found), str(delimiter)[:1]


def _member(packed: Packed, folder: PurePosixPath, path: Any) -> bytes:
    """What stands at a path within the archive; nowhere else is looked."""
    name = str(folder / str(path)).removeprefix("./")
    if not _INNER.match(name) or name not in packed.names:
        raise DecodeError(f"datapackage.json: the archive has no {str(path)[:100]!r}")
    return packed.read(name)


def _rows(sheet: Sheet, schema: Schema, options: Options) -> Iterator[Decoded]:
    names = column_keys(one.name for one in schema.fields)
    exact = {name: one.model_copy(update={"format": "decimal"}) for name, one in zip(names, schema.fields, strict=True)}
    lacking = [one.name for one in schema.fields if one.name not in sheet.header]
    if lacking:
        raise DecodeError(f"line 1: there is no column {', '.join(lacking[:10])}, which the schema has")
    for extra in [name for name in sheet.header if name not in {one.name for one in schema.fields}]:
        yield Unreadable(extra, f"line 1: the schema has no column {extra[:100]!r}: it is left out")
    columns = [
        (name, exact[name] if name in options.decimal_columns else one, sheet.column(one.name), schema.marks(one))
        for name, one in zip(names, schema.fields, strict=True)
    ]
    unique: dict[tuple[str, ...], set[Any]] = {(one.name,): set() for one in schema.fields if one.constraints.unique}
    if schema.key:
        unique[schema.key] = set()
    for record in sheet.records():
        if isinstance(record, Unreadable):
            yield record
            continue
        row = {name: _cell(record[place], one, marks, options) for name, one, place, marks in columns}
        yield _again(row, unique, dict(zip((one.name for one in schema.fields), names, strict=True))) or row


def _cell(text: str, one: SchemaField, marks: frozenset[str], options: Options) -> Any:
    if text in marks or text.strip() in marks:
        return Unreadable("", "missing, and the schema requires it") if one.constraints.required else None
    if one.type != "string":
        text = text.strip()
    value = read(text, one, options.time_zone)
    if isinstance(value, Unreadable):
        return value
    reason = broken(value, text, one, options.time_zone)
    return value if reason is None else Unreadable(text, reason)


def _again(row: Row, unique: dict[tuple[str, ...], set[Any]], names: dict[str, str]) -> Unreadable | None:
    """Why a row may not stand beside one that came before it; None if it may."""
    if any(isinstance(value, Unreadable) for value in row.values()):
        return None
    for columns, seen in unique.items():
        values = tuple(str(row.get(names.get(column, column))) for column in columns)
        if values in seen:
            return Unreadable(str(row)[:1000], f"{', '.join(columns)}: {', '.join(values)[:100]!r} stands twice, and the schema forbids it")
        seen.add(values)
    return None
