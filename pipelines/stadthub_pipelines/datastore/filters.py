"""CKAN's `filters` as the lake's filter: equal, one of, less, greater, all of, any of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from stadthub_catalog.refusals import Invalid
from stadthub_lake.recordset import ID
from stadthub_pipelines.datastore.values import WrongValueError, compared
from stadthub_schemas.query import EVERYTHING, And, Comparison, Filter, Operator, Or

_OPERATORS = {
    "eq": Operator.EQ,
    "lt": Operator.LT,
    "lte": Operator.LE,
    "gt": Operator.GT,
    "gte": Operator.GE,
    "in": Operator.IN,
}
_MOST, _DEEPEST = 100, 10


@dataclass(frozen=True, slots=True)
class Op:
    """A filter as CKAN tells it: `$and` and `$or` hold others, all else compares a field."""

    op: str
    field: str | None
    value: Any

    def told(self) -> dict[str, Any]:
        """As it is echoed."""
        inner = [one.told() for one in self.value] if self.field is None else self.value
        return {"op": self.op, "field": self.field, "value": inner}


def read(said: Any, type_of: Callable[[str], str | None]) -> Op | None:
    """The filters; None if there are none. Invalid with every mistake."""
    if isinstance(said, str) and said:
        try:
            said = orjson.loads(said)
        except orjson.JSONDecodeError:
            raise Invalid({"filters": ["Cannot parse JSON"]}) from None
    if not said:
        return None
    if not isinstance(said, Mapping) and not _are_objects(said):
        raise Invalid({"filters": ["Filters must be defined as a dict or a list of dicts"]})
    reading = _Reading(type_of)
    if isinstance(said, list):
        members = reading.members(said, "$or", 0)
        found = Op("$or", None, members) if members else None
    else:
        found = reading.object(said, 0)
    if reading.wrong:
        raise Invalid({"filters": reading.wrong})
    return found


class _Reading:
    """One look at filters; `wrong` gathers the mistakes."""

    def __init__(self, type_of: Callable[[str], str | None]) -> None:
        self.wrong: list[str] = []
        self._type_of = type_of
        self._left = _MOST

    def object(self, said: Mapping[str, Any], depth: int) -> Op | None:
        """All of what an object says."""
        parts: list[Op] = []
        for key, value in said.items():
            if key.startswith("$") and not key.startswith("$$"):
                if key not in ("$or", "$and"):
                    self.wrong.append(f"Unknown operators (must be one of $or, $and): {key}")
                elif not _are_objects(value):
                    self.wrong.append(f"Filter operations must be defined as a list of dicts: {value}")
                elif found := self.members(value, key, depth + 1):
                    parts += found if key == "$and" else [Op(key, None, found)]
            elif (one := self._field(key.removeprefix("$") if key.startswith("$$") else key, value)) is not None:
                parts.append(one)
        if len(parts) < 2:
            return parts[0] if parts else None
        return Op("$and", None, parts)

    def members(self, said: list[Any], word: str, depth: int) -> list[Op]:
        """What the objects of a list say; one that says the same word over again is taken apart."""
        if depth >= _DEEPEST:
            raise Invalid({"filters": ["Maximum nesting depth for filter operations reached"]})
        found: list[Op] = []
        for one in said:
            op = self.object(one, depth)
            if op is not None:
                found += op.value if op.op == word and op.field is None else [op]
        return found

    def _field(self, name: str, value: Any) -> Op | None:
        if isinstance(value, Mapping):
            found = [one for op, inner in value.items() if (one := self._one(name, str(op), inner)) is not None]
            return found[0] if len(found) == 1 else Op("$and", None, found) if found else None
        if not isinstance(value, list):
            return self._one(name, "eq", value)
        objects = [one for one in value if isinstance(one, Mapping)]
        if not objects:
            return self._one(name, "in", value)
        found = [one for inner in objects if (one := self._field(name, inner)) is not None]
        plain = [one for one in value if not isinstance(one, Mapping)]
        found += [one] if plain and (one := self._one(name, "in", plain)) is not None else []
        return Op("$or", None, found) if found else None

    def _one(self, name: str, op: str, value: Any) -> Op | None:
        self._left -= 1
        if self._left < 0:
            raise Invalid({"filters": ["Maximum number of filter operations exceeded"]})
        if self._type_of(name) is None:
            self.wrong.append(f"Unknown field: {name}")
            return None
        if op not in _OPERATORS:
            self.wrong.append(f"Unknown filter operation: FilterOp(field={name!r}, op={op!r}, value={value!r})")
            return None
        return Op(op, name, value)


def meant(op: Op | None, type_of: Callable[[str], str | None]) -> Filter:
    """The filter as the lake knows it. Invalid for a value that the field can't have."""
    if op is None:
        return EVERYTHING
    if op.field is None:
        return (And if op.op == "$and" else Or)(tuple(meant(one, type_of) for one in op.value))
    kind = type_of(op.field) or "text"
    values = op.value if op.op == "in" and isinstance(op.value, list) else [op.value]
    try:
        found = tuple(compared(kind, value) for value in values if value is not None)
    except WrongValueError as error:
        raise Invalid({"query": ["Invalid query"], "info": {"orig": [str(error)]}}) from error
    if op.op == "eq" and not found:
        return Comparison(op.field, Operator.IS_NULL, (True,))
    return Comparison(op.field, _OPERATORS[op.op], found) if found else Or(())


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which numbers of rows are wanted: those after and before others, and if some are named only these."""

    after: int | None = None
    before: int | None = None
    among: tuple[int, ...] | None = None

    def narrowed(self, after: int | None, before: int | None) -> "Numbers":
        """The same within these bounds too."""
        later = after if self.after is None else self.after if after is None else max(self.after, after)
        earlier = before if self.before is None else self.before if before is None else min(self.before, before)
        return replace(self, after=later, before=earlier)


def numbers(where: Filter) -> tuple[Filter, Numbers]:
    """The filter without what it says of the numbers of rows, and that."""
    found = Numbers()
    rest = []
    for part in where.parts if isinstance(where, And) else (where,):
        if not isinstance(part, Comparison) or part.column != ID or part.operator not in _STEPS:
            rest.append(part)
            continue
        values = [int(value) for value in part.values if value is not None]
        after, before = _STEPS[part.operator]
        found = found.narrowed(None if after is None else min(values) + after, None if before is None else max(values) + before)
        if part.operator is Operator.IN:
            found = replace(found, among=tuple(values))
    return (rest[0] if len(rest) == 1 else And(tuple(rest))), found


#: What is added to the smallest and the largest number of each comparison to be the row before and the row after.
_STEPS: Mapping[Operator, tuple[int | None, int | None]] = {
    Operator.GT: (0, None),
    Operator.GE: (-1, None),
    Operator.LT: (None, 0),
    Operator.LE: (None, 1),
    Operator.EQ: (-1, 1),
    Operator.IN: (-1, 1),
}


def _are_objects(said: Any) -> bool:
    return isinstance(said, list) and all(isinstance(one, Mapping) for one in said)
