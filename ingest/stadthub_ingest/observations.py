"""Judging observations one by one: a dict becomes a row of OBSERVATIONS_IN, or is refused with a reason."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
import pyarrow as pa

from stadthub_ingest.decoded import Arrival, Clock, SinceArrival, Unreadable
from stadthub_ingest.keys import thing_key
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.rules import RowError, Rule, RuleBook, apart
from stadthub_ingest.times import ISO, TimeReader, cut
from stadthub_schemas.rows import OBSERVATIONS_IN

_ISO = TimeReader(ISO)

#: A row in the order of OBSERVATIONS_IN.
Accepted = tuple[Any, ...]

_BOUNDS = {"longitude": 180.0, "latitude": 90.0}


class ObservationJudge:
    """Judges the observations that were received at one time, which `receive` moves on."""

    def __init__(self, book: RuleBook, received: datetime) -> None:
        self._book = book
        self.receive(received)
        # The values of one message share these objects: what was judged last is not judged again.
        self._last_thing: tuple[Any, Any, tuple[str, str | None]] = (self, self, ("", None))

    def receive(self, received: datetime) -> None:
        """From here on what is judged was received at this time."""
        self._received = received
        self._earliest, self._latest = self._book.window(received)
        self._last_time: tuple[Any, datetime] = (self, received)

    def judge(self, row: Any) -> Accepted:
        """The accepted row; RowError with one sentence."""
        if not isinstance(row, dict):
            raise RowError(row.reason if isinstance(row, Unreadable) else f"{type(row).__name__}: it is not a row")
        get = row.get
        rule = self._book.rule(get("observed_property"), get("unit"))
        thing, thing_name = self._thing(get("thing"), get("thing_name"))
        time = self._time(get("phenomenon_time"))
        result, text = _result(get("result"), rule)
        longitude, latitude = get("longitude"), get("latitude")
        if longitude is not None or latitude is not None:
            longitude, latitude = _coordinate("longitude", longitude), _coordinate("latitude", latitude)
        quality, sensor, parameters = get("quality"), get("sensor"), get("parameters")
        return (
            thing,
            rule.observed_property,
            time,
            result,
            text,
            rule.unit,
            None if quality is None else _word("quality", quality),
            thing_name,
            None if sensor is None else _word("sensor", sensor),
            longitude,
            latitude,
            None if parameters is None else _parameters(parameters),
            self._received,
        )

    def _thing(self, thing: Any, name: Any) -> tuple[str, str | None]:
        if thing is self._last_thing[0] and name is self._last_thing[1]:
            return self._last_thing[2]
        if thing is None:
            raise RowError("thing: missing")
        texts = type(thing) is str and (name is None or type(name) is str)
        found = _known_thing(thing, name) if texts else _named(thing, name)
        self._last_thing = (thing, name, found)
        return found

    def _time(self, value: Any) -> datetime:
        if value is self._last_time[0]:
            return self._last_time[1]
        if value is None:
            raise RowError("phenomenon_time: missing")
        if value is Clock.RECEIVED:
            return self._received
        if isinstance(value, SinceArrival):
            return self._since_arrival(value)
        if isinstance(value, Arrival):
            return cut(self._received, value.bucket)
        time = value if isinstance(value, Unreadable) or (isinstance(value, datetime) and value.tzinfo is UTC) else _ISO.read(value)
        if isinstance(time, Unreadable):
            raise RowError(f"phenomenon_time: {time.reason}")
        self._within(time)
        self._last_time = (value, time)
        return time

    def _since_arrival(self, value: SinceArrival) -> datetime:
        try:
            time = self._received + timedelta(seconds=value.seconds)
        except (OverflowError, ValueError):
            raise RowError(f"phenomenon_time: {value.seconds:g} seconds from its arrival is not a time") from None
        self._within(time)
        return time

    def _within(self, time: datetime) -> None:
        """RowError where no observation that was received now can be from."""
        if time > self._latest:
            raise RowError(f"phenomenon_time: {_spelled(time)} lies {apart(time, self._received)} ahead")
        if time < self._earliest:
            raise RowError(f"phenomenon_time: {_spelled(time)} lies {apart(time, self._received)} back, before {_spelled(self._earliest)}")


def _named(thing: Any, name: Any) -> tuple[str, str | None]:
    """The key and the name of a thing."""
    given = _word("thing", thing)
    return checked_key(given), (given_name(given) if name is None else _word("thing_name", name))


#: The same for texts only: a cache can't tell 1, 1.0 and true apart.
_known_thing = lru_cache(maxsize=100_000)(_named)


def checked_key(thing: str) -> str:
    """The key of the thing; RowError if its name has nothing that a key can be made of."""
    key = thing_key(thing)
    if not key:
        raise RowError(f"thing: {thing[:100]!r} has no letter or digit")
    return key


def given_name(thing: str) -> str | None:
    """The name under which the feed knows a thing, where its key had to be spelled in another way."""
    return None if thing == thing_key(thing) else thing


def _result(value: Any, rule: Rule) -> tuple[float | None, str | None]:
    """The result as (number, text): one of the two."""
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        raise RowError("result: missing")
    if isinstance(value, Unreadable):
        raise RowError(f"result: {value.reason}")
    number = plain_number(value)
    if number is not None:
        return rule.judge(number), None
    if isinstance(value, str) and not rule.numeric and value.lower().lstrip("+-") not in ("nan", "inf", "infinity"):
        return None, value
    raise RowError(f"result: {str(value)[:100]!r} is not a number")


def _word(field: str, value: Any) -> str:
    """The text of a field that is a word; whole numbers are written without a fraction."""
    if type(value) is str and value and not value[0].isspace() and not value[-1].isspace():
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**100 else ""
    if not isinstance(value, str):
        raise RowError(f"{field}: {str(value)[:100]!r} is not a name")
    word = value.strip()
    if not word:
        raise RowError(f"{field}: missing")
    return word


def _coordinate(field: str, value: Any) -> float:
    if type(value) is float and -(bound := _BOUNDS[field]) <= value <= bound:
        return value
    if value is None:
        raise RowError(f"{field}: missing, while the other coordinate is given")
    if isinstance(value, Unreadable):
        raise RowError(f"{field}: {value.reason}")
    number = None if isinstance(value, bool) else plain_number(value.strip() if isinstance(value, str) else value)
    if number is None:
        raise RowError(f"{field}: {str(value)[:100]!r} is not a number")
    bound = _BOUNDS[field]
    if not -bound <= number <= bound:
        raise RowError(f"{field}: {number:g} is outside -{bound:g}..{bound:g}")
    return number


def _parameters(value: Any) -> str:
    if not isinstance(value, dict):
        raise RowError(f"parameters: {str(value)[:100]!r} is not an object")
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError as error:
        raise RowError(f"parameters: {error}") from error


def _spelled(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")


def as_table(rows: list[Accepted]) -> pa.Table:
    """Accepted rows as OBSERVATIONS_IN."""
    columns = list(zip(*rows, strict=True)) or [()] * len(OBSERVATIONS_IN)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, OBSERVATIONS_IN, strict=True)]
    return pa.Table.from_arrays(arrays, schema=OBSERVATIONS_IN)
