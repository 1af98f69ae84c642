"""One name under two spellings: Straße and Strasse, case, blanks, umlauts."""

import re
import unicodedata
from collections.abc import Iterable

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_STREET = re.compile(r"str(?:asse|\.|(?=\W|\d|$))")

#: So many names of one field are remembered.
MOST = 2000


def fold(text: str) -> str:
    """What two spellings of one name have in common."""
    lower = unicodedata.normalize("NFKC", text).casefold().translate(_GERMAN)
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(sign))
    return re.sub(r"[\W_]+", "", _STREET.sub("strasse", plain))


def variants(known: dict[str, str], names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of spellings, the known one first; what is new is taken up into `known`."""
    found = []
    for name in names:
        key = fold(name)
        if not key:
            continue
        first = known.get(key)
        if first is None:
            if len(known) < MOST:
                known[key] = name
        elif first != name:
            found.append((first, name))
    return found
