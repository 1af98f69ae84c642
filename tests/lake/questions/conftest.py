"""A small city on real Parquet files: counters and air (timeseries), districts (features), car parks (table)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from stadthub_lake.lake import Lake
from stadthub_lake.layout import ENTITIES, OBSERVATIONS, columns_of, write_observations
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import TIMESERIES_COLUMNS, Column, ColumnType, Kind
from stadthub_schemas.errors import NotFound

START = datetime(2026, 3, 1, tzinfo=UTC)


class Shelf:
    """Hands out snapshots as `snapshot.Reader` does: the newest, or the newest up to a time."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Snapshot]] = {}

    def put(self, snapshot: Snapshot) -> None:
        """This is how the dataset is from now on."""
        self._kept.setdefault(snapshot.dataset, []).append(snapshot)

    def snapshot(self, dataset: str, as_of: datetime | None = None) -> Snapshot:
        """The dataset now, or as it was."""
        kept = [one for one in self._kept.get(dataset, []) if as_of is None or one.time <= as_of]
        if not kept:
            raise NotFound(f"there is no dataset {dataset}")
        return kept[-1]


def timeseries(
    folder: Path, name: str, observations: list[dict[str, Any]], entities: list[dict[str, Any]], tail_from: datetime | None = None
) -> Snapshot:
    """A timeseries in one file a day; what is younger than `tail_from` is the tail."""
    table = pa.Table.from_pylist(observations, OBSERVATIONS)
    rows = table.sort_by([("datastream", "ascending"), ("phenomenon_time", "ascending")]).to_pylist()
    days: dict[str, list[dict[str, Any]]] = {}
    tail = []
    for row in rows:
        if tail_from is not None and row["phenomenon_time"] >= tail_from:
            tail.append(row)
        else:
            days.setdefault(f"{row['phenomenon_time']:%Y-%m-%d}", []).append(row)
    files, ranges = [], []
    for day, part in sorted(days.items()):
        path = folder / f"{name}-{day}.parquet"
        write_observations(pa.Table.from_pylist(part, OBSERVATIONS), path)
        files.append(str(path))
        ranges.append((min(row["phenomenon_time"] for row in part), max(row["phenomenon_time"] for row in part)))
    return Snapshot(
        dataset=name,
        kind=Kind.TIMESERIES,
        version=1,
        time=START,
        files=tuple(files),
        tail=pa.Table.from_pylist(tail, OBSERVATIONS),
        entities=pa.Table.from_pylist(entities, ENTITIES),
        columns=TIMESERIES_COLUMNS,
        rows=len(rows),
        ranges=tuple(ranges),
    )


def air_entities() -> list[dict[str, Any]]:
    """Three things with two datastreams each; the last has no place and no name."""
    words: list[dict[str, Any]] = []
    for number in range(3):
        for unit, observed in (("Cel", "air_temperature"), ("ug/m3", "pm10")):
            words.append(
                {
                    "datastream": f"station-{number}:{observed}",
                    "thing": f"station-{number}",
                    "thing_name": f"Straße {number}" if number < 2 else None,
                    "observed_property": observed,
                    "unit": unit,
                    "sensor": None,
                    "longitude": 7.6 + number / 10 if number < 2 else None,
                    "latitude": 51.9 if number < 2 else None,
                }
            )
    return words


def air_observations() -> list[dict[str, Any]]:
    """Five days, every hour, six datastreams; a few without a result."""
    rows = []
    for hour in range(120):
        for place, words in enumerate(air_entities()):
            time = START + timedelta(hours=hour)
            rows.append(
                {
                    "datastream": words["datastream"],
                    "phenomenon_time": time,
                    "result": None if hour % 50 == 49 else float(hour % 24) + place / 10,
                    "result_text": "kaputt" if hour % 50 == 49 else None,
                    "quality": "checked" if hour % 2 else None,
                    "received_time": time + timedelta(seconds=1.5),
                    "parameters": '{"battery":3.1}' if hour % 3 == 0 else None,
                }
            )
    return rows


def districts(folder: Path, number: int = 4) -> Snapshot:
    """Squares side by side; the last one has no geometry."""
    squares = [shapely.box(7.6 + n / 10, 51.9, 7.7 + n / 10, 52.0) for n in range(number - 1)]
    table = pa.table(
        {
            "id": [f"d{n}" for n in range(number)],
            "geometry": pa.array([*(shapely.to_wkb(square) for square in squares), None], pa.binary()),
            "name": pa.array([*(f'Bezirk "{n}"' for n in range(number - 1)), None], pa.string()),
            "people": pa.array([*(1000 * n for n in range(number - 1)), None], pa.int64()),
            "since": pa.array([START + timedelta(days=n) for n in range(number)], pa.timestamp("us", "UTC")),
        }
    )
    path = folder / "districts.parquet"
    pq.write_table(table, path)
    columns = tuple(
        Column(name=name, type=kind)
        for name, kind in zip(
            table.column_names, (ColumnType.TEXT, ColumnType.GEOMETRY, ColumnType.TEXT, ColumnType.INTEGER, ColumnType.TIME), strict=True
        )
    )
    return Snapshot("districts", Kind.FEATURES, 1, START, (str(path),), None, None, columns, number)


def car_parks(folder: Path, version: int = 1, number: int = 10) -> Snapshot:
    """A table in two files, of which the second has one column more."""
    first = pa.table({"name": [f"P{n}" for n in range(number)], "free": pa.array(range(number), pa.int64())})
    second = pa.table({"name": ["Q0", "Q1"], "free": pa.array([None, 5], pa.int64()), "open": [True, None]})
    paths = []
    for word, part in (("a", first), ("b", second)):
        path = folder / f"parks-{version}-{word}.parquet"
        pq.write_table(part, path)
        paths.append(str(path))
    schema = second.schema
    time = START + timedelta(days=version)
    return Snapshot("car-parks", Kind.TABLE, version, time, tuple(paths), None, None, columns_of(schema), number + 2, (), schema)


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The datasets of the small city."""
    folder = tmp_path_factory.mktemp("city")
    shelf = Shelf()
    shelf.put(timeseries(folder, "air", air_observations(), air_entities(), START + timedelta(days=4, hours=12)))
    shelf.put(timeseries(folder, "silent", [], []))
    shelf.put(districts(folder))
    shelf.put(Snapshot("no-features", Kind.FEATURES, 0, START, (), None, None, (), 0))
    shelf.put(car_parks(folder))
    return shelf


@pytest.fixture(scope="session")
def lake(city: Shelf) -> Iterator[Lake]:
    """The lake of the small city."""
    opened = Lake(city)
    yield opened
    opened.close()
