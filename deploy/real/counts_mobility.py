"""The independent count of transit, shared vehicles and car parks: the standard library reads the files (GTFS-Realtime: its own message
format), nothing of the hub is used."""

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from xml.etree.ElementTree import XML, Element

from deploy.real.counted import Count, Files
from google.transit.gtfs_realtime_pb2 import FeedMessage

WEEK = [date(2020, 3, 2) + timedelta(days=number) for number in range(7)]
FREE = ("totalNumberOfVacantParkingSpaces", "totalNumberOfOccupiedParkingSpaces")
UNKNOWN = {"statusUnknown", "unknown", "unknownOpeningStatus"}
DOCKS = (
    "num_bikes_available",
    "num_vehicles_available",
    "num_bikes_disabled",
    "num_vehicles_disabled",
    "num_docks_available",
    "num_docks_disabled",
)
STATES = ("is_renting", "is_returning", "is_installed")
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _tables(body: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig")))) for name in archive.namelist()}


def stops(files: Files) -> Count:
    """A feature for each stop. Where the column of their ids is missing each line and the column are named, and so is a missing file."""
    tables = _tables(files[0])
    usable = [row for row in tables["stops.txt"] if row.get("stop_id")]
    rejected = len(tables["stops.txt"]) - len(usable) + ("stop_id" not in tables["stops.txt"][0]) + ("stop_times.txt" not in tables)
    return Count(len(usable), rejected=rejected)


def routes(files: Files) -> Count:
    """A row for each route."""
    return Count(len(_tables(files[0])["routes.txt"]))


def departures(files: Files) -> Count:
    """A row for each stop, day and hour with departures of trips that run; nobody departs from the last stop."""
    tables = _tables(files[0])
    calls: dict[str, list[dict[str, str]]] = {}
    for call in tables["stop_times.txt"]:
        calls.setdefault(call["trip_id"], []).append(call)
    seen: Counter[tuple[str, date, int]] = Counter()
    for trip in tables["trips.txt"]:
        leaving = sorted(calls[trip["trip_id"]], key=lambda call: int(call["stop_sequence"]))[:-1]
        for day in (WEEK[0] - timedelta(days=1), *WEEK):
            if _runs(tables, trip["service_id"], day):
                for call in leaving:
                    hour = int(call["departure_time"].split(":")[0])
                    seen[call["stop_id"], day + timedelta(days=hour // 24), hour % 24] += call["pickup_type"] != "1"
    week = {key: number for key, number in seen.items() if key[1] in WEEK and number}
    return Count(len(week), total=sum(week.values()), column="departures")


def _runs(tables: dict[str, list[dict[str, str]]], service: str, day: date) -> bool:
    text = f"{day:%Y%m%d}"
    for row in tables["calendar_dates.txt"]:
        if (row["service_id"], row["date"]) == (service, text):
            return row["exception_type"] == "1"
    return any(
        row["service_id"] == service and row[f"{day:%A}".lower()] == "1" and row["start_date"] <= text <= row["end_date"]
        for row in tables["calendar.txt"]
    )


def vehicles(files: Files) -> Count:
    """Two coordinates of each vehicle, and how fast and how full it is where it says so."""
    message = FeedMessage.FromString(files[0])
    stored = 0
    for entity in message.entity:
        vehicle = entity.vehicle
        stored += 2 * vehicle.HasField("position") + vehicle.position.HasField("speed")
        stored += vehicle.HasField("occupancy_percentage") + vehicle.HasField("occupancy_status")
    return Count(stored)


def _stations(files: Files) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files[0])["data"]["stations"]
    return found


def stations(files: Files) -> Count:
    """A feature for each station that has an id and a place."""
    there = [one for one in _stations(files) if one.get("station_id") and None not in (one.get("lon"), one.get("lat"))]
    return Count(len(there), rejected=len(_stations(files)) - len(there), total=sum(one["capacity"] for one in there), column="capacity")


def availability(files: Files) -> Count:
    """A value for each number and state of each station; the same station at the same time counts once."""
    values: list[tuple[Any, Any, str, float]] = []
    rejected = 0
    for one in _stations(files):
        said = [(name, float(one[name])) for name in (*DOCKS, *STATES) if one.get(name) is not None]
        if one.get("station_id"):
            values += [(one["station_id"], one.get("last_reported"), name, number) for name, number in said]
        else:
            rejected += len(said)
    first = {value[:3]: value[3] for value in reversed(values)}
    return Count(len(first), duplicate=len(values) - len(first), rejected=rejected, total=sum(first.values()))


def free_vehicles(files: Files) -> Count:
    """A count for each cell of a hundredth of a degree; whoever is reserved or out of order is left out."""
    found = json.loads(files[0])["data"]["vehicles"]
    free = [one for one in found if not one["is_reserved"] and not one["is_disabled"]]
    cells = Counter((one["lat"] // 0.01, one["lon"] // 0.01) for one in free)
    return Count(len(cells), dropped=len(found) - len(free), total=sum(cells.values()))


def zones(files: Files) -> Count:
    """A feature for each zone."""
    return Count(len(json.loads(files[0])["data"]["geofencing_zones"]["features"]))


def vehicle_types(files: Files) -> Count:
    """A row for each form and propulsion."""
    found = json.loads(files[0])["data"]["vehicle_types"]
    return Count(len({(one["form_factor"], one["propulsion_type"]) for one in found}), total=len(found), column="types")


def systems(files: Files) -> Count:
    """A row for each system; the second one of the same id is refused."""
    ids = [row["System ID"] for row in csv.DictReader(io.StringIO(files[0].decode()))]
    return Count(len(set(ids)), rejected=len(ids) - len(set(ids)))


def _elements(body: bytes, name: str) -> Iterator[Element]:
    return (one for one in XML(body).iter() if one.tag.rpartition("}")[2] == name)


def _own(element: Element, *names: str) -> list[str]:
    return [str(child.text) for child in element if child.tag.rpartition("}")[2] in names and not len(child)]


def car_parks(files: Files) -> Count:
    """A feature for each car park of DATEX II, with how many spaces it has."""
    found = list(_elements(files[0], "parkingFacility"))
    first = [next((int(text) for text in _own(one, "totalParkingCapacity")), 0) for one in found]
    return Count(len(found), total=sum(first), column="capacity")


def occupancy(files: Files) -> Count:
    """Free and taken spaces, how full, and the state of each car park of DATEX II; a state that nobody knows is dropped."""
    stored = dropped = 0
    total = 0.0
    for one in _elements(files[0], "parkingFacilityStatus"):
        if not any(child.tag.endswith("Reference") for child in one):
            continue  # the word for a state is the same as the one for a report
        numbers = [
            float(text) for name in (*FREE, "parkingFacilityOccupancy", "totalParkingCapacityOverride") for text in _own(one, name)[:1]
        ]
        known = set(_own(one, "parkingFacilityStatus")) - UNKNOWN
        stored, dropped, total = stored + len(numbers) + bool(known), dropped + (not known), total + sum(numbers)
    return Count(stored, dropped, total)


def workbook(files: Files) -> Count:
    """A feature for each row of the sheet "Daten" that has an id, which stands in its first column; one without is refused."""
    with zipfile.ZipFile(io.BytesIO(files[0])) as archive:
        names = [sheet.get("name") for sheet in XML(archive.read("xl/workbook.xml")).iter(f"{SHEET}sheet")]
        rows = list(XML(archive.read(f"xl/worksheets/sheet{names.index('Daten') + 1}.xml")).iter(f"{SHEET}row"))[1:]
    filled = [
        {str(cell.get("r")).rstrip("0123456789") for cell in row.iter(f"{SHEET}c") if cell.find(f"{SHEET}v") is not None} for row in rows
    ]
    with_id = sum("A" in cells for cells in filled)
    return Count(with_id, rejected=sum(bool(cells) for cells in filled) - with_id)


def values_of(rows: str, *names: str) -> Callable[[Files], Count]:
    """A count of these numbers in each object of a list, under `attributes` or in the object itself."""

    def counted(files: Files) -> Count:
        found = json.loads(files[0])
        objects = [one.get("attributes", one) for one in (found[rows] if rows else found)]
        there = [float(one[name]) for one in objects for name in names if one.get(name) is not None]
        return Count(len(there), len(objects) * len(names) - len(there), sum(there))

    return counted


GBFS = "gbfs/otp-fixtures"
VVS = "gtfs/vvs-bus-751-only.gtfs.zip"

#: Where the files of each feed are under data/, and how they are counted.
MOBILITY: dict[str, tuple[str, Callable[[Files], Count]]] = {
    "vvs-stops": (VVS, stops),
    "vvs-routes": (VVS, routes),
    "vvs-departures": (VVS, departures),
    "invalid-timetable": ("gtfs/sample-feed-invalid.zip", stops),
    "king-county-vehicles": ("gtfs/king-county-metro-vehicle-positions-1.pbf", vehicles),
    "helsinki-bicycle-stations": (f"{GBFS}/helsinki/station_information.json", stations),
    "helsinki-bicycle-availability": (f"{GBFS}/helsinki/station_status.json", availability),
    "lillestrom-bicycle-stations": (f"{GBFS}/lillestrombysykkel/station_information.json", stations),
    "lillestrom-bicycle-availability": (f"{GBFS}/lillestrombysykkel/station_status.json", availability),
    "lillestrom-bicycle-types": (f"{GBFS}/lillestrombysykkel/vehicle_types.json", vehicle_types),
    "gbfs-v2-bicycle-stations": (f"{GBFS}/duplicate-stations-v2/station_information.json", stations),
    "gbfs-v2-bicycle-availability": (f"{GBFS}/duplicate-stations-v2/station_status.json", availability),
    "gbfs-v3-bicycle-stations": (f"{GBFS}/duplicate-stations-v3/station_information.json", stations),
    "gbfs-v3-bicycle-availability": (f"{GBFS}/duplicate-stations-v3/station_status.json", availability),
    "almere-scooters": (f"{GBFS}/ridecheck/almere/vehicle_status.json", free_vehicles),
    "almere-scooter-types": (f"{GBFS}/ridecheck/almere/vehicle_types.json", vehicle_types),
    "almere-scooter-zones": (f"{GBFS}/ridecheck/almere/geofencing_zones.json", zones),
    "oslo-scooter-zones": (f"{GBFS}/tieroslo/geofencing_zones.json", zones),
    "gbfs-systems": ("gbfs/systems.csv", systems),
    "stuttgart-car-parks": ("parking/stuttgart-static.xml", car_parks),
    "stuttgart-parking": ("parking/stuttgart-realtime.xml", occupancy),
    "konstanz-car-parks": ("parking/konstanz.json", values_of("features", "real_fcap", "max_cap")),
    "ulm-bicycle-boxes": ("parking/kienzler_ulm.json", values_of("", "bookable", "occupied", "sum_boxes")),
    "huefner-car-parks": ("parking/huefner.xlsx", workbook),
}
