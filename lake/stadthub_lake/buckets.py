"""Time buckets cut in a city's time zone, by whole-number arithmetic: the zone's offset is looked up only where it changes.

Up to an hour a bucket is a piece of real time, so that the two hours 02:00 of an autumn night stay two. Longer ones are pieces of the
local calendar: a day has 23, 24 or 25 hours. Each bucket is named by the instant at which it begins.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from stadthub_schemas.errors import QueryError

_DURATION = re.compile(r"^P(?:(?P<Y>\d+)Y|(?P<M>\d+)M|(?P<W>\d+)W|(?P<D>\d+)D|T(?P<h>\d+)H|T(?P<m>\d+)M|T(?P<s>\d+)S)$")
_SECONDS = {"W": 604_800, "D": 86_400, "h": 3600, "m": 60, "s": 1}
_MONTHS = {"Y": 12, "M": 1}
_HOUR = 3600

#: Weeks begin on a Monday; a multiple of it before all data keeps the divided numbers positive.
_MONDAY = datetime(1, 1, 1)  # noqa: DTZ001 - a local date, in no zone
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001
_UTC_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)

#: From that Monday to 1970 in microseconds.
_SHIFT = (_EPOCH - _MONDAY) // _MICRO


@dataclass(frozen=True)
class Bucket:
    """A length in seconds, or in months."""

    seconds: int = 0
    months: int = 0

    @property
    def real(self) -> bool:
        """Whether it is a piece of real time rather than of the calendar."""
        return 0 < self.seconds <= _HOUR


def read_bucket(text: str) -> Bucket:
    """The bucket of an ISO 8601 duration with one part. QueryError."""
    found = _DURATION.match(text)
    part, number = next(((name, int(value)) for name, value in found.groupdict().items() if value), ("", 0)) if found else ("", 0)
    if not 0 < number <= 100_000:
        raise QueryError(f"bucket: {text!r} is not a duration of one part: write PT15M, PT1H, P1D, P1W, P1M or P1Y")
    if part in _MONTHS:
        return Bucket(months=number * _MONTHS[part])
    return Bucket(seconds=number * _SECONDS[part])


def read_zone(name: str) -> ZoneInfo:
    """The time zone of that name. QueryError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise QueryError(f"time_zone: {name[:60]!r} is not a time zone: write Europe/Berlin or UTC") from error


def number_sql(column: str, bucket: Bucket, zone: tzinfo, first: datetime, last: datetime) -> str:
    """The number of the bucket of a moment that lies between `first` and `last`, as SQL."""
    local = f"epoch_us({column}) + {_offset_sql(column, zone, first, last)}"
    if bucket.months:
        month = f"year(make_timestamp({local})) * 12 + month(make_timestamp({local})) - 1"
        return f"({month}) // {bucket.months}"
    return f"({local} + {_SHIFT}) // {bucket.seconds * 1_000_000}"


def start(number: int, bucket: Bucket, zone: tzinfo) -> datetime:
    """The instant at which the bucket of that number begins; not for real time, whose offset the number doesn't tell."""
    if bucket.months:
        year, month = divmod(number * bucket.months, 12)
        local = datetime(year, month + 1, 1)  # noqa: DTZ001
    else:
        local = _EPOCH + (number * bucket.seconds * 1_000_000 - _SHIFT) * _MICRO
    return local.replace(tzinfo=zone).astimezone(UTC)


def real_sql(column: str, bucket: Bucket, zone: tzinfo, first: datetime, last: datetime) -> str:
    """The beginning of the bucket in units of `unit` microseconds, for a piece of real time."""
    width = bucket.seconds * 1_000_000
    if unit(bucket, zone, first, last) > 1:
        return f"(epoch_us({column}) + {_SHIFT}) // {width}"
    offset = _offset_sql(column, zone, first, last)
    return f"(epoch_us({column}) + {offset} + {_SHIFT}) // {width} * {width} - {_SHIFT} - {offset}"


def unit(bucket: Bucket, zone: tzinfo, first: datetime, last: datetime) -> int:
    """In microseconds what the number of a bucket of real time counts: whole buckets where the zone is offset by whole ones (then
    the offset makes no difference, and a bucket costs one division a row), else single microseconds since 1970."""
    width = bucket.seconds * 1_000_000
    moments = [first, *transitions(zone, first, last)]
    return width if all(_offset(zone, moment) % width == 0 for moment in moments) else 1


def starts(numbers: pa.ChunkedArray, bucket: Bucket, zone: tzinfo, counted: int) -> pa.Array:
    """The beginnings of these buckets, in UTC; `counted`: the unit of the numbers of real time."""
    kind = pa.timestamp("us", tz="UTC")
    if bucket.real:
        shift = _SHIFT if counted > 1 else 0
        return pa.array([None if number is None else number * counted - shift for number in numbers.to_pylist()], pa.int64()).cast(kind)
    known = {number: None if number is None else start(number, bucket, zone) for number in set(numbers.to_pylist())}
    return pa.array([known[number] for number in numbers.to_pylist()], kind)


def _offset_sql(column: str, zone: tzinfo, first: datetime, last: datetime) -> str:
    """The zone's offset in microseconds: one number, or one for each stretch between changes."""
    changes = transitions(zone, first, last)
    whens = " ".join(f"WHEN epoch_us({column}) < {_micro(change)} THEN {_offset(zone, change - _MICRO)}" for change in changes)
    final = _offset(zone, changes[-1] if changes else first)
    return f"(CASE {whens} ELSE {final} END)" if changes else f"({final})"


def transitions(zone: tzinfo, first: datetime, last: datetime) -> list[datetime]:
    """When the zone's offset changes between two moments."""
    days = [first + timedelta(days=number) for number in range(max(0, (last - first).days) + 1)] + [last]
    offsets = [_offset(zone, day) for day in days]
    return [_change(zone, days[n], days[n + 1]) for n in range(len(days) - 1) if offsets[n] != offsets[n + 1]]


def _change(zone: tzinfo, before: datetime, later: datetime) -> datetime:
    """The first second with the new offset."""
    low = int(before.timestamp())
    old = _offset(zone, before)
    seconds = range(low, int(later.timestamp()) + 2)
    found = bisect_right(seconds, 0, key=lambda second: int(_offset(zone, datetime.fromtimestamp(second, UTC)) != old))
    return datetime.fromtimestamp(seconds[found], UTC)


def _offset(zone: tzinfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return 0 if offset is None else offset // _MICRO


def _micro(moment: datetime) -> int:
    return (moment - _UTC_EPOCH) // _MICRO
