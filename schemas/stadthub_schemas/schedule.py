"""When a source is asked: by an interval or by cron in the city's time zone, a little apart from others, with a word on what was missed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, HttpUrl, TypeAdapter, ValidationError

from stadthub_schemas.model import Strict

CatchUp = Literal["skip", "latest", "all"]

#: A place in an address that takes a time: `{start}`, `{end}`, `{time}`, each with a form after a colon if wanted.
PLACE = re.compile(r"\{(start|end|time)(?::([^{}]*))?\}")

#: Where there is no form: as most APIs want it.
_FORM = "%Y-%m-%dT%H:%M:%SZ"

_ADDRESS: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)
_SAMPLE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """The time that one fetch asks for: `start` belongs to it, `end` does not."""

    start: datetime
    end: datetime


def filled(address: str, window: Window, zone: ZoneInfo) -> str:
    """The address with the times of this window: those with a form in the city's time zone, those without in UTC."""
    times = {"start": window.start, "end": window.end, "time": window.end}

    def one(place: re.Match[str]) -> str:
        time = times[place[1]]
        return time.astimezone(zone).strftime(place[2]) if place[2] else time.astimezone(UTC).strftime(_FORM)

    return PLACE.sub(one, address)


def is_windowed(address: str) -> bool:
    """Whether the address asks for a window of time."""
    return PLACE.search(address) is not None


def _address(value: str) -> str:
    """An address of the web; places for times in it stay as they are written."""
    sample = filled(value, Window(_SAMPLE, _SAMPLE), ZoneInfo("UTC"))
    try:
        checked = str(_ADDRESS.validate_python(sample))
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from error
    if "{" in sample or "}" in sample:
        raise ValueError("only {start}, {end} and {time} may stand in braces, with a form such as {start:%Y-%m-%d}")
    return value if is_windowed(value) else checked


def checked_address(value: str) -> str:
    """An address of the web without places for times."""
    if is_windowed(value):
        raise ValueError("no time can be asked for here: remove {start}, {end} and {time}")
    return _address(value)


#: An address of the web that may have places for times.
Address = Annotated[str, AfterValidator(_address)]


def _cron(value: str) -> str:
    try:
        CronSim(value, _SAMPLE)
    except CronSimError as error:
        raise ValueError(f"{error}: write five fields: minute, hour, day of month, month, day of week, such as 5 * * * *") from error
    if len(value.split()) != 5:
        raise ValueError("write five fields: minute, hour, day of month, month, day of week, such as 5 * * * *")
    return value


class Schedule(Strict):
    """When to ask, beyond `source.every`."""

    cron: Annotated[str, AfterValidator(_cron)] | None = Field(
        default=None, description="five fields in the city's time zone, in place of source.every"
    )
    jitter: Annotated[timedelta, Field(ge=timedelta(0))] | None = Field(
        default=None,
        description="by how much each hub puts its turns off, always alike; absent: a twentieth of source.every, or half a minute",
    )
    catch_up: CatchUp = Field(default="latest", description="what is done about turns that were missed: skip, latest or all")
    window: Annotated[timedelta, Field(gt=timedelta(0))] | None = Field(
        default=None, description="how long the time is that one fetch asks for; absent: since the turn before"
    )


class Turns:
    """The times at which a source is to be asked, before its jitter. By interval they lie on a grid since 1970 in UTC."""

    def __init__(self, every: timedelta, cron: str | None, zone: ZoneInfo) -> None:
        self._every = every
        self._cron = cron
        self._zone = zone

    def after(self, time: datetime) -> datetime:
        """The first turn after this time."""
        if self._cron is None:
            return self._grid(time) + self._every
        found: datetime = next(CronSim(self._cron, time.astimezone(self._zone)))
        return found.astimezone(UTC)

    def until(self, time: datetime) -> datetime:
        """The newest turn at or before this time."""
        if self._cron is None:
            return self._grid(time)
        earlier: datetime = next(CronSim(self._cron, time.astimezone(self._zone) + timedelta(seconds=1), reverse=True))
        turn = earlier.astimezone(UTC)
        while (following := self.after(turn)) <= time:  # in the hour that comes twice the way back finds the day before
            turn = following
        return turn

    def _grid(self, time: datetime) -> datetime:
        epoch = datetime.fromtimestamp(0, UTC)
        return epoch + (time - epoch) // self._every * self._every
