"""A query's tree on the index: which entries fit it, and how well."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from stadthub_catalog import dates, lucene
from stadthub_catalog.fields import BY_WORDS, TIMES, as_kept, texts
from stadthub_catalog.folding import fold, stem, words
from stadthub_catalog.index import NUMBERS, Index
from stadthub_catalog.matching import Matching
from stadthub_catalog.packages import said_of
from stadthub_catalog.refusals import SearchError
from stadthub_catalog.synonyms import Synonyms

Array = np.ndarray[Any, Any]

#: More words than these in one query are refused, and a term that must look through all words or values counts as several.
_MOST_WORDS, _LOOKING_THROUGH = 200, 8


class Searching:
    """One search on the index, by one asker: `seen` says which entries there are for it."""

    def __init__(self, index: Index, synonyms: Synonyms, seen: Array, now: datetime) -> None:
        self._index = index
        self._seen = seen
        self._size = len(index)
        self._now = now
        self._words = 0
        self._matching = Matching(index, synonyms, seen)
        self.scores: Array = np.zeros(self._size)

    def typed(self, text: str) -> Array:
        """Which entries fit words without any sign."""
        self.scores = self._matching.typed(text)
        return self.scores > 0

    def query(self, query: str) -> Array:
        """Which entries fit a query; what its words say counts as score. SearchError."""
        return self._fitting(lucene.parse(query)) & self._seen

    def filtered(self, query: str) -> Array:
        """Which entries fit a filter, which says nothing about how well. SearchError."""
        scores = self.scores
        found = self.query(query)
        self.scores = scores
        return found

    def within(self, west: float, south: float, east: float, north: float) -> Array:
        """Which entries' boxes touch this one; one that crosses the 180th meridian has its west east of its east."""
        _, _, left, low, right, high = self._index.numbers()[: NUMBERS.index("first")]
        across = (left <= east) & (right >= west) if west <= east else (left <= east) | (right >= west)
        return np.asarray(across & (low <= north) & (high >= south))

    def during(self, first: str, last: str) -> Array:
        """Which entries' data are of this time, as far as somebody says when they are from. SearchError."""
        begins, ends = self._index.numbers()[NUMBERS.index("first") :]
        found = ~np.isnan(begins)
        if first:
            found &= ends >= dates.span(first, self._now)[0].timestamp()
        if last:
            found &= begins <= dates.span(last, self._now)[1].timestamp()
        return np.asarray(found)

    def _fitting(self, node: lucene.Node) -> Array:
        match node:
            case lucene.Every(parts):
                return np.asarray(np.logical_and.reduce([self._fitting(part) for part in parts]))
            case lucene.Either(parts):
                return np.asarray(np.logical_or.reduce([self._fitting(part) for part in parts]))
            case lucene.Without(part):
                return ~self._unrated(part)
            case lucene.Range():
                return self._between(node)
        return self._term(node)

    def _unrated(self, node: lucene.Node) -> Array:
        scores = self.scores
        found = self._fitting(node)
        self.scores = scores
        return found

    def _term(self, term: lucene.Term) -> Array:
        field = term.field
        if field == "*" or (field == "text" and term.text == lucene.ANY):
            return np.ones(self._size, bool)
        if field in TIMES:
            return self._at(term)
        if field not in BY_WORDS:
            return self._valued(term)
        self._count(1)
        if lucene.ANY in term.text or lucene.ONE in term.text:
            return self._wild(term)
        if not words(term.text):
            return np.ones(self._size, bool)  # a sign alone asks for nothing
        rated = self._matching.word(term.text, field, near=term.near)
        if term.phrase:
            rated = np.where(self._saying(np.flatnonzero(rated), term), rated, 0.0)
        self.scores = self.scores + rated
        return rated > 0

    def _count(self, cost: int) -> None:
        self._words += cost
        if self._words > _MOST_WORDS:
            raise SearchError(f"a query may have {_MOST_WORDS} words at most")

    def _valued(self, term: lucene.Term) -> Array:
        values = self._index.values(term.field)
        if values is None:
            return np.zeros(self._size, bool)
        if not term.phrase and (lucene.ANY in term.text or lucene.ONE in term.text):
            self._count(_LOOKING_THROUGH)
            return values.having(self._size, lucene.wild(term.text))
        return values.equal(self._size, (as_kept(term.field, term.text),))

    def _wild(self, term: lucene.Term) -> Array:
        text = "".join(sign if sign in (lucene.ANY, lucene.ONE) else fold(sign.lower()) for sign in term.text)
        vocabulary = self._index.vocabulary
        is_begin = text.endswith(lucene.ANY) and lucene.ANY not in text[:-1] and lucene.ONE not in text
        if not is_begin:
            self._count(_LOOKING_THROUGH)
        chosen = vocabulary.beginning(text[:-1]) if is_begin else vocabulary.matching(lucene.wild(text))
        rated = self._matching.fitting(chosen, term.field)
        self.scores = self.scores + (rated > 0)
        return rated > 0

    def _saying(self, slots: Array, phrase: lucene.Term) -> Array:
        """Which of the entries at these places say the words of the phrase one after the other."""
        wanted = [stem(word) for word in words(phrase.text)]
        result = np.zeros(self._size, bool)
        for slot in slots:
            entry = self._index.entries[slot]
            if entry is not None and len(wanted) > 1:
                result[slot] = any(_says(text, wanted) for text in _texts_of(entry, phrase.field))
            else:
                result[slot] = entry is not None
        return result

    def _at(self, term: lucene.Term) -> Array:
        if term.text == lucene.ANY:
            return np.ones(self._size, bool)
        first, last = dates.span(term.text, self._now)
        times = self._index.numbers()[NUMBERS.index(term.field)]
        return np.asarray((times >= first.timestamp()) & (times <= last.timestamp()))

    def _between(self, bounds: lucene.Range) -> Array:
        if bounds.field in TIMES:
            return self._between_times(bounds)
        values = self._index.values("title_string" if bounds.field == "title" else bounds.field)
        if values is None:
            return np.zeros(self._size, bool)
        self._count(_LOOKING_THROUGH)
        low, high = (self._bound(text) for text in (bounds.low, bounds.high))
        return values.having(self._size, partial(_is_within, low=low, high=high, bounds=bounds))

    def _bound(self, text: str) -> str | None:
        """A bound of texts; `NOW` as ISO 8601, which sorts like the times."""
        if text == "*":
            return None
        return dates.span(text, self._now)[0].strftime("%Y-%m-%dT%H:%M:%SZ") if text.startswith("NOW") else text

    def _between_times(self, bounds: lucene.Range) -> Array:
        times = self._index.numbers()[NUMBERS.index(bounds.field)]
        found = np.ones(self._size, bool)
        if bounds.low != "*":
            first, last = (time.timestamp() for time in dates.span(bounds.low, self._now))
            found &= times >= first if bounds.with_low else times > last
        if bounds.high != "*":
            first, last = (time.timestamp() for time in dates.span(bounds.high, self._now))
            found &= times <= last if bounds.with_high else times < first
        return found


def _is_within(value: str, low: str | None, high: str | None, bounds: lucene.Range) -> bool:
    """Numbers are compared as numbers where the bounds are some."""
    read = _number if all(_number(one) is not None for one in (low, high) if one is not None) else str
    found = read(value)
    if found is None:
        return False
    return _above(found, read, low, bounds.with_low) and _below(found, read, high, bounds.with_high)


def _above(found: Any, read: Callable[[str], Any], low: str | None, including: bool) -> bool:  # noqa: FBT001 (what the tree says)
    return low is None or found > read(low) or (including and found == read(low))


def _below(found: Any, read: Callable[[str], Any], high: str | None, including: bool) -> bool:  # noqa: FBT001 (what the tree says)
    return high is None or found < read(high) or (including and found == read(high))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _texts_of(entry: Any, field: str) -> list[str]:
    return [text for name, found in texts(entry, said_of(entry)) if field in ("text", name) for text in found]


def _says(said: str, wanted: list[str]) -> bool:
    there = [stem(word) for word in words(said)]
    return any(there[place : place + len(wanted)] == wanted for place in range(len(there) - len(wanted) + 1))
