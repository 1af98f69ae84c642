"""The shipped models give their golden answers, on DuckDB as the hub runs them and on SQLite: the subset of SQL that they use is portable."""

import json
import math
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from stadthub_lake.derivation import Workshop, named_in
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Progress, Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Contact, Dataset, Kind, Metadata, Publisher
from stadthub_schemas.derived import Derived, input_name, load_file
from stadthub_schemas.rows import OBSERVATIONS_IN

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
MODELS = [model for path in sorted((ROOT / "docs" / "feeds").glob("*.toml")) if isinstance(model := load_file(path), Derived)]
ZONE = ZoneInfo("Europe/Berlin")

#: Sunday evening before the clock goes back, an hour that comes twice, and the month's end.
BEGIN = int(datetime(2026, 10, 24, 20, tzinfo=UTC).timestamp())
HOUR = 3600

ACCESS_POINTS = {
    "access_point": ["Rathaus 1", "Rathaus 2", "Museum", "Bad", "Tram 7"],
    "site": ["Rathaus", "Rathaus", "Museum", "Bad", None],
    "monthly_cost": [30.0, 30.0, None, 45.0, 12.5],
}
DEPARTURES = {
    "stop_id": ["A", "A", "A", "A", "B"],
    "stop_name": ["Markt", "Markt", "Markt", "Markt", "Bahnhof"],
    "date": [date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 20), date(2026, 11, 22)],
    "hour": [6, 6, 6, 7, 23],
    "departures": [4, 7, 2, 1, 3],
    "longitude": [10.0, 10.0, 10.0, 10.0, None],
    "latitude": [51.0, 51.0, 51.0, 51.0, None],
}


def observations() -> list[dict[str, Any]]:
    """Five access points for some hours: one is off and comes back, one falls silent, a counter begins anew, a tram knows its stop."""
    found: list[dict[str, Any]] = []

    def see(thing: str, hour: float, observed: str, result: float, **more: Any) -> None:
        time = datetime.fromtimestamp(BEGIN + hour * HOUR, UTC)
        name = {"thing": thing} if thing == "Unbekannt" else {"thing": thing.lower().replace(" ", "-"), "thing_name": thing}
        found.append({**name, "observed_property": observed, "phenomenon_time": time, "result": result, "received_time": time, **more})

    for hour in range(8):
        see("Rathaus 1", hour, "wifi_clients", 6 + hour, longitude=10.0, latitude=51.0)
        see("Rathaus 2", hour, "wifi_clients", 5 + hour % 2, longitude=10.001, latitude=51.001)
        see("Rathaus 1", hour, "received_bytes", [1e9, 2e9, 3e9, 5e8, 6e8, 7e8, 8e8, 9e8][hour])
        see("Rathaus 1", hour, "online", 1)
        see("Museum", hour, "online", 0 if hour in (2, 3, 7) else 1)
        if hour not in (2, 3, 7):
            see("Museum", hour, "wifi_clients", 2)
        if hour < 3 or hour > 6:
            see("Unbekannt", hour, "wifi_clients", 9)
        words = json.dumps({"line": "4", "stop": "Markt" if hour % 2 else "Bahnhof", "longitude": 10.01, "latitude": 51.02})
        see("Tram 7", hour, "wifi_clients", 20 - hour, parameters=words)
    see("Tram 7", 8, "wifi_clients", 4, parameters='{"line":"N1"}')
    see("Rathaus 1", 24 * 8, "wifi_clients", 12, longitude=10.0, latitude=51.0)  # the next month
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with what the models read."""
    folder = tmp_path_factory.mktemp("models")
    store = Store(str(folder / "lake"), folder)
    rows = pa.Table.from_pylist(observations(), schema=OBSERVATIONS_IN)
    for name, kind in (("wlan", Kind.TIMESERIES), ("wlan-access-points", Kind.TABLE), ("gtfs-departures", Kind.TABLE)):
        store.ensure(_described(name, kind))
    store.append("wlan", "wlan", 1, rows)
    store.commit("wlan", {"wlan": Progress(1, Counts())})
    store.replace("wlan-access-points", "f", pa.table(ACCESS_POINTS), Progress(1, Counts()))
    store.replace("gtfs-departures", "f", pa.table(DEPARTURES), Progress(1, Counts()))
    store.close()
    return folder


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_model_gives_its_golden_answer_in_the_hub(folder: Path, model: Derived) -> None:
    reader = Reader(str(folder / "lake"), folder)
    workshop = Workshop(reader, ZONE.key, 60.0, 2500)
    snapshots = [reader.snapshot(input_name(name)) for name in sorted(named_in(model.sql))]
    found = workshop.derive(model.sql, snapshots, model.described([]), None)
    workshop.close()
    assert found.rejects.num_rows == 0
    assert _plain(found.rows.to_pylist()) == _golden(model)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_model_gives_its_golden_answer_on_another_engine(model: Derived) -> None:
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    _fill(database, "wlan", [_wide(row) for row in observations()])
    for name, columns in (("wlan_access_points", ACCESS_POINTS), ("gtfs_departures", DEPARTURES)):
        _fill(database, name, [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)])
    found = [dict(row) for row in database.execute(model.sql)]
    database.close()
    assert _plain(found) == _golden(model)


def _golden(model: Derived) -> Any:
    return json.loads((HERE / f"{model.id}.json").read_text("utf-8"))


def _wide(row: dict[str, Any]) -> dict[str, Any]:
    """An observation as models see it, made without the hub."""
    local = row["phenomenon_time"].astimezone(ZONE)
    return {
        **{name: row.get(name) for name in ("thing", "thing_name", "observed_property", "result", "parameters", "longitude", "latitude")},
        "phenomenon_time": row["phenomenon_time"].isoformat(),
        "epoch": int(row["phenomenon_time"].timestamp()),
        "local_date": local.date().isoformat(),
        "local_hour": local.hour,
        "local_weekday": local.isoweekday(),
    }


def _fill(database: sqlite3.Connection, name: str, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    database.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
    marks = ", ".join("?" for _ in columns)
    values = [tuple(value.isoformat() if isinstance(value, date) else value for value in row.values()) for row in rows]
    database.executemany(f"INSERT INTO {name} VALUES ({marks})", values)


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows in one order, numbers rounded, times as text in UTC."""
    found = [{name: _value(value) for name, value in row.items()} for row in rows]
    return sorted(found, key=lambda row: json.dumps(row, ensure_ascii=False))


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and not math.isnan(value):
        return round(value, 6)
    return value


def _described(name: str, kind: Kind) -> Dataset:
    team = Contact(name="Team")
    words = Metadata(
        title=name, description=name, license="cc0-1.0", publisher=Publisher(name="stadt", title="Stadt"), contact=team, themes=("TECH",)
    )
    return Dataset(name=name, kind=kind, metadata=words)
