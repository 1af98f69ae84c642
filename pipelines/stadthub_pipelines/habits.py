"""How the values of a feed usually are: levels, units, times, numbers of things, spellings; and what is not as usual."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stadthub_pipelines.profile import Difference
from stadthub_pipelines.spelling import variants
from stadthub_schemas.finding import Severity
from stadthub_schemas.rows import OBSERVATIONS_IN

#: At most so many rows, datastreams and names are looked at in one look.
ROWS, STREAMS, NAMES = 20_000, 500, 2000

#: After so many looks a habit is known; a suspicion is told after so many looks in a row, and is the new habit after many.
SURE, TOLD, ACCEPTED = 3, 3, 50

#: A column of text with at most so many different values holds categories.
CATEGORIES = 200

#: Findings that happen, instead of holding on.
EVENTS = ("spelling_variant", "unit_changed")

#: A datastream whose medians differ by more than this factor has no usual size.
STEADY = 4.0

_HOUR = 3600.0

#: How the judge refuses a time that has not come yet.
_AHEAD = re.compile(r"phenomenon_time: (\S+) lies .* ahead")


@dataclass(slots=True)
class Level:
    """The usual size of a datastream's values, the bounds of what was seen, and by which power of ten it seems to be off."""

    looks: int
    usual: float
    low: float
    high: float
    power: int = 0
    times: int = 0


@dataclass(slots=True)
class Clock:
    """When values usually come: seconds from their time to their arrival, and how long the newest time stands still."""

    looks: int = 0
    lag: float = 0.0
    spread: float = 0.0
    hours: int = 0
    times: int = 0
    newest: float = 0.0
    still: int = 0
    longest: int = 0


@dataclass(slots=True)
class Number:
    """How many there usually are."""

    looks: int
    usual: float


@dataclass(slots=True)
class Habits:
    """What is usual. `alarms` are the differences that hold now, by kind and subject."""

    levels: dict[str, Level] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Number] = field(default_factory=dict)
    spellings: dict[str, dict[str, str]] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    alarms: dict[tuple[str, str], Difference] = field(default_factory=dict)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "Habits":
        """The habits as they were kept."""
        return cls(
            {name: Level(**level) for name, level in body.get("levels", {}).items()},
            dict(body.get("units", {})),
            {name: Number(**number) for name, number in body.get("numbers", {}).items()},
            {name: dict(known) for name, known in body.get("spellings", {}).items()},
            Clock(**body.get("clock", {})),
            {
                (kind, subject): Difference(kind, subject, Severity(word), details, False)
                for kind, subject, word, details in body.get("alarms", ())
            },
        )

    def kept(self) -> dict[str, Any]:
        """The habits as they are to be kept."""
        alarms = [[one.kind, one.subject, one.severity.value, one.details] for one in self.alarms.values()]
        return {
            "levels": {name: asdict(level) for name, level in self.levels.items()},
            "units": self.units,
            "numbers": {name: asdict(number) for name, number in self.numbers.items()},
            "spellings": self.spellings,
            "clock": asdict(self.clock),
            "alarms": alarms,
        }

    def observe(self, accepted: pa.Table, received: datetime) -> None:
        """Look at observations that arrived together."""
        if accepted.num_rows > ROWS:
            accepted = accepted.slice(accepted.num_rows - ROWS)
        accepted = accepted.cast(OBSERVATIONS_IN)  # large payloads come with coded words
        self._levels(accepted)
        self._units(accepted)
        self._clock(accepted, received)
        names = pc.unique(pc.coalesce(accepted["thing_name"], accepted["thing"])).to_pylist()
        self.spell("thing", names[:NAMES])

    def tabulate(self, accepted: pa.Table, rows: int) -> None:
        """Look at the rows of a table, or at the attributes of some of so many features."""
        self.count("rows", rows)
        for name in accepted.column_names:
            column = accepted[name]
            if not pa.types.is_string(column.type):
                continue
            values = [one for one in pc.unique(column.slice(0, ROWS)).to_pylist() if one is not None]
            if len(values) <= CATEGORIES and accepted.num_rows >= 2 * len(values):
                self.spell(name, values)
                self.count(name, len(values))

    def count(self, what: str, now: int) -> None:
        """Compare a number with the usual one: things, datastreams, rows, or the categories of a column."""
        number = self.numbers.setdefault(what, Number(0, float(now)))
        grew = now > 2 * number.usual and now - number.usual >= 5
        shrank = now < number.usual / 2 and number.usual >= 4
        strange = number.looks >= SURE and (grew or shrank)
        details = {"usual": round(number.usual, 1), "now": now}
        self._tell(Difference("cardinality_jump", what, Severity.WARNING, details, False), holds=strange)
        number.usual += (now - number.usual) / min(number.looks + 1, 20)
        number.looks += 1

    def spell(self, what: str, names: Iterable[str]) -> None:
        """Find names that are another spelling of one that is known."""
        for first, other in variants(self.spellings.setdefault(what, {}), names):
            details = {"column": what, "spellings": [first, other]}
            self._tell(Difference("spelling_variant", other, Severity.WARNING, details, False), holds=True)

    def told(self) -> list[Difference]:
        """The differences that hold now; those that are events are told once."""
        found = list(self.alarms.values())
        self.alarms = {key: one for key, one in self.alarms.items() if one.kind not in EVENTS}
        return found

    def _tell(self, difference: Difference, *, holds: bool) -> None:
        key = (difference.kind, difference.subject)
        if holds and len(self.alarms) < STREAMS:
            self.alarms[key] = difference
        elif not holds:
            self.alarms.pop(key, None)

    def _levels(self, accepted: pa.Table) -> None:
        """The median of each datastream against what it usually is."""
        columns = accepted.select(["thing", "observed_property", "result"])
        medians = columns.group_by(["thing", "observed_property"]).aggregate([("result", "approximate_median"), ("result", "count")])
        for row in medians.slice(0, STREAMS).to_pylist():
            median = row["result_approximate_median"]
            if median is not None:
                self._level(f"{row['thing']}:{row['observed_property']}", float(median), row["result_count"])

    def _level(self, stream: str, median: float, count: int) -> None:
        level = self.levels.get(stream)
        if level is None:
            if len(self.levels) < STREAMS:
                self.levels[stream] = Level(1, median, median, median)
            return
        power = _power(median, level)
        level.times = level.times + 1 if power and power == level.power else int(bool(power))
        level.power = power
        if level.times >= ACCEPTED:
            self.levels[stream] = Level(1, median, median, median)
            power = 0
        told = bool(power) and (count >= 5 or level.times >= TOLD)
        details = {"usual": round(level.usual, 6), "now": round(median, 6), "factor": 10.0**power}
        self._tell(Difference("scale_jump", stream, Severity.ERROR, details, False), holds=told)
        if not power:
            level.looks += 1
            level.usual += (median - level.usual) / min(level.looks, 50)
            level.low, level.high = min(level.low, median), max(level.high, median)

    def _units(self, accepted: pa.Table) -> None:
        pairs = accepted.select(["observed_property", "unit"]).group_by(["observed_property", "unit"]).aggregate([])
        for row in pairs.slice(0, STREAMS).to_pylist():
            name, unit = row["observed_property"], row["unit"] or ""
            known = self.units.setdefault(name, unit)
            if unit != known:
                self.units[name] = unit
                details = {"before": known, "now": unit, "units": [known, unit]}
                self.alarms[("unit_changed", name)] = Difference("unit_changed", name, Severity.ERROR, details, False)

    def _clock(self, accepted: pa.Table, received: datetime) -> None:
        newest = pc.max(accepted["phenomenon_time"]).as_py()
        if newest is None:
            return
        self._stuck(newest.timestamp())
        self._shift((received - newest).total_seconds())

    def ahead(self, rejects: pa.Table) -> None:
        """Times that are refused because they lie ahead by whole hours more than usual: somebody changed the zone."""
        found = [
            (datetime.fromisoformat(match[1]) - row["received_time"]).total_seconds() + self.clock.lag
            for row in rejects.slice(0, STREAMS).to_pylist()
            if (match := _AHEAD.match(row["reason"])) is not None
        ]
        if found and self.clock.looks >= SURE:
            hours = round(max(found) / _HOUR)
            whole = 1 <= hours <= 14 and abs(max(found) - hours * _HOUR) <= max(300.0, 2 * self.clock.spread)
            self._tell(Difference("timezone_shift", "phenomenon_time", Severity.ERROR, {"hours": hours}, False), holds=whole)

    def _stuck(self, newest: float) -> None:
        """Payloads come, but the newest time in them stays the same, longer than it ever did."""
        clock = self.clock
        if newest != clock.newest:
            clock.longest = max(clock.longest, min(clock.still, 3 * max(clock.longest, 2)))
            clock.newest, clock.still = newest, 0
        else:
            clock.still += 1
        stuck = clock.looks >= SURE and clock.still >= 5 and clock.still > 3 * clock.longest
        details = {"time": newest, "payloads": clock.still + 1}
        self._tell(Difference("time_stuck", "phenomenon_time", Severity.WARNING, details, False), holds=stuck)

    def _shift(self, lag: float) -> None:
        """Times are off by whole hours: somebody changed the zone."""
        clock = self.clock
        off = lag - clock.lag
        hours = round(off / _HOUR)
        near = abs(off - hours * _HOUR) <= max(300.0, 2 * clock.spread)
        sure = clock.looks >= SURE and clock.spread < _HOUR / 4
        strange = hours if sure and near and 1 <= abs(hours) <= 14 else 0
        clock.times = clock.times + 1 if strange and strange == clock.hours else int(bool(strange))
        clock.hours = strange
        told = bool(strange) and TOLD <= clock.times < ACCEPTED
        self._tell(Difference("timezone_shift", "phenomenon_time", Severity.ERROR, {"hours": -strange}, False), holds=told)
        if not strange or clock.times >= ACCEPTED:
            clock.looks += 1
            weight = 1 / min(clock.looks, 50)
            clock.spread += (abs(off) * bool(clock.looks > 1) - clock.spread) * weight
            clock.lag += off * weight


def _power(median: float, level: Level) -> int:
    """By which power of ten (1 to 3, up or down) the median is off; 0 where it is within what is known."""
    if level.looks < SURE or level.low * level.high <= 0 or median * level.usual <= 0:
        return 0
    widest = max(abs(level.low), abs(level.high)) / min(abs(level.low), abs(level.high))
    if widest > STEADY:  # what jumps by itself can't be told to have jumped
        return 0
    ratio = median / level.usual
    if not math.isfinite(ratio):
        return 0
    power = round(math.log10(ratio))
    return power if 1 <= abs(power) <= 3 and 0.7 < ratio / 10.0**power < 1.4 else 0
