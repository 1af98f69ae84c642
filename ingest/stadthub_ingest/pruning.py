"""JSON without all that no path leads to."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import orjson

from stadthub_ingest.paths import Path, Place, walk

#: A member of an object or list: whose, and its key or number.
_Member = tuple[int, Any]


class Pruner:
    """Remembers what is wanted of one payload, then gives it without the rest. Lists keep their length: `null` stands for what went."""

    def __init__(self, found: Any) -> None:
        self._found = found
        self._whole: set[_Member] = set()
        self._part: set[_Member] = set()

    def want(self, place: Place, paths: Iterable[Path]) -> None:
        """Keep the way to this place, and what stands at these paths from it."""
        self._mark(place)
        for path in paths:
            for one in walk(place, path):
                if one.around is not None:
                    self._whole.add(_member(one))
                    self._mark(one)

    def pruned(self) -> Any:
        """The payload with what is wanted."""
        return self._prune(self._found)

    def _mark(self, place: Place) -> None:
        while place.around is not None:
            self._part.add(_member(place))
            place = place.around

    def _prune(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._child(value, key, child) for key, child in value.items() if self._is_wanted(value, key)}
        if isinstance(value, list):
            return [self._child(value, number, child) if self._is_wanted(value, number) else None for number, child in enumerate(value)]
        return None

    def _child(self, around: dict[str, Any] | list[Any], key: Any, child: Any) -> Any:
        return child if (id(around), key) in self._whole else self._prune(child)

    def _is_wanted(self, around: object, key: Any) -> bool:
        return (id(around), key) in self._part


def _member(place: Place) -> _Member:
    assert place.around is not None
    around, key = place.around.value, place.key
    if isinstance(around, list) and isinstance(key, int) and key < 0:
        key += len(around)
    return id(around), key


def spelt(value: object) -> orjson.Fragment:
    """An exact number as JSON, with all its digits; TypeError for anything else."""
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} is no JSON")
