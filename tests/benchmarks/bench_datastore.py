"""How fast the DataStore is: loading a CSV, filters with exact totals, pages far behind, SQL, dumps, and pushing rows.

    python -m tests.benchmarks.bench_datastore [--rows 500000] [--rounds 30]

The rows are those of the run in which CKAN 2.12.0 was measured (500,000 sensor rows of seven columns, 29 MB of CSV; PostgreSQL 15, 2
cores, in its process, without HTTP), whose figures stand beside ours. Each figure is one action with its answer as JSON.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from stadthub_catalog import Catalog
from stadthub_catalog.actions import Caller, More, answer
from stadthub_catalog.asked import Asked
from stadthub_catalog.datastore import activate
from stadthub_catalog.site import Site
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.datastore.actions import actions_over
from stadthub_pipelines.datastore.dump import asked_dump, pieces
from stadthub_pipelines.datastore.fields import Field
from stadthub_pipelines.datastore.opened import Rooms
from stadthub_pipelines.datastore.tables import replace_table
from stadthub_schemas.access import ANYBODY, Principal, Role

ADMIN = Principal("admin", Role.ADMIN)
SITE = Site(title="Benchmark", url="https://hub.example")
FIELDS = (
    Field("ts", "timestamp"),
    Field("station", "text"),
    Field("param", "text"),
    Field("value", "float8"),
    Field("unit", "text"),
    Field("quality", "int4"),
    Field("note", "text"),
)
PARAMS = ("pm10", "pm2_5", "no2", "temperature", "humidity")
PIECE = 1_000_000


@dataclass(frozen=True)
class Place:
    """A hub without its servers."""

    catalog: Catalog
    rooms: Rooms
    more: More

    def call(self, action: str, who: Principal = ANYBODY, **parameters: Any) -> Any:
        """One action."""
        return answer(self.catalog, action, parameters, Caller(who, more=self.more), SITE, None).result


def rows(number: int, first: int = 0) -> pa.Table:
    """Sensor rows: 200 stations, five properties, one value a minute."""
    at = np.arange(first, first + number)
    chance = np.random.default_rng(first)
    names = {"ts": pa.array(at // 1000 * 60_000_000 + 1_767_225_600_000_000).cast(pa.timestamp("us", "UTC"))}
    stations = pa.array([f"station-{place:03d}" for place in range(200)])
    return pa.table(
        {
            **names,
            "station": stations.take(pa.array(at % 200)),
            "param": pa.array(PARAMS).take(pa.array(at // 200 % 5)),
            "value": np.round(chance.normal(20, 8, number), 2),
            "unit": pa.array(["ug/m3"]).take(pa.array(np.zeros(number, dtype=np.int64))),
            "quality": pa.array(chance.integers(0, 3, number), pa.int32()),
            "note": pa.array(["", "ok", "calibrated", "checked"]).take(pa.array(chance.integers(0, 4, number))),
        }
    )


def read_csv(path: Path) -> Iterator[pa.Table]:
    """The rows of a CSV piece by piece, typed as the fields are stored."""
    types = {one.id: one.stored for one in FIELDS}
    with pa_csv.open_csv(
        path, pa_csv.ReadOptions(block_size=16_000_000), convert_options=pa_csv.ConvertOptions(column_types=types)
    ) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


@dataclass(frozen=True)
class Took:
    """The middle of the milliseconds that something took, and of those of the processor: on a busy machine these say more."""

    clock: float
    processor: float

    def __str__(self) -> str:
        return f"{self.clock:.1f} ms, {self.processor:.1f} ms of the processor"


def median(work: Callable[[], Any], rounds: int) -> Took:
    """How long it takes."""
    clock, processor = [], []
    for _ in range(rounds):
        started, began = time.perf_counter(), time.process_time()
        work()
        clock.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - began) * 1000)
    return Took(statistics.median(clock), statistics.median(processor))


def main() -> int:
    """Print the figures, beside those of CKAN."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = _place(Path(name))
        key = _resource(place)
        _load(place, key, Path(name), asked.rows)
        _questions(place, key, asked.rows, asked.rounds)
        _dumps(place, key, asked.rows)
        _pushes(place)
        place.rooms.lake.close()
    return 0


def _place(folder: Path) -> Place:
    catalog = Catalog(f"sqlite:///{folder / 'state.sqlite'}")
    catalog.migrate()
    reader = Reader(str(folder / "lake"), folder)
    rooms = Rooms(reader, Lake(reader, threads=os.cpu_count() or 2), folder / "lake")
    place = Place(catalog, rooms, actions_over(rooms))
    place.call("organization_create", ADMIN, name="amt", title="Amt")
    place.call("package_create", ADMIN, name="sensoren", owner_org="amt", title="Sensoren")
    return place


def _resource(place: Place) -> str:
    made = place.call("resource_create", ADMIN, package_id="sensoren", url="https://hub.example/sensors.csv", format="CSV")
    return str(made["id"])


def _load(place: Place, key: str, folder: Path, number: int) -> None:
    """A CSV of up to ten million rows is read; what is beyond comes from memory."""
    path = folder / "sensors.csv"
    in_file = min(number, 10_000_000)
    with path.open("wb") as out:
        for first in range(0, in_file, PIECE):
            piece = rows(min(PIECE, in_file - first), first)
            pa_csv.write_csv(piece, out, pa_csv.WriteOptions(include_header=first == 0))
    started = time.perf_counter()
    replace_table(place.rooms.root, UUID(key), FIELDS, read_csv(path))
    seconds = time.perf_counter() - started
    activate(place.catalog, UUID(key))
    print(
        f"load: {in_file:,} rows, {path.stat().st_size / 1e6:.0f} MB of CSV in {seconds:.2f} s = {in_file / seconds:,.0f} rows/s  (CKAN: 35,012)"
    )
    if number > in_file:
        more = (rows(min(PIECE, number - first), first) for first in range(0, number, PIECE))
        started = time.perf_counter()
        replace_table(place.rooms.root, UUID(key), FIELDS, more)
        print(f"load: {number:,} rows out of memory in {time.perf_counter() - started:.1f} s")
    path.unlink()


def _questions(place: Place, key: str, number: int, rounds: int) -> None:
    page = place.call("datastore_search", resource_id=key, limit=0)
    assert f'"total":{number}'.encode() in page
    day = {"ts": {"gte": "2026-01-01T03:00:00", "lt": "2026-01-01T05:00:00"}}
    searches: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("limit 100", {}, "17"),
        ("filter station + total", {"filters": {"station": "station-017"}}, "106"),
        ("filter param + total", {"filters": {"param": "no2"}}, "110"),
        ("filter of two + total", {"filters": {"station": "station-017", "param": "no2"}}, "-"),
        ("range of times + total", {"filters": day}, "470"),
        ("full text + total", {"q": "calibrated"}, "209"),
        ("offset 80 %", {"offset": number * 4 // 5}, "454"),
        ("next page at 80 %", {"filters": {"_id": {"gt": number * 4 // 5}}, "include_total": False}, "-"),
        ("sort ts desc limit 10", {"sort": "ts desc", "limit": 10}, "258"),
        ("distinct station", {"distinct": True, "fields": "station"}, "262"),
        ("limit 32,000", {"limit": 32_000}, "119"),
    )
    for name, parameters, theirs in searches:
        ask = partial(place.call, "datastore_search", resource_id=key, **parameters)
        first = f", the first time {median(ask, 1)}" if "total" in name else ""  # it is remembered from then on
        print(f"search, {name}: {median(ask, rounds)}{first}  (CKAN: {theirs} ms)")
    day_sql = f"SELECT date_trunc('day', ts) AS day, param, avg(value) FROM \"{key}\" GROUP BY 1, 2 ORDER BY 1, 2"
    p95 = f'SELECT station, avg(value), percentile_cont(0.95) WITHIN GROUP (ORDER BY value) FROM "{key}" GROUP BY station'
    for name, sql, theirs in (("average a day", day_sql, "418"), ("average and p95 a station", p95, "722")):
        times = []
        for _ in range(min(rounds, 10)):
            time.sleep(1.0)  # the next process of the sandbox starts meanwhile, as between two questions of a reader
            times.append(median(lambda sql=sql: place.call("datastore_search_sql", sql=sql), 1).clock)  # type: ignore[misc]
        print(f"SQL, {name}: {statistics.median(times):.1f} ms  (CKAN: {theirs})")


def _dumps(place: Place, key: str, number: int) -> None:
    for format_, theirs in (("csv", "439,000"), ("json", "97,000"), ("tsv", "-"), ("xml", "-")):
        if format_ == "xml" and number > 1_000_000:
            continue
        asked = Asked(place.catalog, {"format": format_}, ANYBODY, SITE)
        started = time.perf_counter()
        size = sum(len(piece) for piece in pieces(place.rooms, asked_dump(place.rooms, asked, key)))
        seconds = time.perf_counter() - started
        print(f"dump {format_}: {size / 1e6:.0f} MB in {seconds:.2f} s = {number / seconds:,.0f} rows/s  (CKAN: {theirs})")


def _pushes(place: Place) -> None:
    """Rows in batches, as scripts push them."""
    fields = [{"id": one.id, "type": one.type} for one in FIELDS] + [{"id": "number", "type": "int8"}]
    made = place.call("datastore_create", ADMIN, resource={"package_id": "sensoren"}, fields=fields, primary_key="number")
    key = str(made).partition('"resource_id":"')[2][:36]
    for method, batch, theirs in (("insert", 5000, "3,674"), ("insert", 250, "3,511"), ("upsert", 5000, "-"), ("upsert", 1, "-")):
        count = 20
        started = time.perf_counter()
        for number in range(count):
            first = number * batch + (0 if method == "upsert" else batch * 1_000_000)
            table = rows(batch, first).set_column(0, "ts", pa.array([datetime.now(UTC).isoformat()] * batch))
            records = table.append_column("number", pa.array(np.arange(first, first + batch))).to_pylist()
            place.call("datastore_upsert", ADMIN, resource_id=key, records=records, method=method)
        seconds = time.perf_counter() - started
        print(
            f"{method} in batches of {batch}: {count * batch / seconds:,.0f} rows/s, {seconds / count * 1000:.0f} ms a call  (CKAN: {theirs})"
        )


if __name__ == "__main__":
    sys.exit(main())
