"""Bytes to text and JSON: which encoding a payload has, and which objects it holds."""

import json
from decimal import Decimal
from typing import Any

import orjson

from stadthub_ingest.decoded import DecodeError

#: What stands at the very start of a file that says so itself.
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_text(payload: bytes, encoding: str | None) -> str:
    """The text, without a byte order mark.

    Without `encoding`: the mark decides, else UTF-8, else Windows-1252 (what older office programs write; a byte that
    means nothing there becomes U+FFFD). With `encoding` nothing is guessed: a byte that does not fit is a DecodeError.
    """
    marked = next((name for mark, name in MARKS.items() if payload.startswith(mark)), None)
    try:
        return payload.decode(encoding or marked or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if encoding is not None or marked is not None:
            raise DecodeError(f"byte {error.start + 1} is not {encoding or marked}: set options.encoding") from error
        return payload.decode("cp1252", "replace")


def read_json(payload: bytes) -> Any:
    """The objects in a JSON payload; NaN and Infinity, which JSON does not have, come as floats for the judge to refuse."""
    try:
        return orjson.loads(payload.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as strict:
        try:
            found = json.loads(payload)
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair can't be stored anywhere
        except (ValueError, RecursionError):
            raise DecodeError(f"it is not JSON: {strict}") from strict
        return found


def read_exact_json(payload: bytes) -> Any:
    """The objects in a JSON payload with their fractions as Decimal; slower, and none of their digits is lost."""
    try:
        return json.loads(payload.removeprefix(b"\xef\xbb\xbf"), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"it is not JSON: {error}") from error
