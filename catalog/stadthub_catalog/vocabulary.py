"""The words of the catalogue: which entry holds which word in which places, and which words are near to a word that is asked."""

from array import array
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from stadthub_catalog.compounds import parts
from stadthub_catalog.folding import stem

#: How much a word counts that isn't the asked one itself: of the same stem, one that begins so, a compound that ends in it or
#: holds it elsewhere.
_SAME, _BEGINS, _ENDS, _HOLDS = 0.9, 0.45, 0.5, 0.4

#: How much a word counts that is only spelled alike.
ALIKE = 0.4

_LEAST_BEGIN, _LEAST_PART, _LEAST_ALIKE = 3, 3, 4

#: More words than these are not looked at for one asked word.
_MOST = 2000

Array = np.ndarray[Any, Any]


class Posting:
    """The entries (by their places in the index) that hold a word, how much it says about each, and in which texts it stands."""

    __slots__ = ("bits", "slots", "weights")

    def __init__(self) -> None:
        self.slots, self.weights, self.bits = array("i"), array("f"), array("H")

    def arrays(self, bits: int | None) -> tuple[Array, Array]:
        """Places and weights, of those that hold the word in one of these texts."""
        slots, weights = np.array(self.slots), np.array(self.weights)
        if bits is None:
            return slots, weights
        there = (np.array(self.bits) & bits) != 0
        return slots[there], weights[there]


class Vocabulary:
    """Words to entries; not thread-safe, its owner holds a lock."""

    def __init__(self) -> None:
        self._postings: dict[str, Posting] = {}
        self._stems: defaultdict[str, list[str]] = defaultdict(list)
        self._public: Counter[str] = Counter()
        self._sorted: list[str] | None = None
        self._joined: str | None = None
        self._letters: tuple[list[str], list[str]] | None = None
        self._parts: dict[str, tuple[str, ...]] = {}

    def put(self, slot: int, weights: Mapping[str, tuple[float, int]]) -> None:
        """This entry holds these words, each with its weight and the bits of its texts."""
        for word, (weight, bits) in weights.items():
            posting = self._postings.get(word) or self._learn(word)
            posting.slots.append(slot)
            posting.weights.append(weight)
            posting.bits.append(bits)

    def count(self, words: Iterable[str], step: int) -> None:
        """These words are in one more public entry, or in one less: only such words take compounds apart."""
        for word in words:
            found = stem(word)
            before = self._public[found]
            self._public[found] = before + step
            if not before or not self._public[found]:
                self._parts.clear()

    def renumber(self, places: Array) -> None:
        """Each entry now has the place that stands here at its old one; -1: it is gone."""
        for word in list(self._postings):
            posting = self._postings[word]
            moved = places[np.array(posting.slots)]
            there = moved >= 0
            if not there.any():
                self._forget(word)
                continue
            posting.slots = array("i", moved[there].astype("i4").tobytes())
            posting.weights = array("f", np.array(posting.weights)[there].tobytes())
            posting.bits = array("H", np.array(posting.bits)[there].tobytes())

    def holds(self, word: str) -> bool:
        """Whether any entry holds this very word."""
        return word in self._postings

    def posting(self, word: str) -> Posting:
        """Who holds this word, one that the vocabulary gave."""
        return self._postings[word]

    def same(self, word: str) -> dict[str, float]:
        """The words that are this one in another form, and the compounds that hold it, each with how much it counts."""
        found = self._compounds(word)
        found |= dict.fromkeys(self._stems.get(stem(word), ()), _SAME)
        if word in self._postings:
            found[word] = 1.0
        return found

    def beginning(self, begin: str) -> list[str]:
        """The words that begin so."""
        every = self._ordered()
        start = bisect_left(every, begin)
        end = bisect_left(every, begin + "\U0010ffff", start)
        return every[start : min(end, start + _MOST)]

    def loosely(self, word: str) -> dict[str, float]:
        """As `same`, and the words that begin so."""
        found = dict.fromkeys(self.beginning(word), _BEGINS) if len(word) >= _LEAST_BEGIN else {}
        for one, share in self.same(word).items():
            found[one] = max(share, found.get(one, 0.0))
        return found

    def alike(self, word: str, more: int = 0) -> Iterator[tuple[int, list[str]]]:
        """The words that are spelled alike, the nearest first, by how many letters they differ."""
        if len(word) < _LEAST_ALIKE or any(map(str.isdigit, word)):
            return
        most = (1 if len(word) < 8 else 2) + (more if len(word) > _LEAST_ALIKE + 1 else 0)
        found: defaultdict[int, list[str]] = defaultdict(list)
        for asked, there in zip((word, stem(word)), self._spelled(), strict=True):
            if len(asked) <= _LEAST_ALIKE < len(word):  # of a short stem one letter is too much: Wetter is not Werte
                continue
            for name, far, _ in process.extract(asked, there, scorer=OSA.distance, score_cutoff=most, limit=50):
                found[int(far)] += [name] if asked is word else self._stems[name]
        for distance in range(1, most + 1):
            if found[distance]:
                yield distance, list(dict.fromkeys(found[distance]))

    def matching(self, fits: Callable[[str], Any]) -> list[str]:
        """The words that fit."""
        return [word for word in self._ordered() if fits(word)][:_MOST]

    def taken_apart(self, word: str) -> tuple[str, ...]:
        """The stems of the words that a compound is made of; empty if it is none."""
        if word not in self._parts:
            if len(self._parts) > 200_000:
                self._parts.clear()
            self._parts[word] = parts(word, self._is_known)
        return self._parts[word]

    def _is_known(self, found: str) -> bool:
        return self._public.get(found, 0) > 0

    def _compounds(self, word: str) -> dict[str, float]:
        """The compounds that hold the word: 'baum' is in 'strassenbaeume'."""
        asked = stem(word)
        if len(asked) < _LEAST_PART:
            return {}
        found: dict[str, float] = {}
        for one in self._holding({asked, word}):
            made = self.taken_apart(one)
            if asked in made:
                found[one] = _ENDS if made[-1] == asked else _HOLDS
        return found

    def _holding(self, texts: set[str]) -> set[str]:
        """The words whose stems, or themselves, hold one of the texts."""
        if self._joined is None:
            self._joined = "\n".join(["", *self._postings, "", *(f"{found}\t" for found in self._stems), ""])
        joined = self._joined
        held: set[str] = set()
        for text in texts:
            place = joined.find(text)
            while place >= 0 and len(held) < _MOST:
                start, end = joined.rfind("\n", 0, place) + 1, joined.find("\n", place)
                line = joined[start:end]
                held.update(self._stems[line[:-1]] if line.endswith("\t") else (line,))
                place = joined.find(text, end)
        return held

    def _spelled(self) -> tuple[list[str], list[str]]:
        """The words and the stems that have letters only: numbers that are alike mean nothing."""
        if self._letters is None:
            self._letters = [word for word in self._postings if word.isalpha()], [found for found in self._stems if found.isalpha()]
        return self._letters

    def _ordered(self) -> list[str]:
        if self._sorted is None:
            self._sorted = sorted(self._postings)
        return self._sorted

    def _learn(self, word: str) -> Posting:
        posting = self._postings[word] = Posting()
        self._stems[stem(word)].append(word)
        self._joined = self._letters = None
        if self._sorted is not None:
            insort(self._sorted, word)
        return posting

    def _forget(self, word: str) -> None:
        del self._postings[word]
        others = self._stems[stem(word)]
        others.remove(word)
        if not others:
            del self._stems[stem(word)]
        self._sorted = self._joined = self._letters = None
