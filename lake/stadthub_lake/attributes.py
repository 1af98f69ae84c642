"""The attributes of features: typed columns out of the JSON objects of `properties`."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
import pyarrow as pa

from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.errors import TypeConflict

#: Columns that every file of features has; an attribute of such a name gets a number behind it.
RESERVED = ("id", "geometry", "bbox", "original_geometry", "original_crs")

ARROW = {
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.DATE: pa.date32(),
    ColumnType.JSON: pa.string(),
    ColumnType.TEXT: pa.string(),
}

#: What a stored type becomes when a payload brings another one; what is not here is a conflict. Text takes everything.
WIDER = {
    (ColumnType.NUMBER, ColumnType.INTEGER): ColumnType.NUMBER,
    (ColumnType.INTEGER, ColumnType.NUMBER): ColumnType.NUMBER,
    (ColumnType.JSON, ColumnType.TEXT): ColumnType.JSON,
}

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_MOST_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attribute columns and their values, in the order of the features."""

    columns: tuple[Column, ...]
    arrays: tuple[pa.Array, ...]


def unfold(dataset: str, properties: Sequence[str], stored: Sequence[Column]) -> Attributes:
    """The attributes of all features. A stored column stays, empty if need be; TypeConflict if its type cannot stay."""
    rows: list[dict[str, Any]] = [orjson.loads(text) for text in properties]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    known = {column.title: column for column in stored}
    names = column_names([*known, *(key for key in keys if key not in known)], known)
    columns: list[Column] = []
    arrays: list[pa.Array] = []
    for key, name in names.items():
        values = [row.get(key) for row in rows]
        kind = _agreed(dataset, name, known.get(key), _found(values))
        columns.append(Column(name=name, type=kind, title=key))
        arrays.append(pa.array([_as(kind, value) for value in values], ARROW[kind]))
    return Attributes(tuple(columns), tuple(arrays))


def column_names(keys: Sequence[str], known: Mapping[str, Column]) -> dict[str, str]:
    """A column name for each attribute: one word in every query language; names once given stay."""
    taken = {*RESERVED, *(column.name for column in known.values())}
    answer: dict[str, str] = {}
    for key in keys:
        if key in known:
            answer[key] = known[key].name
            continue
        word = re.sub(r"[^a-z0-9]+", "_", key.lower().translate(_UMLAUTS)).strip("_")
        word = (word if word[:1].isalpha() else f"a_{word}".rstrip("_"))[:60]
        name, number = word, 2
        while name in taken:
            name, number = f"{word[:56]}_{number}", number + 1
        taken.add(name)
        answer[key] = name
    return answer


def _found(values: Sequence[Any]) -> ColumnType | None:
    """The narrowest type that holds all values; None if there is no value."""
    kinds = {_kind(value) for value in values if value is not None}
    if len(kinds) <= 1:
        return kinds.pop() if kinds else None
    if kinds == {ColumnType.INTEGER, ColumnType.NUMBER}:
        return ColumnType.NUMBER
    return ColumnType.TEXT


def _kind(value: Any) -> ColumnType:
    if isinstance(value, bool):
        return ColumnType.BOOLEAN
    if isinstance(value, int):
        return ColumnType.INTEGER if abs(value) <= _MOST_INTEGER else ColumnType.NUMBER
    if isinstance(value, float):
        return ColumnType.NUMBER
    if isinstance(value, str):
        return ColumnType.DATE if _DATE.fullmatch(value) and _is_day(value) else ColumnType.TEXT
    return ColumnType.JSON


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _agreed(dataset: str, name: str, stored: Column | None, found: ColumnType | None) -> ColumnType:
    if stored is None:
        return found or ColumnType.TEXT
    if found is None or found is stored.type or stored.type is ColumnType.TEXT:
        return stored.type
    if (stored.type, found) not in WIDER:
        raise TypeConflict(f"{dataset}: {name} is stored as {stored.type.value}, but {found.value} was given")
    return WIDER[(stored.type, found)]


_READ: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.NUMBER: float,
    ColumnType.DATE: date.fromisoformat,
    ColumnType.JSON: lambda value: json.dumps(value, ensure_ascii=False),
    ColumnType.TEXT: lambda value: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
}


def _as(kind: ColumnType, value: Any) -> Any:
    return value if value is None or kind not in _READ else _READ[kind](value)
