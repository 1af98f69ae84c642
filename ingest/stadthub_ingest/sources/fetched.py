"""What a source that is asked brings home."""

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fetched:
    """One body with the name of its origin, and the state to remember once the body is durable."""

    name: str
    body: bytes
    state: dict[str, Any]


_PAGE = re.compile(r"#page=(\d+)/(\d+)\Z")


def page_sign(number: int, pages: int) -> str:
    """What the name of a page ends with: which one of how many."""
    return f"#page={number}/{pages}"


def page_of(name: str) -> tuple[int, int]:
    """Which page of how many a payload of this name is; the first of one if it is none."""
    found = _PAGE.search(name)
    return (1, 1) if found is None else (int(found[1]), int(found[2]))


def whole_of(name: str) -> str | None:
    """What the pages of one fetch are called without their numbers; None for a payload that is no page."""
    found = _PAGE.search(name)
    return None if found is None else name[: found.start()]


_CRS = re.compile(r"#crs=([^#\s]+)")
_HEADER = re.compile(r"<?((?:https?://|urn:)[\w./:-]{1,200})>?\Z")


def crs_sign(header: str | None) -> str:
    """What the name of a body ends with whose server says that it is in another CRS than CRS84 (the header Content-Crs)."""
    found = _HEADER.match((header or "").strip())
    return "" if found is None or "CRS84" in found[1] else f"#crs={found[1]}"


def crs_of(name: str) -> str | None:
    """The CRS that the server named for a payload of this name; None if it named none."""
    found = _CRS.search(name)
    return None if found is None else found[1]
