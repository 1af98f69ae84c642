"""The first rows of a payload as a table of texts, before anything is mapped: for somebody who wants to see what came."""

from collections import deque
from itertools import islice
from typing import Any

import orjson

from stadthub_ingest.decoded import DecodeError, Unreadable
from stadthub_ingest.sheets import Sheet
from stadthub_ingest.texts import read_json, read_text

#: How many rows, columns and signs of a cell are shown.
ROWS, COLUMNS, SIGNS = 20, 60, 200

Preview = tuple[list[str], list[list[str]]]


def of_sheet(sheet: Sheet) -> Preview:
    """The first records of a table under its header."""
    records = ([record.text] if isinstance(record, Unreadable) else record for record in islice(sheet.records(), ROWS))
    return list(sheet.header[:COLUMNS]), [[text[:SIGNS] for text in record[:COLUMNS]] for record in records]


def of_payload(payload: bytes) -> Preview:
    """The first objects of JSON under their keys; of anything else the first lines."""
    try:
        rows = [_flat(row) for row in islice(_objects(read_json(payload)), ROWS)]
    except DecodeError:
        rows = []
    if not rows:
        lines = read_text(payload[: ROWS * SIGNS * 10], "latin-1" if b"\0" in payload[:1000] else None).splitlines()
        return ["1"], [[line[:SIGNS]] for line in lines[:ROWS]]
    header = list(dict.fromkeys(name for row in rows for name in row))[:COLUMNS]
    return header, [[row.get(name, "") for name in header] for row in rows]


def _objects(found: Any) -> list[Any]:
    """The list of objects nearest to the top; the payload itself if it has none."""
    waiting = deque([found])
    while waiting:
        one = waiting.popleft()
        if isinstance(one, list) and one and isinstance(one[0], dict):
            return one
        waiting.extend(one.values() if isinstance(one, dict) else ())
    return [found]


def _flat(row: Any) -> dict[str, str]:
    """The object with its inner objects' members beside its own, as texts."""
    if not isinstance(row, dict):
        return {"": _text(row)}
    flat: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, dict) and "coordinates" not in value:
            flat |= {inner: _text(one) for inner, one in value.items()}
        else:
            flat[str(name)] = _text(value)
    return flat


def _text(value: Any) -> str:
    return ("" if value is None else value if isinstance(value, str) else orjson.dumps(value, default=str).decode())[:SIGNS]
