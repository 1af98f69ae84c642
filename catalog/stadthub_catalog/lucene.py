"""The part of Solr's query language that people and harvesters really send to CKAN, as a tree.

Terms, phrases, `field:`, AND/OR/NOT/+/-, brackets, ranges with `*` and `NOW` maths, `*` and `?` within words, `~` for words that
are spelled alike; `^n` is read and means nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from stadthub_catalog.refusals import SearchError

#: A query with more parts than this is refused: it is three times Solr's 1024 clauses, since field, term and OR are parts.
MOST_PARTS = 3100
_DEEPEST = 30
LONGEST = 50_000

_MOST_WILD = 10

#: How much of a query that can't be read is told.
_TOLD = 500

#: What stands in a term's text for `*` and `?`, where they were not escaped.
ANY, ONE = "\ue000", "\ue001"


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase in a field; `text` may hold `ANY` and `ONE`. `near`: it may also be spelled a little differently."""

    field: str
    text: str
    phrase: bool = False
    near: bool = False


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
    (?P<range>(?P<open>[\[{])\s*(?P<low>"[^"]*"|[^\s\]}]+)\s+TO\s+(?P<high>"[^"]*"|[^\s\]}]+)\s*(?P<close>[\]}]))(?:\^[\d.]+)?
    |(?P<phrase>"(?:[^"\\]|\\.)*")(?:[~^][\d.]*)*
    |(?P<bracket>[()])(?:\^[\d.]+)?
    |(?P<sign>[+\-!](?=\S))
    |(?P<word>AND|OR|NOT|&&|\|\|)(?=[\s()]|$)
    |(?P<field>(?:[^\W\d]|\*|\\.)(?:[\w.\-]|\\.)*):\s*(?=\S)
    |(?P<term>(?:[^\s()\[\]{}":^~\\]|\\.|(?<=[^\s:]):(?=[^\s:]))+)(?P<tail>(?:[~^][\d.]*)*)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SIGNS = re.compile(r"\\(.)|([*?])", re.DOTALL)


def parse(query: str, field: str = "text") -> Node:
    """The tree of a query; SearchError if it can't be read."""
    if len(query) > LONGEST:
        raise SearchError(f"a query may have {LONGEST} signs at most")
    reader = _Reader(query)
    node = reader.either(field, 0)
    if reader.place < len(reader.tokens):
        raise SearchError(f"Cannot parse '{query[:_TOLD]}'")
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
                raise SearchError(f"Cannot parse '{query[:_TOLD]}'")
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
                raise SearchError(f"Cannot parse '{self.query[:_TOLD]}'")
            parts.append(self.one(field, depth))
        if not parts:
            raise SearchError(f"Cannot parse '{self.query[:_TOLD]}'")
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def one(self, field: str, depth: int) -> Node:
        """One part with its sign and field."""
        if depth > _DEEPEST or self.place >= len(self.tokens):
            raise SearchError(f"Cannot parse '{self.query[:_TOLD]}'")
        token = self.tokens[self.place]
        self.place += 1
        if token["sign"] == "+":
            return self.one(field, depth + 1)
        if token["sign"] or token["word"] == "NOT":
            return Without(self.one(field, depth + 1))
        if token["field"]:
            return self.one(_ESCAPED.sub(r"\1", token["field"]), depth + 1)
        if token["bracket"] == "(":
            node = self.either(field, depth + 1)
            if not self._at(")"):
                raise SearchError(f"Cannot parse '{self.query[:_TOLD]}'")
            self.place += 1
            return node
        return self._leaf(token, field)

    def _leaf(self, token: re.Match[str], field: str) -> Node:
        if token["range"]:
            return Range(field, token["low"].strip('"'), token["high"].strip('"'), token["open"] == "[", token["close"] == "]")
        if token["phrase"]:
            return Term(field, _ESCAPED.sub(r"\1", token["phrase"][1:-1]), phrase=True)
        if token["term"]:
            return Term(field, _SIGNS.sub(_sign, token["term"]), near="~" in token["tail"])
        raise SearchError(f"Cannot parse '{self.query[:_TOLD]}'")

    def _at(self, bracket: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place]["bracket"] == bracket

    def _ahead(self, *words: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place]["word"] in words

    def _word(self, *words: str) -> bool:
        found = self._ahead(*words)
        self.place += found
        return found


def _sign(found: re.Match[str]) -> str:
    """A sign that was escaped as itself, one that wasn't as what it means."""
    if found[1]:
        return found[1]
    return ANY if found[2] == "*" else ONE


def wild(text: str) -> Callable[[str], bool]:
    """Whether a value fits a text with `ANY` and `ONE`, in a time that grows with their lengths only; SearchError."""
    if text.count(ANY) > _MOST_WILD:
        raise SearchError(f"a word may have {_MOST_WILD} stars at most")
    pieces = [re.compile("".join("." if sign == ONE else re.escape(sign) for sign in part), re.DOTALL) for part in text.split(ANY)]
    first, *between, last = pieces if len(pieces) > 1 else (pieces[0], pieces[0])
    end_length = len(text.rpartition(ANY)[2])

    def fits(value: str) -> bool:
        if len(pieces) == 1:
            return first.fullmatch(value) is not None
        begun = first.match(value)
        place = begun.end() if begun else len(value) + 1
        for piece in between:
            found = piece.search(value, place) if place <= len(value) else None
            place = found.end() if found else len(value) + 1
        return place <= len(value) - end_length and last.fullmatch(value, len(value) - end_length) is not None

    return fits
