"""Keys out of the names that feeds use: for things, observed properties and columns."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "₂": "2", "₃": "3", "₅": "5", "₁": "1", "₀": "0", "µ": "u", "μ": "u"})
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,199}\Z")
_PROPERTY = re.compile(r"[a-z0-9][a-z0-9._]{0,199}\Z")


def _ascii(text: str) -> str:
    lower = unicodedata.normalize("NFC", text).lower().translate(_GERMAN)
    return "".join(sign for sign in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(sign))


@lru_cache(maxsize=100_000)
def thing_key(text: str) -> str:
    """The key of a thing: `[a-z0-9._-]`, umlauts spelled out; empty if nothing is left."""
    if _KEY.match(text):
        return text
    return re.sub(r"[^a-z0-9._]+", "-", _ascii(text)).strip("-._")[:200]


@lru_cache(maxsize=10_000)
def property_key(text: str) -> str:
    """The key of an observed property: as `thing_key`, with `_` for everything else."""
    if _PROPERTY.match(text):
        return text
    return re.sub(r"[^a-z0-9.]+", "_", _ascii(text)).strip("_.")[:200]


def column_key(text: str) -> str:
    """The name of a column of a dataset: `[a-z][a-z0-9_]*`, at most 63 signs."""
    key = re.sub(r"[^a-z0-9]+", "_", _ascii(text)).strip("_")
    return (key if key[:1].isalpha() else f"c_{key}".rstrip("_"))[:63]


def column_keys(texts: Iterable[str]) -> list[str]:
    """The names of columns, told apart by a number where two would be alike."""
    keys: list[str] = []
    for text in texts:
        key = wanted = column_key(text)
        again = 1
        while key in keys:
            again += 1
            key = f"{wanted[:58]}_{again}"
        keys.append(key)
    return keys
