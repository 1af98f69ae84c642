"""Numbers as people write them: decimal comma, thousands, signs."""

import math
import re
from functools import lru_cache

from stadthub_ingest.decoded import Unreadable

_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)


def plain_number(value: object) -> float | None:
    """The number that this is (a number, a bool, or text with a decimal point), or None. It may be infinite or NaN."""
    if type(value) is float:
        return value
    if isinstance(value, str):
        return float(value) if _PLAIN.match(value) else None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return None


@lru_cache(maxsize=64)
def _pattern(decimal: str, thousands: str | None) -> re.Pattern[str]:
    whole = r"\d+" if thousands is None else rf"(\d{{1,3}}({re.escape(thousands)}\d{{3}})+|\d+)"
    return re.compile(rf"[+-]?({whole}({re.escape(decimal)}\d*)?|{re.escape(decimal)}\d+)([eE][+-]?\d+)?\Z", re.ASCII)


def read_number(text: str, decimal: str, thousands: str | None) -> float | str | Unreadable:
    """The number in this notation; other text as it is; Unreadable if it is a number only in another notation."""
    if _pattern(decimal, thousands).match(text):
        digits = text if thousands is None else text.replace(thousands, "")
        return float(digits.replace(decimal, "."))
    if _PLAIN.match(text):
        return Unreadable(text, f"{text!r} is not a number with {decimal!r} before its fraction")
    return text
