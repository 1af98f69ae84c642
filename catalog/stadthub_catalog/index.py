"""The search index in memory: which entry holds which word, and how much that says about it."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from stadthub_catalog.entry import Entry
from stadthub_catalog.folding import spellings, words
from stadthub_schemas.dataset import AccessClass
from stadthub_schemas.vocabularies import THEMES

#: A word that only begins as asked counts less, one that only holds it in its middle (a German compound) least.
_BEGINS, _HOLDS = 0.6, 0.25

#: Shorter parts of words are not looked for within others.
_LEAST_PART = 4


class Index:
    """Words to entries; not thread-safe, its owner holds a lock."""

    def __init__(self) -> None:
        self._postings: dict[str, dict[str, float]] = {}
        self._words: dict[str, tuple[str, ...]] = {}
        self._sorted: list[str] | None = None

    def put(self, entry: Entry) -> None:
        """Take the entry in, instead of what was known of it."""
        self.drop(entry.name)
        weights = _weights(entry)
        self._words[entry.name] = tuple(weights)
        for word, weight in weights.items():
            if word not in self._postings:
                self._postings[word] = {}
                self._sorted = None
            self._postings[word][entry.name] = weight

    def drop(self, name: str) -> None:
        """Forget the entry."""
        for word in self._words.pop(name, ()):
            holders = self._postings[word]
            del holders[name]
            if not holders:
                del self._postings[word]
                self._sorted = None

    def find(self, text: str) -> dict[str, float]:
        """The names of the entries that hold every word of the text, each with its relevance."""
        found: dict[str, float] | None = None
        for word in words(text):
            one = self._word(word)
            found = one if found is None else {name: found[name] + weight for name, weight in one.items() if name in found}
        return found or {}

    def holding(self, text: str) -> set[str]:
        """The names of the entries that hold every word of the text as it stands, wherever."""
        held = [set().union(*(self._postings.get(spelling, ()) for spelling in spellings(word))) for word in words(text)]
        return set.intersection(*held) if held else set()

    def _word(self, word: str) -> dict[str, float]:
        scores: dict[str, float] = {}
        for spelling in spellings(word):
            for known, share in self._matching(spelling):
                for name, weight in self._postings[known].items():
                    scores[name] = max(scores.get(name, 0.0), weight * share)
        return scores

    def _matching(self, asked: str) -> Iterable[tuple[str, float]]:
        if self._sorted is None:
            self._sorted = sorted(self._postings)
        start = bisect_left(self._sorted, asked)
        end = bisect_left(self._sorted, asked + "\U0010ffff")
        for known in self._sorted[start:end]:
            yield known, 1.0 if known == asked else _BEGINS
        if len(asked) >= _LEAST_PART:
            for known in self._sorted:
                if asked in known and not known.startswith(asked):
                    yield known, _HOLDS


def _weights(entry: Entry) -> dict[str, float]:
    """Each word of the entry with what it says about it: the place that says most counts."""
    meta = entry.dataset.metadata
    columns = [column for column in entry.columns if column.access is AccessClass.PUBLIC]  # nobody learns of the others by searching
    places: list[tuple[float, Iterable[str | None]]] = [
        (8.0, (meta.title, meta.title_en)),
        (6.0, (entry.name,)),
        (5.0, meta.keywords),
        (3.0, (entry.organization.title, entry.organization.name)),
        (2.0, (words for theme in meta.themes for words in THEMES[theme])),
        (2.0, (text for column in columns for text in (column.name, column.title, column.title_en))),
        (1.0, (meta.description, meta.description_en, meta.attribution)),
        (1.0, (text for column in columns for text in (column.description, column.description_en))),
    ]
    weights: dict[str, float] = {}
    for weight, texts in places:
        counted = Counter(spelling for text in texts if text for word in words(text) for spelling in spellings(word))
        for spelling, times in counted.items():
            weights[spelling] = max(weights.get(spelling, 0.0), weight * (1 + min(times - 1, 4) * 0.1))
    return weights
