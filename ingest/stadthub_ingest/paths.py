"""Paths into JSON: `a.b[0]`, `features[*]`, `data.*`, `"a name.with dots"`, `^.x` for the object around (`^^.x` one more), `$.x` from the top, `@key`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_STEP = re.compile(
    r"""(?:^|\.)(?:"(?P<quoted>[^"]+)"|(?P<top>\$)|(?P<key>@key)|(?P<all>\*)|(?P<name>[^.\[\]"*^$]+))|\.?(?P<up>\^)|\[(?P<index>-?\d+|\*)\]"""
)

Step = str | int

ALL, UP, TOP, KEY = "*", "^", "$", "@key"


@dataclass(frozen=True, slots=True)
class Path:
    """A path that was read once. Names are told from signs by `named`."""

    text: str
    steps: tuple[Step, ...]
    signs: tuple[bool, ...]
    #: Whether it only goes down by names and numbers.
    plain: bool


@dataclass(frozen=True, slots=True)
class Place:
    """An object and the way to it: the object around it and its own key or number there."""

    value: Any
    around: "Place | None" = None
    key: Step | None = None


@lru_cache(maxsize=4096)
def read_path(text: str) -> Path:
    """The steps of a path; ValueError with a sentence if it is none."""
    steps: list[Step] = []
    signs: list[bool] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or match.end() == at:
            raise ValueError(f"{text!r} is not a path: at {text[at:]!r}; write a.b[0], rows[*], ^.name or quote names with dots")
        kind = match.lastgroup or ""
        step = match[kind]
        steps.append(int(step) if kind == "index" and step != ALL else step)
        signs.append(kind in ("up", "top", "key", "all") or (step == ALL and kind == "index"))
        at = match.end()
    return Path(text, tuple(steps), tuple(signs), not any(signs))


def find(place: Place, path: Path) -> Any:
    """What stands at the path, or None."""
    if path.plain:
        return below(place.value, path)
    found = next(walk(place, path), None)
    return None if found is None else found.value


def below(value: Any, path: Path) -> Any:
    """What stands at a plain path in the value, or None."""
    for step in path.steps:
        value = _child(value, step)
        if value is None:
            return None
    return value


def walk(place: Place, path: Path, depth: int = 0) -> Iterator[Place]:
    """Every place that the path leads to, in the order of the payload."""
    while depth < len(path.steps):
        step, sign = path.steps[depth], path.signs[depth]
        depth += 1
        if sign and step == ALL:
            for key, child in _children(place.value):
                yield from walk(Place(child, place, key), path, depth)
            return
        following = _signed(place, str(step)) if sign else Place(_child(place.value, step), place, step)
        if following is None or following.value is None:
            return
        place = following
    yield place


def _signed(place: Place, sign: str) -> Place | None:
    if sign == KEY:
        return Place(place.key)
    if sign == TOP:
        while place.around is not None:
            place = place.around
        return place
    around = place.around  # a list is no object around: its owner is meant
    while around is not None and isinstance(around.value, list):
        around = around.around
    return around


def _child(value: Any, step: Step) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
        return value[step]
    return None


def _children(value: Any) -> Iterator[tuple[Step, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def flatten(value: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar in it with its path, names joined by dots, numbers in brackets."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from flatten(child, f"{before}.{key}" if before else str(key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from flatten(child, f"{before}[{number}]")
    else:
        yield before, value
