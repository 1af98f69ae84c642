"""A lake of many rows: hourly means of a month, counts, the last rows over HTTP and out of the lake, and bytes at rest; beside PostgreSQL
where it is asked for.

    python -m tests.benchmarks.bench_large [--rows 20000000] [--peer] [--seconds 5]

The rows go through `Store.append` and `commit` day by day, as an intake brings them, and are compacted. 10,000 datastreams of 2,000
devices report all month. Each figure is the best of seven after the first one, which stands beside it: it has read the files once.
`wrk` measures HTTP; without it those lines are left out.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import psycopg
import pyarrow as pa

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.hot import KEPT
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Progress, Store
from stadthub_pipelines.memory import keep_memory
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import TIMESERIES_COLUMNS, Extent
from stadthub_schemas.query import AggregateQuery, Comparison, Measure, Metric, Operator, RowsQuery
from stadthub_schemas.rows import OBSERVATIONS_CODED
from stadthub_schemas.settings import Settings
from tests.benchmarks import bench_http
from tests.benchmarks.bench_queries import DATASTREAMS, DAYS, QUESTIONS, START, copy_rows, day_table, entities
from tests.databases import running_postgresql

#: For each question: the first answer, the best, its processor time, in milliseconds.
Figures = dict[str, tuple[float, float, float]]

NAME = bench_http.DATASET.name
PROPERTIES = DATASTREAMS // 2000
HOURLY = AggregateQuery(NAME, (Measure(Metric.AVG, "result"),), bucket="PT1H")


def main() -> None:
    """Build the lake, ask, print, leave nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--peer", action="store_true", help="load PostgreSQL with the same rows and ask it too")
    parser.add_argument("--seconds", type=int, default=5, help="how long wrk asks")
    asked = parser.parse_args()
    each = max(1, asked.rows // DATASTREAMS // DAYS)
    folder = Path(tempfile.mkdtemp(prefix="stadthub-large-"))
    keep_memory()
    try:
        settings = Settings(data_dir=folder / "hub", min_free_mb=0)
        began, worked = time.perf_counter(), time.process_time()
        rows = fill(settings, each)
        seconds, work = time.perf_counter() - began, time.process_time() - worked
        size = sum(part.stat().st_size for part in (Path(settings.lake) / NAME / "observations").glob("*.parquet"))
        print(f"{rows:,} rows, {DATASTREAMS:,} datastreams; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(f"built in {seconds:.0f} s ({work:.0f} s of processor), {size / rows:.2f} bytes per observation")
        ours = answers(questions(settings))
        theirs = peer(each) if asked.peer else {}
        show(ours, theirs)
        if shutil.which("wrk"):
            over_http(folder, settings, asked.seconds)
    finally:
        shutil.rmtree(folder)


def fill(settings: Settings, each: int) -> int:
    """A hub with a month of rows, compacted, and the newest ones of each datastream in its hot store; answers how many."""
    catalog = Catalog(settings.database)
    catalog.migrate()
    store = Store(settings.lake, settings.data_dir)
    store.ensure(bench_http.DATASET)
    rows = 0
    for day in range(DAYS):
        appended = store.append(NAME, "bench", day + 1, incoming(day, each))
        rows += appended.stored
        store.commit(NAME, {"bench": Progress(day + 1, Counts(received=rows, stored=rows))})
        if (DAYS - day - 1) * each < KEPT:
            catalog.remember(NAME, appended.fresh)
    store.compact(NAME)
    store.vacuum(NAME, timedelta(0))
    store.close()
    catalog.publish(bench_http.DATASET, TIMESERIES_COLUMNS, Extent(rows=rows), [], "bench")
    catalog.close()
    return rows


def incoming(day: int, each: int) -> pa.Table:
    """The observations of one day as a judge hands them over: in the order of time, all devices at once."""
    stored = day_table(day, each)
    order = np.arange(stored.num_rows).reshape(DATASTREAMS, each).T.ravel()
    numbers = np.tile(np.arange(DATASTREAMS, dtype=np.int32), each)
    words = {
        "thing": (numbers // PROPERTIES, [f"device-{n:05d}" for n in range(DATASTREAMS // PROPERTIES)]),
        "observed_property": (numbers % PROPERTIES, [f"p{n}" for n in range(PROPERTIES)]),
        "unit": (np.zeros(len(numbers), np.int32), ["1"]),
    }
    columns = []
    for field in OBSERVATIONS_CODED:
        if field.name in words:
            codes, texts = words[field.name]
            columns.append(pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(texts, pa.string())))
        elif field.name in ("phenomenon_time", "result", "received_time"):
            columns.append(stored[field.name].take(pa.array(order)))
        else:
            columns.append(pa.nulls(len(numbers), field.type))
    return pa.table(columns, schema=OBSERVATIONS_CODED)


def questions(settings: Settings) -> dict[str, Callable[[], object]]:
    """What is asked of the lake, under the names of the same questions to PostgreSQL."""
    lake = Lake(Reader(settings.lake, settings.data_dir), seconds=600)  # on a busy machine too
    streams = (f"device-{number * 7 % 2000:05d}:p3" for number in range(10_000))
    return {
        "hourly month": lambda: lake.aggregate(HOURLY),
        "count": lambda: lake.count(RowsQuery(NAME)),
        "filtered count": lambda: lake.count(RowsQuery(NAME, Comparison("result", Operator.GT, (30,)))),
        "last 100 rows of a datastream": lambda: lake.rows(
            RowsQuery(NAME, Comparison("datastream", Operator.EQ, (next(streams),)), limit=100)
        ),
    }


def answers(asked: dict[str, Callable[[], object]]) -> Figures:
    """For each question the milliseconds of the first answer, of the best one after it, and the least processor time."""
    found = {}
    for name, ask in asked.items():
        first, *others = (milliseconds(ask) for _ in range(8))
        found[name] = (first[0], min(one[0] for one in others), min(one[1] for one in others))
    return found


def milliseconds(ask: Callable[[], object]) -> tuple[float, float]:
    """How long one answer takes, and how much processor time."""
    began, worked = time.perf_counter(), time.process_time()
    ask()
    return (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000


def peer(each: int) -> Figures:
    """The same of PostgreSQL, with an index over datastream and time, analysed, its rows in shared buffers as far as they fit."""
    with running_postgresql("shared_buffers=2GB", "max_wal_size=8GB") as address, psycopg.connect(address, autocommit=True) as database:
        database.execute("CREATE UNLOGGED TABLE d (datastream text PRIMARY KEY, thing text, thing_name text, observed_property text,"
            " unit text, sensor text, longitude float8, latitude float8)")  # fmt: skip
        database.execute("CREATE UNLOGGED TABLE o (datastream text, phenomenon_time timestamptz, result float8, result_text text,"
            " quality text, received_time timestamptz, parameters text)")  # fmt: skip
        copy_rows(database, "d", entities())
        for day in range(DAYS):
            copy_rows(database, "o", day_table(day, each))
        database.execute("CREATE INDEX ON o (datastream, phenomenon_time)")
        database.execute("VACUUM ANALYZE")
        names = ("hourly month", "count", "filtered count", "last 100 rows of a datastream")
        return answers({name: lambda sql=QUESTIONS[name]: database.execute(sql).fetchall() for name in names})  # type: ignore[misc]


def show(ours: Figures, theirs: Figures) -> None:
    """One line a question."""
    print(f"{'milliseconds':32}{'first':>10}{'best':>10}{'processor':>11}{'PostgreSQL':>12}{'ratio':>8}")
    for name, (first, best, work) in ours.items():
        beside = f"{theirs[name][1]:12.2f}{theirs[name][1] / best:8.1f}" if name in theirs else ""
        print(f"{name:32}{first:10.2f}{best:10.2f}{work:11.2f}{beside}")


def over_http(folder: Path, settings: Settings, seconds: int) -> None:
    """The last 100 rows of a datastream, out of the hot store and, with a filter that the hot store can't answer, out of the lake."""
    for name, path in paths().items():
        figures = bench_http.ours(folder, settings, list(path), seconds)
        print(f"{name}: {', '.join(f'{key} {value:g}' for key, value in figures.items())}")


def paths() -> dict[str, Iterator[str]]:
    """The addresses that are asked, by what answers them."""
    rows = [f"/api/v1/datasets/{NAME}/rows?datastream=device-{number:05d}:p3&sort=-phenomenon_time&limit=100" for number in range(500)]
    until = httpx.QueryParams({"phenomenon_time__lt": (START + timedelta(days=DAYS)).isoformat()})
    return {"HTTP, hot store": iter(rows), "HTTP, lake": (f"{path}&{until}" for path in rows)}


if __name__ == "__main__":
    main()
