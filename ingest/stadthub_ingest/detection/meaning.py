"""What the columns of a sample mean together: the kind of the dataset, and what each column becomes in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from stadthub_ingest.detection.dates import NUMERIC, clock_pattern, frequency_of
from stadthub_ingest.detection.names import (
    id_rank,
    is_code,
    is_second_time,
    is_time_word,
    key_of,
    name_rank,
    property_of,
    role_of,
    thing_rank,
    unit_in,
)
from stadthub_ingest.detection.parts import Parts, placed, unplaced
from stadthub_ingest.detection.personal import personal_kinds
from stadthub_ingest.detection.places import DEGREES
from stadthub_ingest.detection.proposal import PERSONAL, Field, Guess, Said
from stadthub_ingest.detection.traits import Traits, notation_of
from stadthub_ingest.times import TimeReader, Times
from stadthub_schemas.dataset import Kind
from stadthub_schemas.vocabularies import FREQUENCIES


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known beside the columns: the city's time zone, the sample's name, whether it tells how things are now, and
    whether a geometry stands beside the columns."""

    zone: str
    name: str = ""
    live: bool = False
    located: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """The answer: kind, the parts, and how numbers and times are written."""

    kind: Kind
    parts: Parts
    notation: tuple[str, str | None]
    times: Mapping[str, object]
    frequency: str | None
    guesses: tuple[Guess, ...]
    warnings: tuple[Said, ...]


def meaning(columns: Sequence[Traits], setting: Setting) -> Meaning:
    """What these columns mean."""
    parts = Parts(columns, personal_kinds([(column.header, column.there[:300]) for column in columns]))
    notation, sure = notation_of(columns)
    guesses = [Guess("decimal", notation[0], sure, Said("so sind die Zahlen geschrieben", "this is how the numbers are written"))]
    if notation[1]:
        guesses.append(Guess("thousands", notation[1], sure, Said("Zahlen sind so gegliedert", "numbers are grouped so")))
    marks = sorted(set().union(*(column.marks for column in columns)))
    if marks:
        guesses.append(Guess("missing", " ".join(marks), 0.8, Said("steht zwischen Zahlen", "stands among numbers")))
    place = placed(parts, notation, guesses)
    warnings: list[Said] = []
    times = _timed(parts, setting, guesses)
    kind = _kind(parts, setting, guesses)
    frequency = None
    if kind is Kind.TIMESERIES:
        if place is not None and place.system.code != DEGREES:
            warnings.append(unplaced(parts, place))
        _observed(parts)
        frequency = _cadence(parts, times, guesses)
        times = times | _ended(parts, frequency, guesses)
    else:
        warnings += _identified(parts, kind)
        kind = Kind.TABLE if parts.roles.pop("", None) else kind
    warnings += _of_people(parts)
    return Meaning(kind, parts, notation, times, frequency, tuple(guesses), tuple(warnings))


def _timed(parts: Parts, setting: Setting, guesses: list[Guess]) -> dict[str, object]:
    """Find the time, or day and clock in two columns."""
    candidates = [
        column for column in parts.free() if column.time is not None and (column.time.pattern not in NUMERIC or is_time_word(column.header))
    ]
    if not candidates:
        return {}

    def order(column: Traits) -> tuple[bool, bool, bool]:
        assert column.time is not None
        return is_second_time(column.header), not is_time_word(column.header), not column.time.has_clock

    chosen = min(candidates, key=order)
    assert chosen.time is not None
    parts.take(chosen, "phenomenon_time")
    times = chosen.time.times(setting.zone)
    pattern = chosen.time.pattern
    clock = next((column for column in parts.free() if column.is_clock and is_time_word(column.header)), None)
    if clock is not None and not _has_clock(chosen):
        parts.take(clock, "phenomenon_time")
        pattern = f"{pattern} {clock_pattern(clock.there)}"
        times = {**times, "formats": [pattern], "time_zone": setting.zone}
    guesses.append(Guess("times", pattern, chosen.time.confidence, chosen.time.reason))
    if "time_zone" in times:
        reason = Said(
            "die Zeiten nennen keine Zone: die der Stadt ist angenommen, auch für Sommer- und Winterzeit",
            "the times name no zone: the city's is assumed, with its summer time",
        )
        guesses.append(Guess("time_zone", setting.zone, 0.6, reason))
    else:
        guesses.append(Guess("time_zone", "UTC", 0.98, Said("die Zeiten nennen ihre Zone", "the times say their zone")))
    return times


def _has_clock(column: Traits) -> bool:
    """Whether its cells name an hour."""
    return column.time is not None and column.time.has_clock


def _is_exact(parts: Parts) -> bool:
    """Whether the time names an hour, in one column or in two."""
    return any(_has_clock(c) or c.is_clock for c in parts.columns if parts.roles.get(c.place) == "phenomenon_time")


def _kind(parts: Parts, setting: Setting, guesses: list[Guess]) -> Kind:
    """Observations, features or a table."""
    time, long = parts.playing("phenomenon_time"), _long(parts)
    known = [column for column in _values(parts) if property_of(column.header) or unit_in(column.header)[1]]
    geometry = parts.playing("geometry")
    placed = geometry is not None or parts.playing("longitude") is not None
    if setting.located:
        kind, reason = Kind.FEATURES, Said("jede Zeile hat eine Geometrie", "each row has a geometry")
    elif geometry is None and time is not None and (long or (_is_exact(parts) and _values(parts) and (known or not placed))):
        kind, reason = Kind.TIMESERIES, Said("Werte mit einem Zeitpunkt", "values with a time")
    elif geometry is None and time is not None and known and not placed:
        kind, reason = Kind.TIMESERIES, Said("bekannte Messgrößen mit einem Tag", "known observed properties with a day")
    elif geometry is None and setting.live and any(_is_state(column) for column in known):
        kind, reason = Kind.TIMESERIES, Said("der Stand von jetzt, ohne Zeitpunkt", "how things are now, without a time")
    elif placed:
        kind, reason = Kind.FEATURES, Said("jede Zeile hat einen Ort", "each row has a place")
    else:
        kind, reason = Kind.TABLE, Said("weder Messwerte mit Zeit noch Orte", "neither observations with a time nor places")
    guesses.append(Guess("kind", kind.value, 0.8, reason))
    if kind is Kind.TIMESERIES:
        shape = "long" if long else "wide"
        words = (
            Said("eine Zeile je Messwert", "one row for each result")
            if long
            else Said("mehrere Messwerte je Zeile", "several results in a row")
        )
        guesses.append(Guess("shape", shape, 0.8, words))
    return kind


#: What tells how things are at this moment.
_STATES = ("parking_free", "parking_occupied", "parking_occupancy", "vehicles_available", "docks_available", "wifi_clients")


def _is_state(column: Traits) -> bool:
    found = property_of(column.header)
    return found is not None and found[0] in _STATES


def _long(parts: Parts) -> tuple[Traits, Traits] | None:
    """The columns of the observed property and of its result, if the table is long."""
    named = next((c for c in parts.free() if role_of(c.header) == "observed_property" and not c.is_number), None)
    result = next((c for c in parts.free() if role_of(c.header) == "result" and c.is_number), None)
    return None if named is None or result is None else (named, result)


def _values(parts: Parts) -> list[Traits]:
    """The free columns of numbers that are no keys."""
    free = [c for c in parts.free() if not c.place.startswith("geometry.coordinates")]
    return [c for c in free if (c.is_number and not _is_key(c)) or (not c.there and property_of(c.header) and unit_in(c.header)[1])]


def _is_key(column: Traits) -> bool:
    return (
        column.is_whole
        and (id_rank(column.header) is not None or is_code(column.header))
        and property_of(column.header) is None
        and not unit_in(column.header)[1]
    )


def _observed(parts: Parts) -> None:
    """Give the parts of a timeseries: long or wide, thing and name, unit, quality."""
    long = _long(parts)
    if long is not None:
        parts.take(long[0], "observed_property")
        parts.take(long[1], "result")
    for role in ("unit", "sensor", "quality"):
        parts.take(next((c for c in parts.free() if role_of(c.header) == role and not (c.is_number and role != "quality")), None), role)
    things = [c for c in parts.free() if thing_rank(c.header) is not None and (not c.is_number or c.is_whole) and not property_of(c.header)]
    parts.take(min(things, key=lambda c: (thing_rank(c.header), c.is_number), default=None), "thing")
    names = [c for c in parts.free() if name_rank(c.header) is not None and not c.is_number and c.time is None]
    parts.take(min(names, key=lambda c: name_rank(c.header) or 0, default=None), "thing_name" if parts.playing("thing") else "thing")
    if long is not None:
        return
    flags = [c for c in _values(parts) if key_of(c.header).endswith(("_status", "_flag", "_qualitaet", "_quality"))]
    values = _shallowest([c for c in _values(parts) if c not in flags])
    known = [c for c in values if property_of(c.header) or unit_in(c.header)[1]]
    for column in values if not known or _are_things(parts, known) else known:
        parts.take(column, "value")
    for column in flags:
        parts.take(column, "quality")


def _shallowest(values: Sequence[Traits]) -> list[Traits]:
    """Of paths that observe the same at different depths, those nearest to the row."""
    depths: dict[tuple[str, float], int] = {}
    for column in values:
        known = property_of(column.header)
        if known:
            depths[known] = min(depths.get(known, 99), column.place.count("."))
    return [c for c in values if (known := property_of(c.header)) is None or c.place.count(".") == depths[known]]


def _are_things(parts: Parts, known: Sequence[Traits]) -> bool:
    """Whether the value columns are one property of many things: then those without a known name belong to them."""
    return parts.playing("thing") is None and len(known) > 1 and len({property_of(column.header) for column in known}) == 1


def _identified(parts: Parts, kind: Kind) -> list[Said]:
    """Find what tells rows apart. A part named "" stands for features that nothing tells apart: they become a table."""
    parts.roles = {place: role for place, role in parts.roles.items() if role != "phenomenon_time"}
    unique = [c for c in parts.free() if c.is_unique and (not c.is_number or c.is_whole)]
    named = min((c for c in unique if id_rank(c.header) is not None), key=lambda c: id_rank(c.header) or 0, default=None)
    if kind is Kind.TABLE:
        parts.take(named, "key")
        return []
    best = named or next(iter(unique), None)
    if best is not None:
        parts.take(best, "id")
        return []
    parts.roles = {"": "table"}
    return [
        Said(
            "Keine Spalte unterscheidet die Orte voneinander: die Daten werden eine Tabelle ohne Karte. Bitten Sie die Quelle um eine Nummer.",
            "No column tells the places apart: the data become a table without a map. Ask the source for a number.",
        )
    ]


def _cadence(parts: Parts, times: Mapping[str, object], guesses: list[Guess]) -> str | None:
    """How often there is a new value of one thing."""
    stamps, thing = [c for c in parts.columns if parts.roles.get(c.place) == "phenomenon_time"], parts.playing("thing")
    if not stamps:
        return None
    reader = TimeReader(Times.model_validate({**times, "time_zone": times.get("time_zone", "UTC")}))
    wanted = thing.cells[0] if thing is not None and thing.cells else None
    moments = []
    for number, cells in enumerate(zip(*(column.cells for column in stamps), strict=False)):
        if thing is not None and thing.cells[number] != wanted:
            continue
        moment = reader.read(" ".join(cell.strip() for cell in cells))
        if not hasattr(moment, "reason"):
            moments.append(moment)
    if any(later < earlier for earlier, later in pairwise(moments)):
        moments.sort()
    found = frequency_of(moments)
    if found is None:
        return None
    name, step = found
    guesses.append(Guess("frequency", name, 0.8, Said(f"Abstand der Zeiten: {step}", f"distance of the times: {step}")))
    return name


def _ended(parts: Parts, frequency: str | None, guesses: list[Guess]) -> dict[str, object]:
    """Times such as 24:00 are the ends of intervals: the changed clock is then looked up at their start."""
    length = FREQUENCIES[frequency][2] if frequency else None
    stamps = [column for column in parts.columns if parts.roles.get(column.place) == "phenomenon_time"]
    if length is None or not any("24:00" in cell for column in stamps for cell in column.there):
        return {}
    minutes = int(length.total_seconds() // 60)
    told = Said("24:00 kommt vor: die Zeiten sind Enden von Intervallen", "24:00 is there: the times are ends of intervals")
    guesses.append(Guess("interval_end", f"PT{minutes}M", 0.8, told))
    return {"interval_end": f"PT{minutes}M"}


def _of_people(parts: Parts) -> list[Said]:
    """A warning for each column that tells of people."""
    return [
        Said(
            f"Spalte „{column.header}“: {PERSONAL[kind].de}. Sie wird weggelassen, bevor etwas gespeichert wird.",
            f"Column “{column.header}”: {PERSONAL[kind].en}. It is left out before anything is stored.",
        )
        for column, kind in zip(parts.columns, parts.personal, strict=True)
        if kind is not None
    ]


__all__ = ["Field", "Meaning", "Setting", "meaning"]
