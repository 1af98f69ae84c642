"""New names of columns turned back into those that the feed file maps: in the keys of JSON, in headers and in attributes."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.texts import read_json


def renamed_header(header: Sequence[str], renames: Mapping[str, str]) -> tuple[str, ...]:
    """The header with the names that the feed knows; where the old column stands too, the new one keeps its own name."""
    return tuple(_back(name, header, renames) for name in header)


def _back(name: str, there: Sequence[str] | Mapping[str, Any], renames: Mapping[str, str]) -> str:
    old = renames.get(name, name)
    return name if old in there else old


def renamed_row(row: Mapping[str, Any], renames: Mapping[str, str]) -> dict[str, Any]:
    """The row with the names that the feed knows."""
    return {_back(name, row, renames): value for name, value in row.items()}


def renamed_json(payload: bytes, renames: Mapping[str, str]) -> bytes:
    """The JSON payload with the keys that the feed knows, at any depth; unchanged if it holds none of the new ones, or is no JSON."""
    if not any(orjson.dumps(name)[1:-1] in payload for name in renames) and b"\\u" not in payload:
        return payload
    try:
        return orjson.dumps(_renamed(read_json(payload), renames))
    except (DecodeError, TypeError, RecursionError):
        return payload


def _renamed(value: Any, renames: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {_back(key, value, renames): _renamed(one, renames) for key, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, renames) for one in value]
    return value
