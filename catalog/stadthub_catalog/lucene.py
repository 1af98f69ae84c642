"""The part of Solr's query language that people and harvesters really send to CKAN, as a tree.

Terms, phrases, `field:`, AND/OR/NOT/+/-, brackets, ranges with `*` and `NOW` maths, a `*` at a word's end; `^n` and `~n` are
read and mean nothing.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from stadthub_catalog.refusals import SearchError

#: A query with more parts than this is refused: nobody writes such a one by hand.
MOST_PARTS = 500
_DEEPEST = 30
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase in a field; `text` may end with `*`."""

    field: str
    text: str
    phrase: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`; `*` is no bound."""

    field: str
    low: str
    high: str
    with_low: bool
    with_high: bool


@dataclass(frozen=True, slots=True)
class Every:
    """All of the parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Any of the parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Without:
    """Not this part."""

    part: "Node"


Node = Term | Range | Every | Either | Without

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<range>(?P<open>[\[{])\s*(?P<low>"[^"]*"|[^\s\]}]+)\s+TO\s+(?P<high>"[^"]*"|[^\s\]}]+)\s*(?P<close>[\]}]))
    |(?P<phrase>"(?:[^"\\]|\\.)*")(?:[~^][\d.]*)*
    |(?P<bracket>[()])(?:\^[\d.]+)?
    |(?P<sign>[+\-!](?=\S))
    |(?P<word>AND|OR|NOT|&&|\|\|)(?=[\s()]|$)
    |(?P<field>(?:[A-Za-z_*][\w.\-]*)):(?=\S)
    |(?P<term>(?:[^\s()\[\]{}":^~\\]|\\.|(?<=[^\s:]):(?=[^\s:]))+)(?:[~^][\d.]*)*
    )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")


def parse(query: str, field: str = "text") -> Node:
    """The tree of a query; SearchError if it can't be read."""
    if len(query) > LONGEST:
        raise SearchError(f"a query may have {LONGEST} signs at most")
    reader = _Reader(query)
    node = reader.either(field, 0)
    if reader.place < len(reader.tokens):
        raise SearchError(f"Cannot parse '{query}'")
    return node


class _Reader:
    """The tokens of a query and where we are in them."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.tokens: list[re.Match[str]] = []
        self.place = 0
        position = 0
        text = query.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.end() == position:
                raise SearchError(f"Cannot parse '{query}'")
            self.tokens.append(match)
            position = match.end()
        if len(self.tokens) > MOST_PARTS:
            raise SearchError(f"a query may have {MOST_PARTS} parts at most")

    def either(self, field: str, depth: int) -> Node:
        """Parts between OR."""
        parts = [self.every(field, depth)]
        while self._word("OR", "||"):
            parts.append(self.every(field, depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def every(self, field: str, depth: int) -> Node:
        """Parts beside each other, with AND or without."""
        parts: list[Node] = []
        while self.place < len(self.tokens) and not self._at(")") and not self._ahead("OR", "||"):
            if self._word("AND", "&&") and not parts:
                raise SearchError(f"Cannot parse '{self.query}'")
            parts.append(self.one(field, depth))
        if not parts:
            raise SearchError(f"Cannot parse '{self.query}'")
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def one(self, field: str, depth: int) -> Node:
        """One part with its sign and field."""
        if depth > _DEEPEST or self.place >= len(self.tokens):
            raise SearchError(f"Cannot parse '{self.query}'")
        token = self.tokens[self.place]
        self.place += 1
        if token["sign"] == "+":
            return self.one(field, depth + 1)
        if token["sign"] or token["word"] == "NOT":
            return Without(self.one(field, depth + 1))
        if token["field"]:
            return self.one(token["field"], depth + 1)
        if token["bracket"] == "(":
            node = self.either(field, depth + 1)
            if not self._at(")"):
                raise SearchError(f"Cannot parse '{self.query}'")
            self.place += 1
            return node
        return self._leaf(token, field)

    def _leaf(self, token: re.Match[str], field: str) -> Node:
        if token["range"]:
            return Range(field, token["low"].strip('"'), token["high"].strip('"'), token["open"] == "[", token["close"] == "]")
        if token["phrase"]:
            return Term(field, _ESCAPED.sub(r"\1", token["phrase"][1:-1]), phrase=True)
        if token["term"]:
            return Term(field, _ESCAPED.sub(r"\1", token["term"]))
        raise SearchError(f"Cannot parse '{self.query}'")

    def _at(self, bracket: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place]["bracket"] == bracket

    def _ahead(self, *words: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place]["word"] in words

    def _word(self, *words: str) -> bool:
        found = self._ahead(*words)
        self.place += found
        return found


_UNITS = {"MINUTE": "minutes", "HOUR": "hours", "DAY": "days", "WEEK": "weeks", "MONTH": "days", "YEAR": "days"}
_LENGTHS = {"MONTH": 30, "YEAR": 365}
_MATHS = re.compile(r"([+\-])(\d{1,6})([A-Z]+?)S?(?=[+\-/]|$)|/([A-Z]+?)S?(?=[+\-/]|$)")
_CUTS: dict[str, dict[str, Any]] = {
    "MINUTE": {"second": 0},
    "HOUR": {"minute": 0, "second": 0},
    "DAY": {"hour": 0, "minute": 0, "second": 0},
    "MONTH": {"day": 1, "hour": 0, "minute": 0, "second": 0},
    "YEAR": {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0},
}


def moment(text: str, now: datetime) -> datetime:
    """The time that a bound of a range means: ISO 8601 or `NOW` with its maths; SearchError."""
    try:
        if text.startswith("NOW"):
            return _reckoned(text[3:], now)
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError, KeyError):
        raise SearchError(f"Invalid Date String:'{text}'") from None


def _reckoned(maths: str, now: datetime) -> datetime:
    position = 0
    while position < len(maths):
        match = _MATHS.match(maths, position)
        if match is None:
            raise ValueError(maths)
        sign, count, unit, cut = match.groups()
        if cut:
            now = now.replace(microsecond=0, **_CUTS[cut])
        else:
            step = timedelta(**{_UNITS[unit]: int(count) * _LENGTHS.get(unit, 1)})
            now = now + step if sign == "+" else now - step
        position = match.end()
    return now
