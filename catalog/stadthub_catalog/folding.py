"""Words as a search compares them: without case, accents and the difference between ä, ae and a."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "œ": "oe"})


def words(text: str) -> list[str]:
    """The words of a text in small letters."""
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


@lru_cache(maxsize=65_536)
def spellings(word: str) -> tuple[str, ...]:
    """The ways in which a word is found: with `ae` for `ä`, and with `a` for it."""
    written = _plain(word.translate(_GERMAN))
    short = _plain(word.replace("ß", "ss"))
    return (written,) if written == short else (written, short)


def _plain(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))
