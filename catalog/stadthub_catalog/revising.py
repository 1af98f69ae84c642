"""CKAN's `package_revise`: parts of a package are matched, taken away, set and told, named by paths with `__`."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from stadthub_catalog.afresh import afresh
from stadthub_catalog.asked import Asked
from stadthub_catalog.package_writes import change
from stadthub_catalog.permits import writable
from stadthub_catalog.refusals import Invalid
from stadthub_catalog.resource_writes import uploaded
from stadthub_catalog.uploads import Upload

#: As much of the id of a resource names it in a path.
_ID_BEGINS = 5

Path = tuple[str, ...]


@afresh
def package_revise(asked: Asked) -> dict[str, Any]:
    """Change parts of a dataset, if it is as it is expected to be.

    match: what must hold ({"name": "x"}, or match__name); filter: what is taken away (["+name", "-resources__*"]); update: what is set
    ({"title": "…"}, or update__resources__0__description, update__resources__extend for more); include: what is told.
    """
    parts = {part: _part(asked.parameters, part) for part in ("match", "update")}
    if not parts["match"].get("name") and not parts["match"].get("id"):
        raise Invalid({"match": ["At least one of name or id is required"]})
    entry = writable(asked, str(parts["match"].get("id") or parts["match"].get("name")))
    package = asked.package(entry)
    for path, value in _paths(asked.parameters, "match"):
        _match(package, path, value)
    package = copy.deepcopy(package)
    patterns = _patterns(asked.parameters.get("filter"))
    if patterns:
        package = _filtered(package, patterns)
    for key, value in parts["update"].items():
        package[key] = value
    for path, value in _deep(asked.parameters, "update"):
        _set(package, path, value)
    package["resources"] = [uploaded(asked, entry, one) for one in package.get("resources", ())]
    result = change(asked, entry, {**package, "id": str(entry.id)})
    told = _patterns(asked.parameters.get("include"))
    return {"package": _filtered(result, told) if told else result}


def _json(value: Any) -> Any:
    """A value that may be JSON in a text, as forms send it."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _part(parameters: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The keys of a package that are named on its first floor, in both ways."""
    whole = _json(parameters.get(part)) or {}
    if not isinstance(whole, dict):
        raise Invalid({part: ["Must be a dict"]})
    flat = {path[0]: value for path, value in _flat(parameters, part) if len(path) == 1}
    return {**whole, **flat}


def _flat(parameters: Mapping[str, Any], part: str) -> Iterator[tuple[Path, Any]]:
    for name, value in parameters.items():
        if name.startswith(f"{part}__"):
            yield tuple(name.split("__")[1:]), value


def _deep(parameters: Mapping[str, Any], part: str) -> Iterator[tuple[Path, Any]]:
    return ((path, value) for path, value in _flat(parameters, part) if len(path) > 1)


def _paths(parameters: Mapping[str, Any], part: str) -> Iterator[tuple[Path, Any]]:
    """Everything that is named by a path, and all leaves of what is given whole."""
    yield from _flat(parameters, part)
    yield from _leaves(_json(parameters.get(part)) or {}, ())


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _leaves(one, (*path, key))
    elif isinstance(value, list) and value:
        for place, one in enumerate(value):
            yield from _leaves(one, (*path, str(place)))
    elif path:
        yield path, value


def _place(rows: list[Any], key: str) -> int | None:
    """Which of the rows a part of a path means: a number, or the beginning of an id."""
    if re.fullmatch(r"-?\d{1,4}", key):
        return int(key) if -len(rows) <= int(key) < len(rows) else None
    named = [
        place for place, one in enumerate(rows) if isinstance(one, dict) and len(key) >= _ID_BEGINS and str(one.get("id")).startswith(key)
    ]
    return named[0] if len(named) == 1 else None


def _match(package: Any, path: Path, value: Any) -> None:
    here = package
    for key in path:
        if isinstance(here, list):
            place = _place(here, key)
            here = here[place] if place is not None else None
        else:
            here = here.get(key) if isinstance(here, dict) else None
    if here != value and not (isinstance(value, str) and not isinstance(here, str) and orjson.dumps(here).decode() == value.lower()):
        raise Invalid({"message": [{"match": [f"{'__'.join(path)} does not match"]}]})


def _set(package: dict[str, Any], path: Path, value: Any) -> None:
    """Put the value where the path leads; Invalid if it leads nowhere."""
    here: Any = package
    for place, key in enumerate(path):
        is_last = place == len(path) - 1
        if isinstance(here, list) and key == "extend" and is_last:
            more = _json(value)
            here.extend(more if isinstance(more, list) else [more])
            return
        step: Any = _place(here, key) if isinstance(here, list) else key
        if step is None or not isinstance(here, list | dict):
            raise Invalid({"message": [{"update": [f"{'__'.join(path)} does not exist"]}]})
        if is_last:
            here[step] = value if isinstance(value, Upload) else _json(value)
            return
        here = here[step] if isinstance(here, list) else here.setdefault(step, {})


def _patterns(given: Any) -> list[tuple[bool, Path]]:
    """Patterns as (whether to keep, path), in their order."""
    found = _json(given)
    if found in (None, ""):
        return []
    rows = found.split(",") if isinstance(found, str) else found
    if not isinstance(rows, list) or any(str(one).strip()[:1] not in ("+", "-") for one in rows):
        raise Invalid({"filter": ["Patterns must start with + or -"]})
    return [(str(one).strip()[0] == "+", tuple(str(one).strip()[1:].split("__"))) for one in rows]


def _filtered(package: Any, patterns: list[tuple[bool, Path]]) -> Any:
    """What the patterns leave: the first that fits decides."""
    return _left(package, (), patterns)


def _left(value: Any, path: Path, patterns: list[tuple[bool, Path]]) -> Any:
    if isinstance(value, dict):
        return {key: _left(one, (*path, key), patterns) for key, one in value.items() if _stays(one, (*path, key), patterns)}
    if isinstance(value, list):
        return [
            _left(one, _row(path, place, one), patterns) for place, one in enumerate(value) if _stays(one, _row(path, place, one), patterns)
        ]
    return value


def _row(path: Path, place: int, one: Any) -> Path:
    return (*path, f"{place}|{one.get('id', '')}" if isinstance(one, dict) else str(place))


def _stays(value: Any, path: Path, patterns: list[tuple[bool, Path]]) -> bool:
    """Whether this part stays: the first pattern that covers it says so; one that leads deeper into it keeps the way open."""
    for keeps, pattern in patterns:
        if _fits(path[: len(pattern)], pattern) and len(pattern) <= len(path):
            return keeps
        if keeps and len(pattern) > len(path) and isinstance(value, dict | list) and _fits(path, pattern[: len(path)]):
            return True
    return True


def _fits(path: Path, pattern: Path) -> bool:
    return len(path) == len(pattern) and all(map(_same, path, pattern))


def _same(here: str, wanted: str) -> bool:
    place, _, key = here.partition("|")
    return wanted in ("*", here, place) or (len(wanted) >= _ID_BEGINS and bool(key) and key.startswith(wanted))
