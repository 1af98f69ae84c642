"""Departures of a GTFS timetable counted by stop, day and hour: stop times × the days on which they run."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.timetable import Timetable

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = 86_400

#: What a city's timetable never reaches; more would not fit into memory.
MOST_ROWS = 5_000_000
MOST_RUNS = 100_000

#: Stop, service, hours since the start of the service day.
Slot = tuple[str, str, int]

#: Place in the trip, stop, seconds since the start of the service day if they are told, whether one may board.
Call = tuple[int, str, int | None, bool]


@dataclass
class _Trips:
    """What is remembered of trips while their stop times go by."""

    services: dict[str, str]
    repeated: dict[str, list[tuple[int, int, int]]]
    slots: Counter[Slot] = field(default_factory=Counter)
    last: dict[str, tuple[int, Slot | None]] = field(default_factory=dict)
    sparse: set[str] = field(default_factory=set)
    patterns: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))


def departures(timetable: Timetable, first: date, last: date) -> Iterator[tuple[str, date, int, int]]:
    """Stop, day, hour in local time and the number of departures, where there are any; in no order."""
    zone = _zone(timetable)
    days = _service_days(timetable, first - timedelta(days=2), last)
    slots = _slots(timetable)
    hours: dict[tuple[date, int], tuple[date, int]] = {}
    counts: Counter[tuple[str, date, int]] = Counter()
    for (stop, service, offset), number in slots.items():
        for day in days.get(service, ()) if number else ():
            key = (day, offset)
            if key not in hours:
                hours[key] = _local(day, offset, zone)
            there, hour = hours[key]
            if first <= there <= last:
                counts[stop, there, hour] += number
                if len(counts) > MOST_ROWS:
                    raise DecodeError(f"the days {first} to {last} make more than {MOST_ROWS} rows: set fewer in options.last_day")
    for (stop, there, hour), number in counts.items():
        yield stop, there, hour, number


def _zone(timetable: Timetable) -> ZoneInfo:
    """The zone in which all times of the timetable are written."""
    name = next((zone for _, (zone,) in timetable.columns("agency.txt", ("agency_timezone",)) if zone), "Europe/Berlin")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DecodeError(f"agency.txt: there is no time zone {name[:100]!r}") from error


def _local(day: date, offset: int, zone: ZoneInfo) -> tuple[date, int]:
    """The day and hour on the clock: GTFS counts from twelve hours before noon, which is midnight except when the clock is changed."""
    noon = datetime.combine(day, time(12), zone).astimezone(UTC)
    found = (noon + timedelta(hours=offset - 12)).astimezone(zone)
    return found.date(), found.hour


def _service_days(timetable: Timetable, first: date, last: date) -> Mapping[str, list[date]]:
    """The days of each service within these."""
    days: dict[str, set[date]] = defaultdict(set)
    span = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    for number, cells in timetable.columns("calendar.txt", ("service_id", "start_date", "end_date", *WEEKDAYS)):
        service, start, end = cells[0], _day(cells[1]), _day(cells[2])
        if service is None or start is None or end is None:
            timetable.refuse("calendar.txt", number, cells, "service_id, start_date or end_date is missing or not a day")
            continue
        runs = [flag == "1" for flag in cells[3:]]
        days[service].update(day for day in span if start <= day <= end and runs[day.weekday()])
    for number, (service, text, kind) in timetable.columns("calendar_dates.txt", ("service_id", "date", "exception_type")):
        day = _day(text)
        if service is None or day is None or kind not in ("1", "2"):
            timetable.refuse("calendar_dates.txt", number, (service, text, kind), "service_id, date or exception_type is missing or wrong")
        elif kind == "1" and first <= day <= last:
            days[service].add(day)
        elif kind == "2":
            days[service].discard(day)
    return {service: sorted(found) for service, found in days.items()}


def _day(text: str | None) -> date | None:
    try:
        return datetime.strptime(text or "", "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def seconds(text: str | None) -> int | None:
    """Seconds since the start of the service day; hours may be more than 24. None if it is no such time."""
    parts = (text or "").strip().split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    hours, minutes, rest = map(int, parts)
    return hours * 3600 + minutes * 60 + rest if minutes < 60 and rest < 60 and hours < 96 else None


def _slots(timetable: Timetable) -> Counter[Slot]:
    """How many departures each stop has in each hour of the service day, by service."""
    trips = _Trips(_services(timetable), _repeated(timetable))
    known = {stop for _, (stop,) in timetable.columns("stops.txt", ("stop_id",)) if stop}
    for trip, call in _calls(timetable, trips, known):
        _take(trips, trip, call)
    _without_last(trips)
    if trips.sparse:
        noted = len(timetable.wrong)
        for trip, call in _calls(timetable, trips, known):
            if trip in trips.sparse:
                trips.patterns[trip].append(call)
        del timetable.wrong[noted:]  # they were told at the first reading
    _fill_in(trips)
    return trips.slots


def _calls(timetable: Timetable, trips: _Trips, known: set[str]) -> Iterator[tuple[str, Call]]:
    """The calls in the order of the file; those that can't be used are noted."""
    wanted = ("trip_id", "stop_id", "stop_sequence", "departure_time", "arrival_time", "pickup_type")
    for number, (trip, stop, sequence, leaves, arrives, pickup) in timetable.columns("stop_times.txt", wanted):
        place = int(sequence) if sequence is not None and sequence.isdecimal() else None
        if trip is None or trip not in trips.services or place is None or stop is None or (known and stop not in known):
            reason = "its trip is not in trips.txt, its stop not in stops.txt, or stop_sequence is not a number"
            timetable.refuse("stop_times.txt", number, (trip, stop, sequence), reason)
            continue
        text = leaves or arrives
        moment = seconds(text)
        if text is not None and moment is None:
            timetable.refuse("stop_times.txt", number, (trip, stop, text), f"{text[:20]!r} is not a time")
            continue
        yield trip, (place, stop, moment, pickup != "1")


def _take(trips: _Trips, trip: str, call: Call) -> None:
    """Count a departure; what can only be told with the whole trip in view waits for it."""
    place, stop, moment, boards = call
    if trip in trips.repeated or moment is None:
        trips.sparse.add(trip)
    slot = None
    if moment is not None and boards and trip not in trips.repeated:
        slot = (stop, trips.services[trip], moment // 3600)
        trips.slots[slot] += 1
    if trip not in trips.last or place > trips.last[trip][0]:
        trips.last[trip] = (place, slot)


def _without_last(trips: _Trips) -> None:
    """Nobody departs at the last stop of a trip. (Trips that are looked at again lose all their counts there.)"""
    for trip, (_, slot) in trips.last.items():
        if slot is not None and trip not in trips.sparse:
            trips.slots[slot] -= 1


def _fill_in(trips: _Trips) -> None:
    """The trips with times left out between, which are taken as evenly spread, and those that are repeated by frequency."""
    for trip, calls in trips.patterns.items():
        service = trips.services[trip]
        if trip not in trips.repeated:
            for _, stop, moment, boards in calls:
                if moment is not None and boards:
                    trips.slots[stop, service, moment // 3600] -= 1
        spread = _spread(sorted(calls))
        for start in _starts(trips, trip, spread):
            for stop, moment, boards in spread[:-1]:
                if boards:
                    trips.slots[stop, service, (moment + start) // 3600] += 1


def _starts(trips: _Trips, trip: str, spread: list[tuple[str, int, bool]]) -> Iterator[int]:
    """By how many seconds each run of the trip is shifted."""
    if trip not in trips.repeated:
        yield 0
        return
    for begin, end, headway in trips.repeated[trip]:
        for start in range(begin, end, headway):
            yield start - (spread[0][1] if spread else 0)


def _spread(calls: list[Call]) -> list[tuple[str, int, bool]]:
    """The calls of a trip with times for all between two that have one; calls outside are left out."""
    timed = [index for index, call in enumerate(calls) if call[2] is not None]
    found: list[tuple[str, int, bool]] = []
    for here, there in zip(timed, [*timed[1:], None], strict=True):
        begin = calls[here][2] or 0
        end = begin if there is None else calls[there][2] or 0
        steps = 1 if there is None else there - here
        found += [(calls[here + step][1], begin + (end - begin) * step // steps, calls[here + step][3]) for step in range(steps)]
    return found


def _services(timetable: Timetable) -> dict[str, str]:
    services = {}
    for number, (trip, service) in timetable.columns("trips.txt", ("trip_id", "service_id")):
        if trip is None or service is None:
            timetable.refuse("trips.txt", number, (trip, service), "trip_id or service_id is missing")
        else:
            services[trip] = service
    return services


def _repeated(timetable: Timetable) -> dict[str, list[tuple[int, int, int]]]:
    """The trips that are repeated: from when until when, every so many seconds."""
    found: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for number, (trip, start, end, headway) in timetable.columns("frequencies.txt", ("trip_id", "start_time", "end_time", "headway_secs")):
        begin, until = seconds(start), seconds(end)
        every = int(headway) if headway is not None and headway.isdecimal() else 0
        if trip is None or begin is None or until is None or every <= 0 or (until - begin) // every > MOST_RUNS:
            timetable.refuse("frequencies.txt", number, (trip, start, end, headway), "its times or its headway can't be true")
        else:
            found[trip].append((begin, until, every))
    return dict(found)
