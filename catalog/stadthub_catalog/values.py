"""The exact values of one field over all entries: compared, counted and sorted without looking at the entries."""

from array import array
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from stadthub_catalog.folding import fold

Array = np.ndarray[Any, Any]


class Values:
    """Pairs of an entry (by its place in the index) and a value; not thread-safe, its owner holds a lock."""

    def __init__(self) -> None:
        self._empty()

    def _empty(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._slots, self._which = array("i"), array("i")
        self._pairs: tuple[Array, Array] | None = None
        self._ranks: Array | None = None

    def put(self, slot: int, values: Iterable[str]) -> None:
        """This entry has these values."""
        for value in dict.fromkeys(values):
            number = self._numbers.get(value)
            if number is None:
                number = self._numbers[value] = len(self._names)
                self._names.append(value)
                self._ranks = None
            self._slots.append(slot)
            self._which.append(number)
        self._pairs = None

    def renumber(self, places: Array) -> None:
        """Each entry now has the place that stands here at its old one; -1: it is gone."""
        slots, which = self._arrays()
        moved = places[slots]
        pairs = [(int(slot), self._names[number]) for slot, number in zip(moved, which, strict=True) if slot >= 0]
        self._empty()
        for slot, name in pairs:
            self.put(slot, (name,))

    def having(self, size: int, fits: Callable[[str], bool]) -> Array:
        """Which of the `size` entries have a value that fits."""
        return self._mask(size, np.fromiter(map(fits, self._names), bool, len(self._names)))

    def equal(self, size: int, values: Iterable[str]) -> Array:
        """Which of the `size` entries have one of these values."""
        wanted = np.zeros(len(self._names), bool)
        wanted[[self._numbers[value] for value in values if value in self._numbers]] = True
        return self._mask(size, wanted)

    def counted(self, found: Array) -> dict[str, int]:
        """How many of the found entries have each value, the most frequent first."""
        slots, which = self._arrays()
        counts = np.bincount(which[found[slots]], minlength=len(self._names))
        there = np.flatnonzero(counts)
        return dict(sorted(((self._names[one], int(counts[one])) for one in there), key=lambda pair: (-pair[1], pair[0])))

    def order(self, size: int) -> Array:
        """A number for each entry that sorts like its first value, whatever the case; those without a value are NaN."""
        if self._ranks is None:
            ordered = sorted(range(len(self._names)), key=lambda one: (fold(self._names[one].casefold()), self._names[one]))
            self._ranks = np.empty(len(ordered))
            self._ranks[ordered] = np.arange(len(ordered))
        slots, which = self._arrays()
        result = np.full(size, np.nan)
        result[slots[::-1]] = self._ranks[which[::-1]]  # the first of several counts
        return result

    def _mask(self, size: int, wanted: Array) -> Array:
        slots, which = self._arrays()
        result = np.zeros(size, bool)
        result[slots[wanted[which]]] = True
        return result

    def _arrays(self) -> tuple[Array, Array]:
        if self._pairs is None:
            self._pairs = np.array(self._slots), np.array(self._which)
        return self._pairs
