"""Records as they are pushed become columns: each value read by the type of its field, or told to be wrong with its row."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, InvalidOperation
from typing import Any

import orjson
import pyarrow as pa

from stadthub_catalog.refusals import Invalid
from stadthub_pipelines.datastore.fields import NUMERIC, Field

Record = Mapping[str, Any]

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
_WORDS = {"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision", "bool": "boolean"}
_BITS = {"int2": 15, "int4": 31, "int8": 63}
_WHOLE = Decimal(10) ** 20
_EXACT = Context(prec=60)


class WrongValueError(ValueError):
    """A value that its field can't have, in PostgreSQL's words."""


def column(field: Field, records: Sequence[Record]) -> pa.Array:
    """The values of a field, empty where a record has none. Invalid names the row."""
    values = [record.get(field.id) for record in records]
    read = _READ.get(field.type, _text) if not field.type.startswith("_") else _list(field.type[1:])
    plain = _PLAIN.get(field.type)
    if plain is not None and all(type(value) in plain for value in values):
        try:
            return pa.array(values, field.stored)
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass  # looked at one by one, so that the row can be told
    found = []
    for row, value in enumerate(values):
        try:
            found.append(None if value is None or (value == "" and field.type not in _TEXTS) else read(field.type, value))
        except WrongValueError as error:
            raise Invalid({"records": [str(error)], "records_row": row}) from error
    return pa.array(found, field.stored)


_NONE = type(None)
_TEXTS = frozenset({"text", "varchar", "bpchar"})
#: Types of Python whose values are as they should be: they need not be looked at one by one.
_PLAIN: Mapping[str, frozenset[type]] = {
    "int2": frozenset({int, _NONE}),
    "int4": frozenset({int, _NONE}),
    "int8": frozenset({int, _NONE}),
    "float8": frozenset({int, float, _NONE}),
    "float4": frozenset({int, float, _NONE}),
    "bool": frozenset({bool, _NONE}),
}


def _wrong(kind: str, value: Any) -> WrongValueError:
    return WrongValueError(f'invalid input syntax for type {_WORDS.get(kind, kind)}: "{str(value)[:100]}"')


def _text(_: str, value: Any) -> str:
    said = value if isinstance(value, str) else orjson.dumps(value).decode() if isinstance(value, Mapping | list) else _plainly(value)
    if "\0" in said:
        raise WrongValueError("A string literal cannot contain NUL (0x00) characters.")
    try:
        said.encode()
    except UnicodeEncodeError as error:
        raise WrongValueError("invalid byte sequence for encoding UTF8") from error
    return said


def _plainly(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _whole(kind: str, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _wrong(kind, value)
    try:
        number = int(value)
    except ValueError:
        raise _wrong(kind, value) from None
    if not -(2 ** _BITS[kind]) <= number < 2 ** _BITS[kind]:
        raise WrongValueError(f"{_WORDS[kind]} out of range")
    return number


def _float(kind: str, value: Any) -> float:
    if isinstance(value, bool):
        raise _wrong(kind, value)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(kind, value) from None


def _numeric(kind: str, value: Any) -> Decimal:
    if isinstance(value, bool):
        raise _wrong(kind, value)
    try:
        number = Decimal(str(value))
        if not number.is_finite():
            raise _wrong(kind, value)
        if abs(number) >= _WHOLE:
            raise WrongValueError("numeric field overflow: more than 20 digits before the decimal point")
        return number.quantize(Decimal(1).scaleb(-NUMERIC.scale), context=_EXACT)
    except InvalidOperation:
        raise _wrong(kind, value) from None


def _truth(kind: str, value: Any) -> bool:
    said = _plainly(value).strip().lower()
    if said in _TRUE:
        return True
    if said in _FALSE:
        return False
    raise _wrong(kind, value)


def _moment(kind: str, value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(value).strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None or kind == "timestamp" else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(kind, value) from None


def _date(kind: str, value: Any) -> date:
    try:
        return datetime.fromisoformat(str(value).strip()).date()
    except ValueError:
        raise _wrong(kind, value) from None


def _time(kind: str, value: Any) -> str:
    try:
        return time.fromisoformat(str(value).strip()).isoformat()
    except ValueError:
        raise _wrong(kind, value) from None


def _json(kind: str, value: Any) -> str:
    if not isinstance(value, str):
        return _text(kind, orjson.dumps(value).decode())
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return orjson.dumps(_text(kind, value)).decode()
    return _text(kind, value)


def _list(inner: str) -> Callable[[str, Any], list[Any]]:
    read: Callable[[str, Any], Any] = _READ.get(inner, _text)

    def reading(_: str, value: Any) -> list[Any]:
        if isinstance(value, str) and re.fullmatch(r"\s*\{.*\}\s*", value, re.DOTALL):
            value = [one.strip().strip('"') for one in str(value).strip()[1:-1].split(",") if one]
        if not isinstance(value, list):
            raise WrongValueError(f'malformed array literal: "{str(value)[:100]}"')
        return [None if one is None else read(inner, one) for one in value]

    return reading


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "int2": _whole,
    "int4": _whole,
    "int8": _whole,
    "float4": _float,
    "float8": _float,
    "numeric": _numeric,
    "bool": _truth,
    "timestamp": _moment,
    "timestamptz": _moment,
    "date": _date,
    "time": _time,
    "json": _json,
    "jsonb": _json,
}


def _among(kind: str, value: str) -> int:
    """A whole number of any size."""
    try:
        return int(value)
    except ValueError:
        raise _wrong(kind, value) from None


def compared(kind: str, value: Any) -> str | int | float | bool:
    """A value that a field of this type is compared with. WrongValueError."""
    if kind == "int" and isinstance(value, float) and not value.is_integer():
        raise _wrong("int4", value)
    if kind in ("int", "int2", "int4", "int8", "numeric", "float4", "float8"):
        if kind != "numeric" and isinstance(value, str) and kind.startswith("int"):
            return _among("int4" if kind == "int" else kind, value.strip())
        _float("numeric" if kind == "numeric" else "float8", value)
        return value if isinstance(value, int | float) else str(value).strip()
    if kind == "bool":
        return _truth(kind, value)
    if kind == "time":
        return _time(kind, value)
    if kind in ("date", "timestamp", "timestamptz"):
        return (_date if kind == "date" else _moment)(kind, value).isoformat()
    if kind in ("json", "jsonb") or kind.startswith("_"):
        raise WrongValueError(f"operator does not exist: {kind} = unknown")
    return _text(kind, value)
