"""The judge's table of rules: for each observed property and unit its stored unit, conversion and plausible range."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from stadthub_ingest.keys import property_key
from stadthub_schemas.errors import FeedError, QueryError
from stadthub_schemas.feed import Rules
from stadthub_schemas.properties import OBSERVED_PROPERTIES
from stadthub_schemas.units import conversion

#: Nothing was observed by a machine before.
OLDEST = datetime(1900, 1, 1, tzinfo=UTC)


class RowError(ValueError):
    """A row is bad: one sentence that begins with the field."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for the results of one observed property that come in one unit."""

    observed_property: str
    unit: str | None
    factor: float
    divisor: float
    offset: float
    lowest: float
    highest: float
    numeric: bool
    given: str | None

    def judge(self, result: float) -> float:
        """The result in the stored unit; RowError if it is no finite number in the plausible range."""
        if not math.isfinite(result):
            raise RowError(f"result: {result} is not a finite number")
        stored = result * self.factor / self.divisor + self.offset
        if not self.lowest <= stored <= self.highest:
            raise RowError(f"result: {words(result)}{_spelled(self.given or self.unit)} is outside {self._bounds()}")
        return stored

    def _bounds(self) -> str:
        unit = _spelled(self.unit) if self.given not in (None, self.unit) else ""
        return f"{words(self.lowest)}..{words(self.highest)}{unit} ({self.observed_property})"


def _spelled(unit: str | None) -> str:
    return "" if unit in (None, "1", "{count}") else f" {unit}"


def words(value: float) -> str:
    """The number without a needless fraction."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)


class RuleBook:
    """The rules of one feed. Each is worked out once and then looked up."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._book: dict[tuple[Any, Any], Rule | RowError] = {}
        self._future = rules.future
        wrong = [f"rules.units.{name}: {problem}" for name, unit in rules.units.items() if (problem := _problem(name, unit))]
        wrong += [f"rules.ranges.{name}: {low} is above {high}" for name, (low, high) in rules.ranges.items() if low > high]
        if wrong:
            raise FeedError("\n".join(wrong))

    def rule(self, observed_property: Any, unit: Any) -> Rule:
        """The rule for results of this property in this unit (None: in its stored unit); RowError if there can be none."""
        try:
            found = self._book.get((observed_property, unit))
        except TypeError:
            found = _refuse_names(observed_property, unit)
        if found is None:
            try:
                found = self._work_out(observed_property, unit)
            except RowError as refused:
                found = refused
            # Texts only: a dict can't tell 1, 1.0 and true apart, the sentence can.
            if isinstance(observed_property, str) and (unit is None or isinstance(unit, str)) and len(self._book) < 100_000:
                self._book[observed_property, unit] = found
        if isinstance(found, RowError):
            raise RowError(*found.args)
        return found

    def window(self, received: datetime) -> tuple[datetime, datetime]:
        """The earliest and the latest time that an observation received then may have."""
        earliest = OLDEST if self._rules.oldest is None else max(OLDEST, received - self._rules.oldest)
        return earliest, received + self._future

    def _work_out(self, observed_property: Any, unit: Any) -> Rule:
        if observed_property is None:
            raise RowError("observed_property: missing")
        if not isinstance(observed_property, str) or (unit is not None and not isinstance(unit, str)):
            raise _refuse_names(observed_property, unit)
        key = property_key(observed_property)
        if not key:
            raise RowError(f"observed_property: {observed_property!r} has no letter or digit")
        known = OBSERVED_PROPERTIES.get(key)
        stored = self._rules.units.get(key) or (known.unit if known else unit)
        factor, divisor, offset = 1.0, 1.0, 0.0
        if unit is not None and stored is not None:
            factor, offset = _conversion(unit, stored)
            if factor < 1 and math.isclose(1 / factor, round(1 / factor), rel_tol=1e-12):
                factor, divisor = 1.0, float(round(1 / factor))  # a hundredth is not exact, a division by hundred is rounded once
        lowest, highest = -math.inf, math.inf
        ranged = key in self._rules.ranges
        if ranged:
            lowest, highest = self._rules.ranges[key]
        elif known is not None and known.lowest < known.highest:
            scale, shift = _conversion(known.unit, stored or known.unit)
            lowest, highest = known.lowest * scale + shift, known.highest * scale + shift
            ranged = True
        return Rule(key, stored, factor, divisor, offset, lowest, highest, ranged, unit)


def _conversion(given: str, stored: str) -> tuple[float, float]:
    try:
        return conversion(given, stored)
    except QueryError as error:
        raise RowError(f"unit: {str(error).removeprefix('unit ').partition(': use one of')[0]}") from error


def _problem(name: str, unit: str) -> str:
    """What is wrong with storing this property in this unit; empty if nothing is."""
    known = OBSERVED_PROPERTIES.get(name)
    try:
        conversion(unit, known.unit if known else unit)
    except QueryError as error:
        return str(error)
    return ""


def _refuse_names(observed_property: Any, unit: Any) -> RowError:
    if isinstance(observed_property, str):
        return RowError(f"unit: {str(unit)[:100]!r} is not a UCUM code")
    return RowError(f"observed_property: {str(observed_property)[:100]!r} is not a name")


def apart(time: datetime, other: datetime) -> str:
    """How far two times are apart, in words."""
    span = abs(time - other)
    for unit, seconds in (("year", 31_556_952), ("day", 86_400), ("hour", 3600), ("minute", 60)):
        count = int(span.total_seconds() // seconds)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(span / timedelta(seconds=1))} seconds"
