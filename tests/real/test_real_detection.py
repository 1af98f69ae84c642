"""Recorded input of German cities is recognised: which decoder reads it, and what it becomes."""

import os
from pathlib import Path

import pytest

from stadthub_ingest.detection.detect import detect

SHARED = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared")
DATA = SHARED / "data"

#: What a person says of each kind of file; the first pattern that fits counts.
RIGHT: tuple[tuple[str, str, str], ...] = (
    ("airquality/luftqualitaet*.csv", "csv_table", "timeseries"),
    ("airquality/jena-icesensor.json", "json_table", "timeseries"),
    ("airquality/sensor-community-push.json", "sensor_community", "timeseries"),
    ("budget/*.json", "json_table", "table"),
    ("catalogue/*.json", "json_table", "table"),
    ("council/oparl-spec/examples/*.json", "oparl", "table"),
    ("events/*.json", "json_table", "features"),
    ("gbfs/otp-fixtures/*/station_status.json", "gbfs", "timeseries"),
    ("gbfs/otp-fixtures/*/*/vehicle_status.json", "gbfs", "timeseries"),
    ("gbfs/otp-fixtures/*/station_information.json", "gbfs", "features"),
    ("gbfs/otp-fixtures/**/geofencing_zones.json", "gbfs", "features"),
    ("gbfs/otp-fixtures/**/vehicle_types.json", "gbfs", "table"),
    ("gbfs/systems.csv", "csv_table", "table"),
    ("geodata/*.geojson", "geojson", "features"),
    ("geodata/klimadata.csv", "csv_table", "table"),
    ("geodata/ladesaeulen-muenster.csv", "csv_table", "features"),
    ("gtfs/*.zip", "gtfs", "features"),
    ("gtfs/*.pbf", "gtfs_realtime", "timeseries"),
    ("lorawan/example*.json", "chirpstack", "timeseries"),
    ("lorawan/ttn*.json", "ttn", "timeseries"),
    ("parking/freiburg.json", "json_table", "timeseries"),
    ("parking/kienzler_ulm.json", "json_table", "timeseries"),
    ("parking/konstanz.json", "arcgis", "features"),
    ("parking/reutlingen.csv", "csv_table", "features"),
    ("parking/jena.geojson", "geojson", "features"),
    ("parking/huefner.xlsx", "xlsx_table", "features"),
    ("parking/stuttgart-realtime.xml", "datex2_parking", "timeseries"),
    ("parking/stuttgart-static.xml", "datex2_parking", "features"),
    ("senml/*.json", "senml", "timeseries"),
    ("sensorthings/*.json", "sensorthings", "timeseries"),
    ("statistics/rki-amelag/*.tsv", "csv_table", "table"),
    ("statistics/rki-amelag/*.json", "table_schema", "table"),
    ("wlan/*meshviewer.json", "meshviewer", "timeseries"),
    ("wlan/unifi*.json", "unifi", "timeseries"),
)
#: A place without a number that tells it from others can only become a table; the wizard says so.
TOLD_AS_TABLE = {"ladesaeulen-muenster.csv"}


def test_recorded_files_are_recognised() -> None:
    if not DATA.is_dir():
        pytest.skip("the recorded input is not there: set SHARED_DIR to the folder that holds data/")
    wrong: list[str] = []
    seen = 0
    for pattern, decoder, kind in RIGHT:
        for path in sorted(DATA.glob(pattern)):
            seen += 1
            found = detect(path.read_bytes(), path.name)
            if (found.decoder, found.kind) != (decoder, kind) and not (path.name in TOLD_AS_TABLE and found.warnings):
                wrong.append(f"{path.name}: {found.decoder} {found.kind}, not {decoder} {kind}")
    print(f"{seen - len(wrong)} of {seen} recorded files are recognised")
    assert seen > 60
    assert wrong == []
