"""What a payload looks like before anything is mapped: its form, encoding, delimiter, namespaces, and its columns or paths."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from stadthub_ingest.decoded import DecodeError, Unreadable
from stadthub_ingest.numerals import read_number
from stadthub_ingest.sheets import Sheet
from stadthub_ingest.texts import MARKS, read_json

#: How much of a payload is looked at: rows of a table, items of a list, bytes of markup, depth and number of paths.
ROWS, ITEMS, MARKUP, DEPTH, PATHS = 200, 30, 200_000, 6, 400

#: An object with more members than this, all alike, is a list in disguise: its keys are data.
MEMBERS = 40

DELIMITERS = (";", ",", "\t", "|")

_ROOT = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s>/]")
_NAMESPACE = re.compile(rb"""\sxmlns(?::[\w.-]+)?\s*=\s*["']([^"']{1,300})["']""")
_DECLARED = re.compile(rb"""<\?xml[^>]*\sencoding\s*=\s*["']([\w.-]{1,40})["']""")
_WHOLE = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.\d{4})([T ]\d{1,2}:\d\d.*)?\Z", re.ASCII)


@dataclass(slots=True)
class Seen:
    """One column or path: what kinds of values it had, in how many of how many places there was one."""

    kinds: set[str] = field(default_factory=set)
    filled: int = 0
    of: int = 0

    def take(self, kind: str | None) -> None:
        """Look at one value of this kind; None: there is none."""
        self.of += 1
        if kind is not None:
            self.filled += 1
            self.kinds.add(kind)


@dataclass(frozen=True, slots=True)
class Shape:
    """A payload's looks. `partial`: there are more paths than were looked at, so that nothing can be said to be missing."""

    form: str
    encoding: str = ""
    delimiter: str = ""
    namespaces: tuple[str, ...] = ()
    columns: Mapping[str, Seen] = field(default_factory=dict)
    partial: bool = False


def of_sheet(sheet: Sheet, payload: bytes, form: str, marks: frozenset[str]) -> Shape:
    """The looks of a table with a header."""
    found = [Seen() for _ in sheet.header]
    for record in islice(sheet.records(), ROWS):
        if not isinstance(record, Unreadable):
            for column, text in zip(found, record, strict=True):
                column.take(None if text.strip() in marks else kind_of_text(text.strip()))
    columns = {name: column for name, column in zip(sheet.header, found, strict=True) if name}
    if form != "table":
        return Shape(form, columns=columns)
    return Shape(form, encoding_of(payload), delimiter_of(payload, next(iter(sheet.header), "")), columns=columns)


def of_payload(payload: bytes) -> Shape:
    """The looks of any payload: JSON by its paths, XML by its elements and namespaces, text by its header, else by its first bytes."""
    start = payload[:300].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return Shape("empty")
    if start[:1] in b"{[":
        return _of_json(payload)
    if start[:1] == b"<":
        return _of_markup(payload, start)
    if payload[:2] == b"PK":
        return Shape("archive")
    if b"\0" in payload[:1000] and not payload.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Shape("binary")
    return Shape("text", encoding_of(payload), delimiter_of(payload, ""))


def encoding_of(payload: bytes) -> str:
    """How the text is written: by its mark, else UTF-8 if it is, else one of the old single-byte ones. Plain ASCII fits each: empty."""
    mark = next((name for start, name in MARKS.items() if payload.startswith(start)), None)
    if mark is not None:
        return mark
    if payload.isascii():
        return ""
    try:
        payload.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def delimiter_of(payload: bytes, first: str) -> str:
    """The sign that stands most often in the header's line (the line that holds its first name); empty if none stands there."""
    head = payload[:20_000].decode("utf-16" if payload[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", "replace").splitlines()
    plain = first.encode().decode("latin-1")
    lines = [line for line in head if plain in line] or head
    counts = {sign: lines[0].count(sign) for sign in DELIMITERS} if lines else {}
    best = max(counts, key=lambda sign: counts[sign], default="")
    return best if counts.get(best) else ""


#: The kinds of values that say themselves what they are.
KINDS = {bool: "boolean", int: "integer", float: "number", dict: "object", list: "list", str: "text"}


def kind_of_text(text: str) -> str:
    """The kind of value that stands in a cell of text."""
    text = text[:100]
    if _WHOLE.match(text):
        return "integer"
    if _TIME.match(text):
        return "time"
    for decimal, thousands in ((".", ","), (",", ".")):
        if isinstance(read_number(text, decimal, thousands), float):
            return "number"
    return "boolean" if text.lower() in ("true", "false") else "text"


def _of_json(payload: bytes) -> Shape:
    try:
        found = read_json(payload)
    except DecodeError:
        first, _, rest = payload.lstrip().partition(b"\n")  # one object a line, perhaps
        try:
            found = [read_json(line) for line in (first, *rest.splitlines()[: ITEMS - 1]) if line.strip()]
        except DecodeError:
            return Shape("text", encoding_of(payload))
    columns: dict[str, Seen] = {}
    for path, value in _leaves(found, "", 0):
        if path not in columns and len(columns) >= PATHS:
            return Shape("json", columns=columns, partial=True)
        if path not in columns:
            columns[path] = Seen()
        columns[path].take(None if value is None or value == "" else KINDS.get(type(value), "text"))
    return Shape("json", columns=columns)


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Every path with its value; members of what is a list in disguise all stand at `*`."""
    if isinstance(value, dict) and value and depth < DEPTH:
        disguised = len(value) > MEMBERS and len({type(one) for one in value.values()} - {type(None)}) <= 1
        for key, one in islice(value.items(), ITEMS if disguised else None):
            yield from _leaves(one, f"{path}.*" if disguised else f"{path}.{key}".removeprefix("."), depth + 1)
    elif isinstance(value, list) and value and depth < DEPTH and not path.endswith("coordinates"):
        for one in spread(value, ITEMS):
            yield from _leaves(one, f"{path}[*]", depth + 1)
    elif path:
        yield path, value


def spread(values: Sequence[Any], most: int) -> Sequence[Any]:
    """At most so many of the values, from all over the list."""
    return values if len(values) <= most else [values[number * len(values) // most] for number in range(most)]


def _of_markup(payload: bytes, start: bytes) -> Shape:
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        return Shape("html")
    part = payload[:MARKUP]
    declared = _DECLARED.search(part[:300])
    names = dict.fromkeys(match[1].decode("utf-8", "replace") for match in _ROOT.finditer(part))
    columns = {name: Seen({"element"}, 1, 1) for name in islice(names, PATHS)}
    spaces = sorted({match[1].decode("utf-8", "replace") for match in _NAMESPACE.finditer(part)})
    encoding = declared[1].decode().lower() if declared else encoding_of(payload)
    return Shape("xml", encoding, namespaces=tuple(spaces), columns=columns, partial=len(payload) > MARKUP or len(names) > PATHS)
