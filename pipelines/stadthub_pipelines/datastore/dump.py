"""`/datastore/dump/<id>`: a whole table, or what filters leave of it, as one stream of csv, tsv, json, xml, parquet or arrow."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

import orjson
import pyarrow as pa

from stadthub_catalog.asked import Asked
from stadthub_catalog.parameters import flag, natural
from stadthub_catalog.refusals import Invalid
from stadthub_lake.lake import CSV, LISTS, OBJECTS, TSV, Shape
from stadthub_lake.numbered_forms import ROW
from stadthub_lake.query import text_bytes
from stadthub_lake.recordset import ID
from stadthub_pipelines.datastore import asking
from stadthub_pipelines.datastore.asking import Search
from stadthub_pipelines.datastore.opened import Opened, Rooms, opened
from stadthub_pipelines.datastore.search import answering, header_text, told_fields
from stadthub_schemas.query import RowsQuery

BOM = b"\xef\xbb\xbf"

PARAMETERS = frozenset(["offset", "limit", "format", "bom", "filters", "q", "distinct", "plain", "language", "fields", "sort"])

#: Tidies the name of a field into one of an element.
_TIDY = (
    (re.compile(r"^(\d*xml\d*|\d+)", re.IGNORECASE), ""),
    (re.compile(r"\s+"), "_"),
    (re.compile(r"[^\w_.-]"), ""),
    (re.compile(r"^[\d.-]+"), ""),
)
_HEAD = b'<data xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'


@dataclass(frozen=True, slots=True)
class Format:
    """How a table is written: the type of the file, the shape in which the lake gives the rows, and what makes pieces of them."""

    media_type: str
    shape: Shape
    write: Callable[["Dump", Iterator[pa.RecordBatch]], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Dump:
    """One dump that may be made: of which table, which rows, how."""

    table: Opened
    search: Search
    name: str
    bom: bytes

    @property
    def format(self) -> Format:
        """How it is written."""
        return FORMATS[self.search.format]


def asked_dump(rooms: Rooms, asked: Asked, wanted: str) -> Dump:
    """What is to be dumped. Missing, NotAuthorized, Invalid."""
    said = asked.parameters
    name = str(said.get("format") or "csv")
    if name not in FORMATS:
        raise Invalid({"format": [f"Value must be one of {list(FORMATS)}"]})
    table = opened(rooms, asked, wanted, "DataStore resource not found")
    known: Mapping[str, Any] = {key: value for key, value in said.items() if key in PARAMETERS}
    limit = None if said.get("limit") in (None, "") else natural(said, "limit", 0)
    search = replace(asking.read(known, table, limit), format=name)
    if name in _FILES and not _is_plain(search):
        raise Invalid({"format": [f"{name} takes fields, filters and a limit: not q, sort, distinct, offset or _id"]})
    return Dump(table, search, f"{table.key}.{name}", BOM if flag(said, "bom") else b"")


def _is_plain(search: Search) -> bool:
    """Whether the lake's own files can say it."""
    query = search.query
    numbered = (query.after, query.before, query.among) != (None, None, None)
    return not (query.phrases or query.sort or query.distinct or query.offset or numbered or query.limit == 0)


def pieces(rooms: Rooms, dump: Dump) -> Iterator[bytes]:
    """The bytes of a dump, in memory that does not grow with the rows."""
    if dump.search.format in _FILES:
        yield from _file(rooms, dump)
        return
    empty = not dump.table.snapshot.columns or dump.search.query.limit == 0
    batches: Iterator[pa.RecordBatch] = iter(()) if empty else rooms.lake.numbered_batches(dump.search.query, dump.format.shape)
    with answering():
        yield from dump.format.write(dump, batches)


def _file(rooms: Rooms, dump: Dump) -> Iterator[bytes]:
    """The rows as the lake's own exports give them."""
    query = dump.search.query
    stored = any(column.name == ID for column in dump.table.snapshot.columns)
    columns = tuple(name for name in query.columns if name != ID or stored)
    rows = RowsQuery(query.dataset, query.where, columns, limit=query.limit, hidden=query.hidden, suppression=query.suppression)
    with answering():
        yield from rooms.lake.export(rows, dump.search.format)


def _table(dump: Dump, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """Lines of values; the first one names the fields."""
    yield dump.bom + header_text(dump.search.fields, dump.search.format)
    for batch in batches:
        if batch.num_rows:
            yield text_bytes(batch.column(ROW))


def _json(dump: Dump, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    fields = orjson.dumps(told_fields(dump.table, dump.search.fields))
    comma = b""
    yield dump.bom + b'{\n  "fields": ' + fields + b',\n  "records": ['
    for batch in batches:
        if batch.num_rows:
            yield comma + b"\n    " + ",\n    ".join(batch.column(ROW).to_pylist()).encode()
            comma = b","
    yield b"\n]}\n"


def _xml(dump: Dump, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    names = _elements([name for name in dump.search.fields if name != ID])
    yield dump.bom + _HEAD
    for batch in batches:
        rows = (orjson.loads(row) for row in batch.column(ROW).to_pylist())
        yield "".join(_row(row, names) for row in rows).encode()
    yield b"</data>\n"


def _row(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    number = f' _id="{row[ID]}"' if ID in row else ""
    return f"<row{number}>{''.join(_node(element, row[name]) for name, element in names.items())}</row>\n"


def _node(element: str, value: Any, key: object = None) -> str:
    """One value as an element; what holds others is taken apart."""
    named = "" if key is None else f' key="{escape(str(key), {chr(34): "&quot;"})}"'
    if value is None:
        return f'<{element} xsi:nil="true"{named} />'
    if isinstance(value, list | dict):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        body = "".join(_node("value", one, place) for place, one in inner)
    else:
        body = escape(_CONTROLS.sub("", str(value)))
    return f"<{element}{named}>{body}</{element}>" if body else f"<{element}{named} />"


#: Signs that no XML may hold.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _elements(names: Sequence[str]) -> dict[str, str]:
    """An element's name for each field, all different."""
    found: dict[str, str] = {}
    for name in names:
        tidy = unicodedata.normalize("NFC", name)
        for rule, other in _TIDY:
            tidy = rule.sub(other, tidy)
        tidy = tidy or "_"
        one, place = tidy, 0
        while one in found.values():
            one, place = f"{tidy}_{place}", place + 1
        found[name] = one
    return found


#: One line a format.
FORMATS: Mapping[str, Format] = {
    "csv": Format("text/csv; charset=utf-8", CSV, _table),
    "tsv": Format("text/tab-separated-values; charset=utf-8", TSV, _table),
    "json": Format("application/json; charset=utf-8", LISTS, _json),
    "xml": Format("text/xml; charset=utf-8", OBJECTS, _xml),
    "parquet": Format("application/vnd.apache.parquet", OBJECTS, _json),
    "arrow": Format("application/vnd.apache.arrow.stream", OBJECTS, _json),
}

#: Those that are written by the lake's own exports.
_FILES = ("parquet", "arrow")
