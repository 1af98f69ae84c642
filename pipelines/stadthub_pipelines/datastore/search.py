"""`datastore_search`: rows of one table, with filters, words, order, pages and an exact total."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson

from stadthub_catalog.asked import Asked
from stadthub_catalog.parameters import flag
from stadthub_catalog.refusals import Invalid
from stadthub_lake.lake import CSV, LISTS, NUMBER, OBJECTS, TSV
from stadthub_lake.numbered_forms import ROW
from stadthub_lake.recordset import ID
from stadthub_pipelines.datastore import asking
from stadthub_pipelines.datastore.asking import Search
from stadthub_pipelines.datastore.opened import Opened, Rooms, opened
from stadthub_schemas.errors import QueryError

_ADDRESS = "/api/3/action/datastore_search"
_SHAPES = {"objects": OBJECTS, "lists": LISTS, "csv": CSV, "tsv": TSV}
_DELIMITERS = {"csv": ",", "tsv": "\t"}

#: What a question that took too long says in the lake's words.
_TOO_LONG = "took longer"


def search(rooms: Rooms, asked: Asked) -> bytes:
    """Rows of a table of the DataStore.

    resource_id: the id of its resource, an alias, or the id or name of a dataset that a feed brings; filters: {field: value, [values] or
    {lt, lte, gt, gte, eq, in: value}}, also {$or: […]}, {$and: […]}; q: words, or {field: words}; full_text: words; plain: false lets
    `word:*` be a beginning; fields: a list; sort: `a, b desc nulls last`; distinct; limit (100, at most 32000); offset; include_total;
    records_format: objects, lists, csv or tsv; include_next_page: say by which filter the next page begins; as_of: the table as
    it was at a time.
    """
    said = asked.parameters
    wanted, limit, format_ = asking.resource_id(said), asking.bound(said), asking.format_of(said)
    as_of = asking.moment(said)
    table = opened(rooms, asked, wanted, 'Not found: Resource "{0}" was not found.', as_of)
    asking.allow(said, asking.SEARCH)
    found = asking.read(said, table, limit)
    found = replace(found, query=replace(found.query, as_of=as_of), format=format_)
    head = {**_echoed(said, found), "limit": limit, "resource_id": table.key}
    with answering():
        records, last, number = _records(rooms, table, found)
        more: dict[str, Any] = {"total": _total(rooms, table, found, number)} if flag(said, "include_total", "true") else {}
    if flag(said, "include_next_page") and last is not None and _by_number(found):
        more["next_page"] = {ID: {"lt" if found.query.sort else "gt": last}}
    more["_links"] = _links(said, limit)
    body = {
        **dict(sorted(head.items())),
        **_operations(found),
        "records": orjson.Fragment(records),
        "fields": told_fields(table, found.fields),
        **more,
    }
    return orjson.dumps(body)


@contextmanager
def answering() -> Iterator[None]:
    """What the lake refuses, in CKAN's form."""
    try:
        yield
    except QueryError as error:
        reason = "Search took too long" if _TOO_LONG in str(error) else "Invalid query"
        raise Invalid({"query": [reason], "info": {"orig": [str(error)]}}) from error


def told_fields(table: Opened, names: Sequence[str]) -> list[dict[str, Any]]:
    """The fields as CKAN tells them."""
    known = {one.id: one.told() for one in table.fields}
    return [{"id": ID, "type": "int"} if name == ID else known[name] for name in names]


def _echoed(said: Mapping[str, Any], found: Search) -> dict[str, Any]:
    """The parameters as they were understood; the order of their names is CKAN's."""
    echoes = {name: said[name] for name in ("q", "full_text", "filters", "sort", "language", "as_of") if said.get(name)}
    if isinstance(echoes.get("filters"), str):
        echoes["filters"] = orjson.loads(echoes["filters"])
    if said.get("sort") is not None:
        echoes["sort"] = asking.listed(said["sort"])
    if "offset" in said:
        echoes["offset"] = found.query.offset
    echoes |= {name: flag(said, name) for name in ("plain", "distinct") if name in said}
    return {
        "include_next_page": flag(said, "include_next_page"),
        "include_total": flag(said, "include_total", "true"),
        "records_format": found.format,
        **echoes,
    }


def _operations(found: Search) -> dict[str, Any]:
    return {} if found.op is None else {"filterops": found.op.told()}


def _by_number(found: Search) -> bool:
    return not found.query.distinct and [one.column for one in found.query.sort] in ([], [ID])


def _records(rooms: Rooms, table: Opened, found: Search) -> tuple[bytes, int | None, int]:
    """The records as JSON, the number of the last one, and how many they are."""
    if not table.snapshot.columns or found.query.limit == 0:
        return b'""' if found.format in _DELIMITERS else b"[]", None, 0
    page = rooms.lake.numbered(found.query, _SHAPES[found.format])
    last = page[NUMBER][-1].as_py() if NUMBER in page.column_names and page.num_rows else None
    rows = page[ROW].to_pylist()
    if found.format in _DELIMITERS:
        return orjson.dumps("".join(rows)), last, len(rows)
    return b"[" + ",".join(rows).encode() + b"]", last, len(rows)


def header_text(names: Sequence[str], format_: str) -> bytes:
    """The names of the fields as the first line."""
    out = io.StringIO()
    csv.writer(out, delimiter=_DELIMITERS[format_]).writerow(names)
    return out.getvalue().encode()


def _total(rooms: Rooms, table: Opened, found: Search, number: int) -> int:
    """How many rows there are on all pages; where this one is the last it is known."""
    query = found.query
    if query.limit is not None and number < query.limit and (number or not query.offset):
        return query.offset + number
    return rooms.lake.numbered_count(found.query) if table.snapshot.columns else 0


def _links(said: Mapping[str, Any], limit: int) -> dict[str, str]:
    """Where the first, the next and the page before are, for clients that follow addresses."""
    plain = {
        key: orjson.dumps(value).decode() if isinstance(value, list | dict) else str(value)
        for key, value in said.items()
        if key != "offset"
    }
    offset = int(said.get("offset") or 0)
    start = f"{_ADDRESS}?{urlencode(plain)}"
    links = {"start": start, "next": f"{start}&offset={offset + limit}"}
    if offset:
        links["prev"] = start if offset <= limit else f"{start}&offset={offset - limit}"
    return links
