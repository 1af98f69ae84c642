"""`datastore_search_sql`: one SELECT in PostgreSQL's words over what the caller may see, run in the lake's sandbox."""

import math
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa

from stadthub_catalog.asked import Asked
from stadthub_catalog.refusals import Invalid, NotAuthorized
from stadthub_lake.lake import Asking
from stadthub_pipelines.datastore import asking
from stadthub_pipelines.datastore.dialect import names_number, translated
from stadthub_pipelines.datastore.fields import TIME
from stadthub_pipelines.datastore.opened import Opened, Rooms, opened
from stadthub_schemas.errors import QueryError

MOST = 32_000

_TYPES = (
    (pa.types.is_boolean, "bool"),
    (pa.types.is_int16, "int2"),
    (pa.types.is_int32, "int4"),
    (pa.types.is_integer, "int8"),
    (pa.types.is_decimal, "numeric"),
    (pa.types.is_float32, "float4"),
    (pa.types.is_floating, "float8"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_duration, "interval"),
    (pa.types.is_interval, "interval"),
    (pa.types.is_list, "json"),
    (pa.types.is_nested, "json"),
    (pa.types.is_binary, "bytea"),
)


def search_sql(rooms: Rooms, asked: Asked) -> bytes:
    """Rows of one SELECT in PostgreSQL's words (the action's own words for its callers: actions.py)."""
    asking.allow(asked.parameters, ("sql",))
    sql = asked.parameters.get("sql")
    if not sql:
        raise Invalid({"sql": ["Missing value"]})
    known: dict[str, Opened] = {}

    def table_of(name: str) -> str:
        try:
            table = opened(rooms, asked, name, "Not found")
        except NotAuthorized as error:
            raise NotAuthorized("Access denied: Not authorized to read resource.") from error
        known[table.table] = table
        return table.table

    text = translated(str(sql), table_of)
    suppressions = {name: one.decision.suppression for name, one in known.items() if one.decision.suppression is not None}
    hidden = {name: one.hidden for name, one in known.items()}
    zoneless = frozenset((name, one.id) for name, table in known.items() if table.layout for one in table.fields if one.type == "timestamp")
    question = Asking(text, tuple(known), hidden, suppressions, names_number(text), zoneless)
    try:
        found = rooms.lake.ask(question)
    except QueryError as error:
        raise _refused(str(error)) from error
    types = _types(found.schema, known.values())
    columns = [
        [_READ.get(types[place], _plain)(value) for value in column.to_pylist()]
        for place, column in enumerate(found.slice(0, MOST).columns)
    ]
    names = found.column_names
    truncated = found.num_rows > MOST or (found.schema.metadata or {}).get(b"truncated") == b"true"
    body: dict[str, Any] = {
        "sql": sql,
        **({"records_truncated": True} if truncated else {}),
        "records": [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)],
        "fields": [{"id": name, "type": kind} for name, kind in zip(names, types, strict=True)],
    }
    return orjson.dumps(body)


def _refused(said: str) -> Invalid | NotAuthorized:
    """The sandbox's sentence in CKAN's form."""
    if "took longer" in said or "more memory or time" in said:
        return Invalid({"query": ["Query took too long"]})
    if "the function '" in said:
        return NotAuthorized(f"Access denied: Not authorized to call function {said.split(chr(39))[1]}")
    reason = said.removeprefix("sql: ")
    return Invalid({"query": [reason], "info": {"orig": [reason]}})


def _types(schema: pa.Schema, tables: Iterable[Opened]) -> list[str]:
    """The types of the answer's columns: where a stored field comes through as it is, the field's own."""
    said = {one.id: one for table in tables if table.layout is not None for one in table.fields}
    return [
        said[one.name].type if one.name in said and said[one.name].stored == one.type and one.type != TIME else _type(one.type)
        for one in schema
    ]


def _type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        return "_text"
    return next((name for matches, name in _TYPES if matches(kind)), "text")


def _json(value: Any) -> Any:
    try:
        return orjson.loads(value) if isinstance(value, str) else _plain(value)
    except orjson.JSONDecodeError:
        return value


#: Types whose values are read once more.
_READ = {"json": _json, "jsonb": _json}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date | clock):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, bytes | timedelta) else value
