"""Rows of observations cut into the fragments of their JSON, as the hot store keeps them.

A row's own text has marks where the words belong that all rows of its datastream share. JSON has no control characters, so
the marks can't be mistaken for data.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from stadthub_schemas.rows import datastream_key

_IDENTITY, _UNIT, _PLACE = "\x01", "\x02", "\x03"

_TEXTS = ("thing", "observed_property", "result_text", "unit", "quality", "thing_name", "parameters")
_NUMBERS = ("result", "longitude", "latitude")
_TIMES = ("phenomenon_time", "received_time")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cut_up(dataset: str, fresh: pa.Table, most: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The datastreams of these rows (each with its newest words) and the newest `most` rows of each, both as parameters of SQL.
    By datastream, so that two processes take their locks in the same order."""
    streams: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for written, kept in _by_datastream(fresh, most):
        datastream = datastream_key(kept[0]["thing"], kept[0]["observed_property"])
        streams.append({"dataset": dataset, "datastream": datastream, "written": written, **_shared(datastream, kept)})
        rows.extend({"dataset": dataset, "datastream": datastream, "time": row["phenomenon_time"], "body": _own(row)} for row in kept)
    return streams, rows


def _by_datastream(fresh: pa.Table, most: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """For each datastream, in the order of their keys: how many rows came, and the newest `most` of them, newest first."""
    keys = _keys(fresh)
    sorting = pa.table({"key": keys.indices, "time": fresh["phenomenon_time"]})
    order = pc.sort_indices(sorting, sort_keys=[("key", "ascending"), ("time", "descending")])
    counted = dict(zip(*(column.to_pylist() for column in pc.value_counts(keys.indices).flatten()), strict=True))
    names = keys.dictionary.to_pylist()
    starts, start = {}, 0
    for code in sorted(counted):
        starts[code] = start
        start += counted[code]
    codes = sorted(counted, key=names.__getitem__)
    wanted = pa.concat_arrays([order.slice(starts[code], min(counted[code], most)) for code in codes])
    rows = _dicts(fresh.take(wanted))
    for code in codes:
        yield counted[code], list(_next(rows, min(counted[code], most)))


def _keys(fresh: pa.Table) -> pa.DictionaryArray:
    """The key of each row, coded: the lake hands it over with its own rows."""
    if "datastream" in fresh.column_names:
        keys = fresh["datastream"].unify_dictionaries().combine_chunks()
        if isinstance(keys, pa.DictionaryArray):
            return keys
    words = (fresh[name].cast(pa.string()) for name in ("thing", "observed_property"))
    return pc.binary_join_element_wise(*words, ":").combine_chunks().dictionary_encode()


def _next(rows: Iterator[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    return (next(rows) for _ in range(count))


def _dicts(table: pa.Table) -> Iterator[dict[str, Any]]:
    """The rows as dicts with every column that a fragment needs: times as microseconds, what is missing as None."""
    columns: dict[str, list[Any]] = {}
    for name in chain(_TEXTS, _NUMBERS, _TIMES):
        if name not in table.column_names:
            columns[name] = [None] * table.num_rows
        elif name in _TIMES:
            columns[name] = table[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
        else:
            columns[name] = table[name].to_pylist()
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _shared(datastream: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What all rows of a datastream share: of each word the newest that is known."""
    newest = rows[0]
    name = _newest(rows, "thing_name")
    unit = _newest(rows, "unit")
    placed = next((row for row in rows if row["longitude"] is not None and row["latitude"] is not None), newest)
    return {
        "time": newest["phenomenon_time"],
        "identity": f',"datastream":{_json(datastream)},"thing":{_json(newest["thing"])},"thing_name":',
        "thing_name": _json(name),
        "observed_property": f',"observed_property":{_json(newest["observed_property"])}',
        "unit": f',"unit":{_json(unit)}',
        "place": f',"longitude":{_json(placed["longitude"])},"latitude":{_json(placed["latitude"])}',
    }


def _newest(rows: list[dict[str, Any]], column: str) -> Any:
    return next((row[column] for row in rows if row[column] is not None), None)


def _own(row: dict[str, Any]) -> str:
    """What is a row's own, with marks for the rest."""
    return (
        f'{{"phenomenon_time":{_time(row["phenomenon_time"])}{_IDENTITY}'
        f',"result":{_json(row["result"])},"result_text":{_json(row["result_text"])}{_UNIT}'
        f',"quality":{_json(row["quality"])}{_PLACE}'
        f',"received_time":{_time(row["received_time"])},"parameters":{row["parameters"] or "null"}}}'
    )


def property_of(fragment: str) -> str:
    """The observed property whose fragment this is."""
    return str(orjson.loads(f"[{fragment.partition(':')[2]}]")[0])


def complete(identity: str, thing_name: str, observed_property: str, unit: str, place: str, bodies: str) -> str:
    """The rows as JSON: the shared words in the places of their marks."""
    named = f"{identity}{thing_name}{observed_property}"
    return bodies.replace(_IDENTITY, named).replace(_UNIT, unit).replace(_PLACE, place)


def count(bodies: str | None) -> int:
    """How many rows these are."""
    return bodies.count(_IDENTITY) if bodies else 0


def _json(value: Any) -> str:
    return "null" if value is None else orjson.dumps(value).decode()


@lru_cache(maxsize=4096)
def _time(microseconds: int | None) -> str:
    """ISO 8601 in UTC, with a fraction only where there is one."""
    if microseconds is None:
        return "null"
    return orjson.dumps(_EPOCH + timedelta(microseconds=microseconds), option=orjson.OPT_UTC_Z).decode()
