"""How well entries fit words that somebody types: each word in all its forms, Solr's dismax over them, and what may have been meant."""

from collections.abc import Iterable, Sequence
from math import ceil, log1p
from typing import Any

import numpy as np

from stadthub_catalog.fields import BITS, spoken
from stadthub_catalog.folding import STOP, stem, words
from stadthub_catalog.index import Index
from stadthub_catalog.synonyms import Synonyms
from stadthub_catalog.vocabulary import ALIKE

Array = np.ndarray[Any, Any]

#: Other words for the same, and the parts of a compound that stand apart, count less than what was typed.
_SYNONYM, _APART = 0.6, 0.6

#: More words than these are not looked for.
_MOST_WORDS = 60

#: How many proposals are made, and how many words are tried for each that nobody knows.
_MOST_PROPOSALS, _MOST_TRIED = 3, 8


class Matching:
    """The words of one index, as far as one asker may see it: nothing outside `seen` changes an answer."""

    def __init__(self, index: Index, synonyms: Synonyms, seen: Array) -> None:
        self._index = index
        self._vocabulary = index.vocabulary
        self._synonyms = synonyms
        self._seen = seen
        self._size = len(index)

    def typed(self, text: str) -> Array:
        """How well each entry fits what somebody typed: of up to two words all, of more most must be there (Solr's mm 2<-1 5<80%)."""
        return self._summed([scores for _, scores in self._clauses(text)])

    def forgiving(self, text: str) -> tuple[Array, tuple[str, ...]]:
        """As `typed`, but for the words that no entry has, if there are others; and these words."""
        clauses = self._clauses(text)
        known = [scores for _, scores in clauses if scores.any()]
        unknown = tuple(" ".join(said) for said, scores in clauses if not scores.any())
        return (self._summed(known), unknown) if known else (self._none(), ())

    def _clauses(self, text: str) -> list[tuple[Sequence[str], Array]]:
        """The words and phrases of a text, each with how well each entry fits it."""
        said = words(text)[:_MOST_WORDS]
        said = [word for word in said if word not in STOP] or said
        clauses: list[tuple[Sequence[str], Array]] = []
        place = 0
        while place < len(said):
            length, others = self._synonyms.at(said, place)
            phrase = said[place : place + length]
            clauses.append((phrase, self._clause(phrase, others)))
            place += length
        return clauses

    def _summed(self, clauses: Sequence[Array]) -> Array:
        if not clauses:
            return self._none()
        fitting = sum((scores > 0).astype(int) for scores in clauses) >= _needed(len(clauses))
        return np.where(fitting & self._seen, sum(clauses), 0.0)

    def word(self, text: str, field: str, *, near: bool = False) -> Array:
        """How well each entry fits every word of the text in this field; `near`: words that are spelled alike count too."""
        bits = BITS.get(field)
        found: Array | None = None
        for word in words(text):
            one = self._rated(self._gathered(self._vocabulary.same(word), bits))
            if near and not one.any():
                one = self._alike(word, bits)
            found = one if found is None else np.where((found > 0) & (one > 0), found + one, 0.0)
        return self._none() if found is None else found

    def fitting(self, chosen: Iterable[str], field: str) -> Array:
        """Which entries hold any of these words of the vocabulary in this field."""
        return self._gathered(dict.fromkeys(chosen, 1.0), BITS.get(field))

    def proposals(self, text: str) -> list[str]:
        """What may have been meant by a text that nothing was found for: each proposal finds something."""
        said = words(text)[:8]
        tries: list[list[str]] = []
        for word in said:
            known = bool(self._gathered(self._vocabulary.loosely(word), None).any())
            near = [] if known else self._near(word)
            tries.append([word] if known or word in STOP else near)
        whole = [" ".join(options[0] for options in tries)] if all(tries) else []
        others = [" ".join([*said[:place], one, *said[place + 1 :]]) for place, options in enumerate(tries) for one in options]
        alone = [one for options in tries for one in options if one not in STOP]
        made = (one for one in dict.fromkeys([*whole, *others, *alone]) if one != " ".join(said) and self.typed(one).any())
        return [self._written(one) for one, _ in zip(made, range(_MOST_PROPOSALS), strict=False)]

    def _clause(self, said: Sequence[str], others: Iterable[Sequence[str]]) -> Array:
        """How well each entry fits one phrase, said so or otherwise."""
        ways = [self._all([self._loosely(word) for word in said])]
        ways += [_SYNONYM * self._all([self._forms(word) for word in other]) for other in others]
        if len(said) == 1:
            apart = self._vocabulary.taken_apart(said[0])
            if apart:
                ways.append(_APART * self._all([self._part(part) for part in apart]))
        best = np.maximum.reduce(ways)
        if not best.any() and len(said) == 1:
            best = self._alike(said[0], None)
        return self._rated(best)

    def _part(self, part: str) -> Array:
        """A part of a compound, said so or otherwise."""
        _, others = self._synonyms.at([part], 0)
        ways = [_SYNONYM * self._all([self._forms(word) for word in other]) for other in others]
        return np.asarray(np.maximum.reduce([self._loosely(part), *ways]))

    def _loosely(self, word: str) -> Array:
        return self._gathered(self._vocabulary.loosely(word), None)

    def _forms(self, word: str) -> Array:
        return self._gathered(self._vocabulary.same(word), None)

    def _all(self, scores: Sequence[Array]) -> Array:
        """Where every word is: what they say on average."""
        if len(scores) == 1:
            return scores[0]
        there = np.logical_and.reduce([one > 0 for one in scores])
        return np.where(there, sum(scores) / len(scores), 0.0)

    def _alike(self, word: str, bits: int | None) -> Array:
        """As if a word was typed that is spelled alike: the nearest that finds anything."""
        for _, near in self._vocabulary.alike(word):
            found = self._gathered(dict.fromkeys(near, ALIKE), bits)
            if found.any():
                return found
        return self._none()

    def _near(self, word: str) -> list[str]:
        """Words that are spelled alike, also a little further off, the nearest and most frequent first."""
        found: list[str] = []
        for _, near in self._vocabulary.alike(word, more=1):
            counts = {one: int((self._gathered({one: 1.0}, None) > 0).sum()) for one in near}
            found += sorted((one for one, count in counts.items() if count), key=lambda one: (-counts[one], one))
        by_stem = {stem(one): one for one in reversed(found)}
        return [one for one in found if by_stem[stem(one)] == one][:_MOST_TRIED]

    def _gathered(self, shares: dict[str, float], bits: int | None) -> Array:
        """The best weight that any of these words has in each entry that is seen."""
        result = np.zeros(self._size)
        for word, share in shares.items():
            slots, weights = self._vocabulary.posting(word).arrays(bits)
            result[slots] = np.maximum(result[slots], share * weights)
        result[~self._seen] = 0.0
        return result

    def _rated(self, scores: Array) -> Array:
        """Rare words say more than frequent ones."""
        return scores * log1p(int(self._seen.sum()) / (1 + int((scores > 0).sum())))

    def _written(self, text: str) -> str:
        """Folded words as the entries that are seen write them."""
        return " ".join(self._spelled(word) for word in text.split())

    def _spelled(self, word: str) -> str:
        if not self._vocabulary.holds(word):
            return word
        slots = self._vocabulary.posting(word).arrays(None)[0]
        for entry in self._index.found(int(slot) for slot in slots[self._seen[slots]]):
            for said in spoken(entry):
                if words(said) == [word]:
                    return said
        return word

    def _none(self) -> Array:
        return np.zeros(self._size)


def _needed(clauses: int) -> int:
    """How many of so many words must be there."""
    if clauses <= 2:
        return clauses
    return clauses - 1 if clauses <= 5 else clauses - ceil(clauses * 0.2)
