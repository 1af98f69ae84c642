"""Recorded input of transit, car parks, shared vehicles, councils and statistics: what the judge makes of it agrees with an independent count."""

import csv
import io
import json
import os
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stadthub_ingest.judge import Judge, Judged, Payload
from tests.ingest.feeds import feed

DATA = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared") / "data"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

GTFS = "gtfs/vvs-bus-751-only.gtfs.zip"
STUTTGART = "parking/stuttgart-realtime.xml"
STATIONS = ["helsinki", "lillestrombysykkel", "duplicate-stations-v2", "duplicate-stations-v3"]


def body(path: str) -> bytes:
    """The recorded file; the test is skipped where it is not."""
    if not (DATA / path).exists():
        pytest.skip(f"the recorded input {path} is not there: set SHARED_DIR to the folder that holds data/")
    return (DATA / path).read_bytes()


def judged(path: str, decoder: str, kind: str, options: dict[str, Any] | None = None, **keys: Any) -> Judged:
    found = Judge(feed(decoder, options, kind=kind, **keys)).judge([Payload(1, NOW, path, body(path))])
    assert found.received == found.accepted.num_rows + found.rejects.num_rows + found.dropped
    return found


def _by_trip(rows: list[dict[str, str]]) -> list[tuple[dict[str, str], list[dict[str, str]]]]:
    trips: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        trips.setdefault(row["trip_id"], []).append(row)
    return [(calls[0], calls) for calls in trips.values()]


def test_departures_of_a_week_are_the_stop_times_of_the_trips_that_run() -> None:
    with zipfile.ZipFile(io.BytesIO(body(GTFS))) as archive:
        tables = {name: list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig")))) for name in archive.namelist()}
    exceptions = {(row["service_id"], row["date"]): row["exception_type"] == "1" for row in tables["calendar_dates.txt"]}
    services = {row["trip_id"]: row["service_id"] for row in tables["trips.txt"]}
    last = {row["trip_id"]: max(int(other["stop_sequence"]) for other in calls) for row, calls in _by_trip(tables["stop_times.txt"])}
    first = date(2020, 3, 2)
    expected = 0
    for service in tables["calendar.txt"]:
        for day in (first + timedelta(days=number) for number in range(-1, 7)):
            text = f"{day:%Y%m%d}"
            runs = service[f"{day:%A}".lower()] == "1" and service["start_date"] <= text <= service["end_date"]
            if exceptions.get((service["service_id"], text), runs):
                expected += sum(
                    first <= day + timedelta(days=int(row["departure_time"][:2]) // 24) <= first + timedelta(days=6)
                    for row in tables["stop_times.txt"]
                    if services[row["trip_id"]] == service["service_id"]
                    and int(row["stop_sequence"]) < last[row["trip_id"]]
                    and row["pickup_type"] != "1"
                )
    found = judged(GTFS, "gtfs", "table", {"layer": "departures", "first_day": "2020-03-02"}, key=("stop_id", "date", "hour"))
    assert sum(found.accepted["departures"].to_pylist()) == expected > 4000
    assert found.rejects.num_rows == 0


def test_an_invalid_timetable_says_what_it_lacks() -> None:
    reasons = judged("gtfs/sample-feed-invalid.zip", "gtfs", "features").rejects["reason"].to_pylist()
    assert "stops.txt: there is no column stop_id, which it must have" in reasons
    assert "stop_times.txt: the timetable has no such file, which it must have" in reasons


def test_every_vehicle_has_a_position() -> None:
    found = judged("gtfs/king-county-metro-vehicle-positions-1.pbf", "gtfs_realtime", "timeseries")
    assert (found.accepted.num_rows, found.rejects.num_rows) == (1260, 0)


@pytest.mark.parametrize("system", STATIONS)
def test_stations_report_what_is_free(system: str) -> None:
    path = f"gbfs/otp-fixtures/{system}/station_status.json"
    stations = json.loads(body(path))["data"]["stations"]
    found = judged(path, "gbfs", "timeseries")
    free = [row["result"] for row in found.accepted.to_pylist() if row["observed_property"] == "vehicles_available"]
    assert sum(free) == sum(one.get("num_bikes_available", one.get("num_vehicles_available")) for one in stations if one.get("station_id"))


def test_no_id_of_a_vehicle_comes_out() -> None:
    path = "gbfs/otp-fixtures/ridecheck/almere/vehicle_status.json"
    ids = [one["vehicle_id"] for one in json.loads(body(path))["data"]["vehicles"]]
    found = judged(path, "gbfs", "timeseries")
    assert found.accepted.num_rows > 0
    assert not [one for one in ids if one in repr(found)]


def test_car_parks_are_counted_as_a_search_for_their_elements_counts_them() -> None:
    text = body(STUTTGART).decode()
    found = judged(STUTTGART, "datex2_parking", "timeseries").accepted.to_pylist()
    free = [float(number) for number in re.findall(r"<totalNumberOfVacantParkingSpaces>(\d+)<", text)]
    assert sorted(row["result"] for row in found if row["observed_property"] == "parking_free") == sorted(free)
    static = judged("parking/stuttgart-static.xml", "datex2_parking", "features", {"coordinates": "utm32"})
    assert (static.accepted.num_rows, static.rejects.num_rows) == (body("parking/stuttgart-static.xml").count(b"<parkingFacility id="), 0)


def test_a_workbook_of_car_parks_is_read() -> None:
    options = {"sheet": "Daten", "columns": {"id": "ID", "longitude": "Längengrad", "latitude": "Breitengrad"}}
    found = judged("parking/huefner.xlsx", "xlsx_table", "features", options)
    assert (found.accepted.num_rows, found.rejects.num_rows) == (39, 1), "the last row is a template without an id"


def test_waste_water_fulfils_its_schema() -> None:
    folder = "statistics/rki-amelag"
    schema = json.loads(body(f"{folder}/tableschema_amelag_aggregierte_kurve.json"))
    path = f"{folder}/amelag_aggregierte_kurve.tsv"
    found = judged(path, "table_schema", "table", {"table_schema": schema})
    rows = list(csv.DictReader(io.StringIO(body(path).decode()), delimiter="\t"))
    assert (found.accepted.num_rows, found.rejects.num_rows) == (len(rows), 0)
    assert sum(found.accepted["n"].to_pylist()) == sum(int(row["n"]) for row in rows)


@pytest.mark.parametrize("kind", ["System", "Body", "Organization", "Person", "Meeting", "Paper", "File", "Location"])
def test_the_examples_of_the_oparl_standard_are_read(kind: str) -> None:
    found = judged(f"council/oparl-spec/examples/{kind}-01.json", "oparl", "table", {"type": kind}, key=("id",))
    assert (found.accepted.num_rows, found.rejects.num_rows) == (1, 0)


def test_the_budget_adds_up_to_the_last_cent() -> None:
    path = "budget/berlin-2026-einnahmetitel-08.json"
    found = judged(path, "json_table", "table", {"decimal_columns": ["betrag"]}, key=("id",))
    assert str(found.accepted.schema.field("betrag").type) == "decimal128(38, 10)"
    assert sum(found.accepted["betrag"].to_pylist()) == sum(row["betrag"] for row in json.loads(body(path)))
