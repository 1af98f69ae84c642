"""Licences as others spell them: words, sentences and addresses become the ids of our list; what is not known stays as it was said."""

import re

#: Said where nothing is said.
NOTHING = frozenset(
    {"", "notspecified", "not specified", "none", "null", "unknown", "keine angabe", "license not specified", "no license provided"}
)

#: A licence by the signs of it, in a text of small letters, digits and single blanks. The first that fits is it.
_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("dl-de-zero-2.0", r"\b(dl de|dlde|dl zero de|datenlizenz deutschland|dl)\b.*\bzero\b|\bdl zero\b"),
        ("dl-de-by-nc-1.0", r"\b(dl de|dlde|dl by|datenlizenz deutschland)\b.*\b(nc|bync|nicht ?kommerziell\w*)\b"),
        ("dl-de-by-1.0", r"\b(dl de|dlde|dl by|datenlizenz deutschland)\b.*\b(by|de|namensnennung)\b.*\b1( 0)?\b"),
        ("dl-de-by-2.0", r"\b(dl de|dlde|dl by|datenlizenz deutschland)\b.*\b(by|namensnennung)\b|\bdl by de\b"),
        ("cc0-1.0", r"\bcc ?0\b|\bcc zero\b|\bpublicdomain zero\b|\bpublic domain dedication\b|\bcreative commons zero\b"),
        ("odbl-1.0", r"\bodbl\b|\bodc bl\b|\bopen (data commons )?(open )?database licen[cs]e\b"),
        ("odc-by", r"\bodc ?by\b|\bodby\b|\bodc attribution\b|\bopen data commons attribution\b"),
        ("odc-pddl", r"\b(odc)?pddl\b"),
    )
)

_CC = re.compile(r"\b(cc|creative ?commons)\b")
_PARTS = (
    ("by", re.compile(r"\b(by|bysa|bync|bynd|byncsa|byncnd|namensnennung|attribution)\b")),
    ("nc", re.compile(r"\b(nc|bync|byncsa|byncnd|non ?commercial|nicht ?kommerziell\w*)\b")),
    ("sa", re.compile(r"\b(sa|bysa|byncsa|share ?alike|weitergabe unter gleichen bedingungen)\b")),
    ("nd", re.compile(r"\b(nd|bynd|byncnd|no ?deriv\w*|keine ?bearbeitung\w*)\b")),
)
_VERSION = re.compile(r"\b([1-4])(?: ([05]))?\b")


def license_named(*said: str) -> str | None:
    """The licence that these words or addresses name, the first that is known; else the first as it was said; None for none."""
    kept = [one.strip() for one in said if one and one.strip().casefold() not in NOTHING]
    return next((found for one in kept if (found := _known(one))), kept[0] if kept else None)


def _known(said: str) -> str | None:
    plain = re.sub(r"[\W_]+", " ", said[:500].casefold()).strip()
    if plain.endswith(("other closed", "geschlossene lizenz")):
        return "other-closed"
    named = next((name for name, sign in _SIGNS if sign.search(plain)), None)
    return named or _creative_commons(plain)


def _creative_commons(plain: str) -> str | None:
    """One of the licences of Creative Commons, with its version where that is said."""
    if not _CC.search(plain):
        return None
    parts = [name for name, sign in _PARTS if sign.search(plain)]
    if "by" not in parts:
        return None
    version = _VERSION.search(plain)
    name = "cc-" + "-".join(parts)
    return f"{name}-{version[1]}.{version[2] or 0}" if version else name
