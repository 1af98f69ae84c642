"""iCalendar (RFC 5545): events as a table or features, repeated ones spelled out within a window; no organisers, no attendees."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event
from icalendar.error import BrokenCalendarProperty
from pydantic import Field

from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.events import Events, event, instant
from stadthub_ingest.prose import plain
from stadthub_ingest.texts import read_text

#: One event never repeats more often within a window; a rule that steps through seconds is a trap.
MOST_REPEATS = 5_000
MOST_STEPS = 200_000
TOO_FAST = ("SECONDLY", "MINUTELY", "HOURLY")

STAMPS = ("DTSTAMP", "LAST-MODIFIED", "CREATED")

#: What of a calendar may be stored: events and time zones, by the names of their properties. No organiser, attendee or contact, no
#: alarm, no property that a program adds (X-…); of parameters only those that say how a value is written.
COMPONENTS = ("VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT")
PROPERTIES = frozenset((
    "BEGIN", "END", "VERSION", "PRODID", "CALSCALE", "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID",
    "SUMMARY", "DESCRIPTION", "LOCATION", "URL", "CATEGORIES", "STATUS", "GEO", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", *STAMPS,
))  # fmt: skip
_LINE = re.compile(r"""([A-Za-z-]+)((?:;[A-Za-z-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)""", re.DOTALL)
_PARAMETER = re.compile(r"""(?i);(?:TZID|VALUE)=(?:"[^"]*"|[^";:,]*)""")
_FOLD = re.compile(r"\r?\n[ \t]")

Moment = date | datetime


class Options(Events):
    """How a calendar is read."""

    first_day: date | None = Field(
        default=None, description="repeated events: from which day on; absent: the newest stamp in the calendar, a month back"
    )
    days: int = Field(default=400, ge=1, le=3660, description="repeated events: how many days from the first day on")


def reduce(payload: bytes, options: Options, _name: str, _key: bytes) -> bytes | None:  # noqa: ARG001 - the door's signature
    """The events with the properties that the hub reads."""
    lines: list[str] = []
    within: list[str] = []
    for line in _FOLD.sub("", read_text(payload, None)).splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        name, parameters, value = found[1].upper(), "".join(_PARAMETER.findall(found[2])), found[3]
        if name == "BEGIN":
            within.append(value.strip().upper())
        if name in PROPERTIES and within and all(one in COMPONENTS for one in within):
            lines.append(f"{name}{parameters}:{value}")
        if name == "END" and within:
            within.pop()
    return "\r\n".join([*lines, ""]).encode() if lines else None


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each event, and for each time that a repeated one takes place within the window."""
    events = _events(payload)
    first = options.first_day or _newest(events) - timedelta(days=31)
    window = instant(first, options.zone), instant(first + timedelta(days=options.days), options.zone)
    moved = {(str(one.get("UID")), _key(_moment(one, "RECURRENCE-ID"), options.zone)) for one in events if "RECURRENCE-ID" in one}
    for one in events:
        try:
            yield from _rows(one, options, window, moved)
        except BrokenCalendarProperty as error:
            yield Unreadable(str(one.get("UID")), f"{str(one.get('UID'))[:100]}: {error.__cause__ or error}")


def _events(payload: bytes) -> list[Event]:
    try:
        calendars = Calendar.from_ical(read_text(payload, None), multiple=True)
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise DecodeError(f"it is not an iCalendar file: {str(error)[:200]}") from error
    if not any(isinstance(one, Calendar) for one in calendars):
        raise DecodeError("it is not an iCalendar file: there is no VCALENDAR")
    return [one for calendar in calendars for one in calendar.walk("VEVENT") if isinstance(one, Event)]


def _moment(one: Event, name: str) -> Any:
    """The day or time of a property; None if it has none."""
    found = one.get(name)
    return None if found is None else found.dt


def _newest(events: list[Event]) -> date:
    """The day of the newest stamp: the calendar's own idea of today."""
    stamps = [_stamp(one, name) for one in events for name in STAMPS if name in one]
    return max((stamp for stamp in stamps if stamp is not None), default=date(1970, 2, 1))


def _stamp(one: Event, name: str) -> date | None:
    try:
        found = _moment(one, name)
    except BrokenCalendarProperty:
        return None
    return found.date() if isinstance(found, datetime) else found if isinstance(found, date) else None


def _rows(one: Event, options: Options, window: tuple[datetime, datetime], moved: set[tuple[str, Any]]) -> Iterator[Decoded]:
    uid, start, length = str(one.get("UID") or ""), _moment(one, "DTSTART"), _length(one)
    if not uid or start is None:
        yield Unreadable(one.to_ical().decode("utf-8", "replace")[:1000], f"{'UID' if not uid else 'DTSTART'}: missing")
        return
    facts = _facts(one)
    if "RRULE" not in one and "RDATE" not in one:
        again = _moment(one, "RECURRENCE-ID")
        identity = uid if again is None else f"{uid}/{_key(again, options.zone)}"
        yield event(identity, start, start + length, facts, _place(one), options)
        return
    broken = next((error for error in one.errors if error[0] in ("RRULE", "RDATE", "EXDATE")), None)
    if broken is not None:
        yield Unreadable(uid, f"{uid[:100]}: {broken[0]}: {broken[1]}")
        return
    repeats = _repeats(one, start, options.zone, window)
    if isinstance(repeats, Unreadable):
        yield Unreadable(uid, f"{uid[:100]}: {repeats.reason}")
        return
    for begin in repeats:
        if (uid, _key(begin, options.zone)) not in moved:
            yield event(f"{uid}/{_key(begin, options.zone)}", begin, begin + length, facts, _place(one), options)


def _length(one: Event) -> timedelta:
    """How long the event lasts. Without an end a day lasts a day, a time no time."""
    start, end, duration = _moment(one, "DTSTART"), _moment(one, "DTEND"), _moment(one, "DURATION")
    if isinstance(duration, timedelta):
        return duration
    if end is None or start is None:
        return timedelta(0) if isinstance(start, datetime) else timedelta(days=1)
    if isinstance(start, datetime) != isinstance(end, datetime):
        end = datetime.combine(end, time(0), start.tzinfo) if isinstance(start, datetime) else end.date()
    if isinstance(start, datetime) and (start.tzinfo is None) != (end.tzinfo is None):
        end = end.replace(tzinfo=start.tzinfo)
    found: timedelta = end - start
    return found


def _key(moment: Any, zone: ZoneInfo) -> str | None:
    """How one of several times is named."""
    if not isinstance(moment, date):
        return None
    return f"{instant(moment, zone):%Y%m%dT%H%M%SZ}" if isinstance(moment, datetime) else f"{moment:%Y%m%d}"


def _repeats(one: Event, start: Moment, zone: ZoneInfo, window: tuple[datetime, datetime]) -> list[Moment] | Unreadable:
    """When a repeated event takes place within the window, in the clock of its own zone."""
    own = start.tzinfo if isinstance(start, datetime) and start.tzinfo is not None else zone
    naive = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time(0))
    found: set[datetime] = {naive} if "RRULE" not in one else set()
    rules = one.get("RRULE") or []
    for rule in rules if isinstance(rules, list) else [rules]:
        if str((rule.get("FREQ") or [""])[0]).upper() in TOO_FAST:
            return Unreadable("", f"RRULE: {rule.to_ical().decode()} repeats faster than any event")
        until = (rule.get("UNTIL") or [None])[0]
        text = _rule(rule.to_ical().decode())
        last = None if until is None else _naive(until, own, datetime.combine(naive, time.max))
        try:
            for step in islice(rrulestr(text, dtstart=naive), MOST_STEPS):
                if (last is not None and step > last) or step.replace(tzinfo=own) >= window[1]:
                    break
                if step.replace(tzinfo=own) >= window[0] - timedelta(days=1):
                    found.add(step)
        except (ValueError, TypeError, OverflowError) as error:
            return Unreadable("", f"RRULE: {text}: {error}")
    found |= {_naive(listed.dt, own, naive) for listed in _listed(one, "RDATE")}
    found -= {_naive(listed.dt, own, naive) for listed in _listed(one, "EXDATE")}
    inside = sorted(moment for moment in found if window[0] <= moment.replace(tzinfo=own) < window[1])[:MOST_REPEATS]
    return [_like(moment, start) for moment in inside]


def _rule(text: str) -> str:
    """The rule without its end. Days of the month are looked for by the year: by the day it takes seconds to see that 30 February never comes."""
    parts = [part for part in text.upper().split(";") if not part.startswith("UNTIL")]
    if any(part.startswith(("BYMONTHDAY", "BYYEARDAY")) for part in parts) and not any(
        part.startswith(("INTERVAL", "BYSETPOS")) for part in parts
    ):
        parts = ["FREQ=YEARLY" if part == "FREQ=DAILY" else part for part in parts]
    return ";".join(parts)


def _listed(one: Event, name: str) -> list[Any]:
    """The single times of RDATE or EXDATE, which may stand in several lines."""
    value = one.get(name) or []
    return [listed for line in (value if isinstance(value, list) else [value]) for listed in line.dts]


def _naive(moment: Any, zone: Any, whole: datetime) -> datetime:
    """The time on the clock of the zone; a whole day at the hour of the event, or its end for `UNTIL`."""
    moment = moment[0] if isinstance(moment, tuple) else moment
    if not isinstance(moment, datetime):
        return datetime.combine(moment, whole.time())
    return moment.replace(tzinfo=None) if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)


def _like(moment: datetime, start: Moment) -> Moment:
    return moment.replace(tzinfo=start.tzinfo) if isinstance(start, datetime) else moment.date()


def _facts(one: Event) -> Row:
    categories = one.get("CATEGORIES") or []
    names = [str(name) for line in (categories if isinstance(categories, list) else [categories]) for name in getattr(line, "cats", [line])]
    status = one.get("STATUS")
    return {
        "title": plain(str(one.get("SUMMARY") or "")),
        "description": plain(str(one.get("DESCRIPTION") or "")),
        "location": plain(str(one.get("LOCATION") or "")),
        "url": str(one.get("URL") or "") or None,
        "categories": [name for name in names if name] or None,
        "status": None if status is None else str(status).lower(),
        "updated_time": _updated(one),
    }


def _updated(one: Event) -> datetime | None:
    found = _moment(one, "LAST-MODIFIED")
    return found.astimezone(UTC) if isinstance(found, datetime) and found.tzinfo is not None else None


def _place(one: Event) -> tuple[float | None, float | None]:
    geo = one.get("GEO")
    return (None, None) if geo is None else (geo.longitude, geo.latitude)
