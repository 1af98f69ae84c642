"""The chart of a timeseries: which datastreams in which range, their values in a table, a sentence and a drawing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from stadthub_api.hub import Readable
from stadthub_api.portal.language import Writing
from stadthub_lake.lake import Lake
from stadthub_schemas.errors import NotFound
from stadthub_schemas.properties import OBSERVED_PROPERTIES, is_about_device, title
from stadthub_schemas.rows import datastream_key

#: How far back the choices reach, and their words in German.
SPANS: dict[str, tuple[timedelta, str]] = {
    "day": (timedelta(days=1), "ein Tag"),
    "week": (timedelta(days=7), "eine Woche"),
    "month": (timedelta(days=31), "ein Monat"),
    "year": (timedelta(days=366), "ein Jahr"),
}
CUSTOM = "custom"
#: How many points a drawing has at most, so that its table can be read too.
POINTS = 240
#: A range is never shorter than this.
SHORTEST = timedelta(minutes=10)
#: How many things the choice lists at most.
MOST = 2_000
_FIRST, _LAST = date(1, 1, 2), date(9999, 12, 30)


@dataclass(frozen=True, slots=True)
class Line:
    """The values of one datastream: its words, and for each time of the chart the mean, or None."""

    datastream: str
    label: str
    unit: str
    results: tuple[float | None, ...]
    lowest: float | None
    highest: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks the chart for, and what could be asked."""

    observed: str
    thing: str
    compare: str
    span: str
    first: date | None
    last: date | None
    properties: tuple[tuple[str, str], ...]
    things: tuple[tuple[str, str], ...]

    @property
    def datastreams(self) -> tuple[str, ...]:
        """The keys of the chosen datastreams."""
        places = [place for place in (self.thing, self.compare) if place]
        return tuple(dict.fromkeys(datastream_key(place, self.observed) for place in places))


@dataclass(frozen=True, slots=True)
class Chart:
    """The answer: the times and the lines over them."""

    chosen: Chosen
    times: tuple[datetime, ...]
    lines: tuple[Line, ...]

    def told(self, write: Writing) -> dict[str, Any]:
        """What the drawing in the browser needs."""
        return {
            "times": [moment.timestamp() for moment in self.times],
            "series": [{"label": line.label, "unit": line.unit, "results": line.results} for line in self.lines],
            "locale": write.locale.replace("_", "-"),
            "timeZone": str(write.zone),
        }


def chosen(things: Sequence[dict[str, Any]], query: Iterable[tuple[str, str]], write: Writing) -> Chosen | None:
    """What is to be drawn: as the address says where that makes sense, else the first datastream; None if there is none."""
    there = dict(query)
    properties = sorted({name for row in things for name in row["observed_properties"]}, key=lambda name: title(name, write.language))
    if not properties:
        return None
    asked = there.get("chart_property", "")
    observed = asked if asked in properties else _telling(properties)
    places = {row["thing"]: row["thing_name"] or row["thing"] for row in things if observed in row["observed_properties"]}
    ordered = tuple(sorted(places.items(), key=lambda pair: pair[1]))[:MOST]
    place = there.get("chart_thing", "")
    compare = there.get("chart_compare", "")
    first, last = _day(there.get("chart_from", "")), _day(there.get("chart_until", ""))
    span = there.get("chart_span", "week")
    if span not in SPANS and not (span == CUSTOM and first is not None):
        span = "week"
    return Chosen(
        observed=observed,
        thing=place if place in places else ordered[0][0],
        compare=compare if compare in places else "",
        span=span,
        first=first,
        last=last,
        properties=tuple((name, title(name, write.language)) for name in properties),
        things=ordered,
    )


def chart(lake: Lake, readable: Readable, wanted: Chosen, write: Writing) -> Chart:
    """The values to draw; without lines where there are none."""
    first, last = _range(readable, wanted, write)
    try:
        veil = (readable.hidden, readable.decision.suppression)
        rows = lake.series(readable.entry.dataset.name, wanted.datastreams, (first, last), POINTS, *veil).to_pylist()
    except NotFound:
        rows = []
    times = sorted({row["bucket"] for row in rows})
    names = dict(wanted.things)
    known = OBSERVED_PROPERTIES.get(wanted.observed)
    unit = write.unit(known.unit) if known else ""
    lines: list[Line] = []
    for place in (wanted.thing, wanted.compare):
        mine = {row["bucket"]: row for row in rows if place and row["datastream"] == datastream_key(place, wanted.observed)}
        if mine and all(line.datastream != datastream_key(place, wanted.observed) for line in lines):
            lines.append(_line(datastream_key(place, wanted.observed), names[place], unit, [mine.get(moment) for moment in times]))
    return Chart(wanted, tuple(times), tuple(lines))


def drawing(lines: Sequence[Line], width: int = 900, height: int = 260) -> list[list[str]]:
    """For each line the points of its unbroken parts, as SVG wants them: what is drawn where no script runs."""
    values = [result for line in lines for result in line.results if result is not None]
    if not values:
        return []
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    step = width / max(1, len(lines[0].results) - 1)
    drawn = []
    for line in lines:
        parts: list[list[str]] = [[]]
        for number, result in enumerate(line.results):
            if result is None:
                parts.append([])
            else:
                parts[-1].append(f"{number * step:.1f},{height - 8 - (result - low) / room * (height - 16):.1f}")
        # A value between gaps is drawn as a dot: a line from a point to itself, with round ends.
        drawn.append([" ".join(part * 2 if len(part) == 1 else part) for part in parts if part])
    return drawn


def _line(datastream: str, label: str, unit: str, rows: Sequence[dict[str, Any] | None]) -> Line:
    there = [row for row in rows if row is not None and row["avg"] is not None]
    count = sum(row["count"] for row in there)
    return Line(
        datastream,
        label,
        unit,
        tuple(None if row is None else row["avg"] for row in rows),
        min((row["min"] for row in there), default=None),
        max((row["max"] for row in there), default=None),
        sum(row["avg"] * row["count"] for row in there) / count if count else None,
    )


def _range(readable: Readable, wanted: Chosen, write: Writing) -> tuple[datetime, datetime]:
    """From when to when. A span ends now, or with the newest data if these are older than the span is long."""
    now = datetime.now(UTC)
    if wanted.span == CUSTOM and wanted.first is not None:
        last = wanted.last or now.astimezone(write.zone).date()
        return _midnight(wanted.first, write), _midnight(max(last, wanted.first) + timedelta(days=1), write)
    length = SPANS[wanted.span][0]
    newest = readable.entry.extent.last_time
    end = now if newest is None else datetime.fromisoformat(newest) + timedelta(seconds=1)
    end = now if end > now - length / 2 else end
    return _young(readable, end - length, end), end


def _young(readable: Readable, start: datetime, end: datetime) -> datetime:
    """The start, moved up to the oldest data if these are younger: else young data would share one point of the drawing."""
    oldest = readable.entry.extent.first_time
    first = start if oldest is None else datetime.fromisoformat(oldest)
    return min(max(start, first), end - SHORTEST)


def _midnight(day: date, write: Writing) -> datetime:
    return datetime.combine(day, time(), write.zone).astimezone(UTC)


def _day(text: str) -> date | None:
    """The day; none where it is not one of those that clocks can be set to in every zone."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST < day < _LAST else None


def _telling(properties: Sequence[str]) -> str:
    """The property that says most: not the battery's or the radio's."""
    return next((name for name in properties if not is_about_device(name)), properties[0])
