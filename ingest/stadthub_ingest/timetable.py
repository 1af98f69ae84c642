"""A GTFS timetable, read member by member: which files and columns it lacks, and its tables as rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from stadthub_ingest.decoded import DecodeError, Unreadable
from stadthub_ingest.packed import Packed, table

#: What every timetable must have: files and, in them, columns.
REQUIRED = {
    "agency.txt": ("agency_name", "agency_timezone"),
    "stops.txt": ("stop_id",),
    "routes.txt": ("route_id", "route_type"),
    "trips.txt": ("route_id", "service_id", "trip_id"),
    "stop_times.txt": ("trip_id", "stop_id", "stop_sequence", "departure_time"),
}
CALENDARS = ("calendar.txt", "calendar_dates.txt")

Record = dict[str, str]


@dataclass
class Timetable:
    """One timetable. `wrong` collects what can't be read on the way, each with its file and line."""

    packed: Packed
    wrong: list[Unreadable] = field(default_factory=list)

    def lacks(self) -> Iterator[Unreadable]:
        """What the timetable must have and has not."""
        for name, columns in REQUIRED.items():
            found = self.packed.find(name)
            if found is None:
                yield Unreadable(name, f"{name}: the timetable has no such file, which it must have")
                continue
            header, _ = table(self.packed, found)
            for column in columns:
                if column not in header:
                    yield Unreadable(name, f"{name}: there is no column {column}, which it must have")
        if not any(self.packed.find(name) for name in CALENDARS):
            yield Unreadable("calendar.txt", "calendar.txt: the timetable has neither calendar.txt nor calendar_dates.txt")

    def has(self, name: str) -> bool:
        """Whether the timetable has this file."""
        return self.packed.find(name) is not None

    def columns(self, name: str, wanted: tuple[str, ...]) -> Iterator[tuple[int, list[str | None]]]:
        """The wanted columns of a file with the number of the record; None where there is no such column. Lines that can't be read
        are noted in `wrong`."""
        found = self.packed.find(name)
        if found is None:
            return
        header, records = table(self.packed, found)
        places = [header.index(column) if column in header else None for column in wanted]
        for number, record in enumerate(records, 2):
            if isinstance(record, Unreadable):
                self.wrong.append(record)
            else:
                yield number, [None if place is None else record[place].strip() or None for place in places]

    def rows(self, name: str) -> Iterator[tuple[int, Record]]:
        """All columns of a file that have a value, by name."""
        found = self.packed.find(name)
        if found is None:
            return
        header, records = table(self.packed, found)
        for number, record in enumerate(records, 2):
            if isinstance(record, Unreadable):
                self.wrong.append(record)
            else:
                yield number, {key: value.strip() for key, value in zip(header, record, strict=True) if key and value.strip()}

    def refuse(self, name: str, number: int, text: object, reason: str) -> None:
        """Note a record that can't be used."""
        self.wrong.append(Unreadable(str(text)[:1000], f"{name} line {number}: {reason}"))


def open_timetable(payload: bytes) -> Timetable:
    """The timetable in this archive; DecodeError if it is none at all."""
    found = Timetable(Packed(payload))
    if not any(found.has(name) for name in REQUIRED):
        raise DecodeError("it is not a GTFS timetable: the archive holds none of " + ", ".join(REQUIRED))
    return found
