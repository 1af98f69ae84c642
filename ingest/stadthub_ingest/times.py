"""Times as feeds write them: formats, naive local time, the folded hour of autumn and the missing hour of spring."""

import re
from collections.abc import Hashable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from stadthub_ingest.decoded import Unreadable
from stadthub_schemas.model import Strict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The formats that are words, beside strptime's patterns.
WORDS = ("iso", "epoch", "epoch_ms")

#: Epoch numbers from here on are milliseconds, microseconds, nanoseconds: as seconds they would lie after the year 5000.
_SCALES = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
_MIDNIGHT = re.compile(r"([T ])24:00(:00(?:[.,]0+)?)?(?=\D|$)")
_CLOCK = re.compile(r"%[-]?[HIMSfcXzp]")
_CACHE = 100_000


class Times(Strict):
    """How times are written. A time without an offset needs `time_zone`."""

    formats: tuple[str, ...] = Field(
        default=("iso",), min_length=1, description="iso, epoch, epoch_ms or strptime patterns; the first that fits"
    )
    time_zone: str | None = Field(default=None, description="the zone of times without an offset, such as Europe/Berlin")
    strip: str = Field(default="", description="characters around a time that are no part of it, such as an apostrophe")
    interval_end: timedelta = Field(
        default=timedelta(0),
        ge=timedelta(0),
        description="the times are the ends of intervals of this length: the change of the clock is looked up at their start",
    )
    ambiguous: Literal["first", "second", "order", "reject"] = Field(
        default="order",
        description="the hour that autumn has twice: its first or second passing; order: a time that comes again is the second",
    )
    missing: Literal["reject", "shift"] = Field(
        default="reject", description="the hour that spring leaves out: refuse such times, or shift them an hour ahead"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {value!r}: use a name such as Europe/Berlin") from error

    @field_validator("formats")
    @classmethod
    def _known_formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if pattern not in WORDS and "%" not in pattern:
                raise ValueError(f"{pattern!r} is neither iso, epoch, epoch_ms nor a strptime pattern such as %d.%m.%Y %H:%M")
        return value


#: What the readers of one way of writing share: its time zone, and what texts have been read already.
Shared = tuple[ZoneInfo | None, dict[str, datetime | Unreadable]]


class TimeReader:
    """Reads the times of one payload; it remembers which times of the doubled hour it has seen."""

    def __init__(self, times: Times, shared: Shared | None = None) -> None:
        self.times = times
        self.shared = shared or (ZoneInfo(times.time_zone) if times.time_zone else None, _known(times))
        self._zone, self._known = self.shared
        self._seen: set[Hashable] = set()

    def afresh(self) -> "TimeReader":
        """A reader for the next payload: what is the same for all of them is not looked up again."""
        return TimeReader(self.times, self.shared)

    def read(self, value: object, series: Hashable = ()) -> datetime | Unreadable:
        """The time in UTC, or why it is none. `series` tells whose time it is, for `ambiguous = "order"`."""
        if not isinstance(value, str):
            return _of_number(value)
        found = self._known.get(value)
        if found is None:
            if len(self._known) >= _CACHE:
                self._known.clear()
            found = self._known[value] = self._parse(value)
        return found if isinstance(found, Unreadable) or found.tzinfo is UTC else self._in_order(found, series)

    def depends_on_order(self, value: str) -> bool:
        """Whether this time is one of the doubled hour and its place among the others decides."""
        found = self.read(value, ("asked", value))
        return not isinstance(found, Unreadable) and self._known[value] is not found

    def _parse(self, text: str) -> datetime | Unreadable:
        found = self._written(text)
        if found is not None:
            return self._placed(found, text)
        wanted = "ISO 8601" if self.times.formats == ("iso",) else " or ".join(self.times.formats)
        return Unreadable(text, f"{text!r} is not a time ({wanted})")

    def _written(self, text: str) -> datetime | None:
        """The time as it is written, in the first format that fits; 24:00 is the next day's midnight."""
        text = text.strip(self.times.strip) if self.times.strip else text
        day, ends = _MIDNIGHT.subn(lambda match: f"{match[1]}00:00{match[2] or ''}", text)
        for pattern in self.times.formats:
            found = _by_format(day if ends else text, pattern)
            if found is not None:
                return _next_day(found) if ends else found
        return None

    def read_day(self, text: str) -> date | Unreadable:
        """The day, where `days_only`: a day needs no time zone."""
        found = self._written(text)
        return Unreadable(text, f"{text!r} is not a day ({' or '.join(self.times.formats)})") if found is None else found.date()

    @property
    def days_only(self) -> bool:
        """Whether all formats are of days without a time."""
        return not any(pattern in WORDS or _CLOCK.search(pattern) for pattern in self.times.formats)

    def _placed(self, found: datetime, text: str) -> datetime | Unreadable:
        """In UTC. A time of the doubled hour stays naive where its order decides."""
        try:
            if found.tzinfo is not None:
                return found.astimezone(UTC)
            if self._zone is None:
                return Unreadable(text, f"{text!r} has no offset: set options.times.time_zone")
            found -= self.times.interval_end
            first, second = found.replace(tzinfo=self._zone, fold=0), found.replace(tzinfo=self._zone, fold=1)
            before, after = first.utcoffset(), second.utcoffset()
            if before == after or before is None or after is None:
                return self._instant(first)
            if before < after:
                if self.times.missing == "shift":
                    return self._instant(first)
                return Unreadable(text, f"{text!r} does not exist in {self._zone.key}: the clock skips it in spring")
            if self.times.ambiguous == "order":
                return found
            if self.times.ambiguous == "reject":
                return Unreadable(text, f"{text!r} exists twice in {self._zone.key}: set options.times.ambiguous")
            return self._instant(first if self.times.ambiguous == "first" else second)
        except OverflowError:
            return Unreadable(text, f"{text!r} is not a time that a calendar holds")

    def _in_order(self, naive: datetime, series: Hashable) -> datetime:
        key = (series, naive)
        again = key in self._seen
        self._seen.add(key)
        return self._instant(naive.replace(tzinfo=self._zone, fold=int(again)))

    def _instant(self, local: datetime) -> datetime:
        """The time in UTC: the interval's end is counted from its start in real hours."""
        return local.astimezone(UTC) + self.times.interval_end


@lru_cache(maxsize=64)
def _known(_times: Times) -> dict[str, datetime | Unreadable]:
    """What texts have been read already in this way of writing: most feeds repeat their times for many values."""
    return {}


def _by_format(text: str, pattern: str) -> datetime | None:
    try:
        if pattern == "iso":
            return datetime.fromisoformat(text)
        if pattern in WORDS:
            return EPOCH + timedelta(seconds=float(text) / (1 if pattern == "epoch" else 1000))
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - a naive time gets its zone from the options
    except (ValueError, OverflowError):
        return None


def _next_day(found: datetime) -> datetime | None:
    """A day later; None where the calendar ends."""
    try:
        return found + timedelta(days=1)
    except OverflowError:
        return None


def _of_number(value: object) -> datetime | Unreadable:
    """Epoch seconds; so large that they can't be, milli-, micro- or nanoseconds."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else Unreadable(str(value), f"{value} has no offset: set options.times.time_zone")
    if isinstance(value, int | float) and not isinstance(value, bool):
        scale = next((scale for least, scale in _SCALES if abs(value) >= least), 1)
        try:
            return EPOCH + timedelta(seconds=value / scale)
        except (OverflowError, ValueError):
            pass
    return Unreadable(str(value)[:100], f"{str(value)[:100]!r} is not a time")


def cut(time: datetime, bucket: timedelta) -> datetime:
    """The beginning of the bucket in which this time lies."""
    return EPOCH + (time - EPOCH) // bucket * bucket


ISO = Times()
