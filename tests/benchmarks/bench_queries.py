"""Our answers against PostgreSQL 15 with the same rows: `python tests/benchmarks/bench_queries.py --rows 2000000`.

A month of 10,000 datastreams in the same two tables, observations (all columns) and datastreams. PostgreSQL has an index over (datastream,
phenomenon_time), was analysed and holds everything in shared buffers; ours lies in Parquet files of a million rows or more, as compaction
leaves them. The answers have the same columns and rows (ours as Arrow through `Lake`), both are warm, and each figure is the best of
seven, in one run.
"""

import argparse
import io
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
from pyarrow import csv

from stadthub_lake.compaction import SMALL_ROWS
from stadthub_lake.lake import Lake
from stadthub_lake.layout import ENTITIES, write_observations
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import TIMESERIES_COLUMNS, Kind
from stadthub_schemas.query import AggregateQuery, And, Comparison, Measure, Metric, Operator, RowsQuery

START = datetime(2026, 10, 1, tzinfo=UTC)
DAYS, DATASTREAMS = 30, 10_000
ONE = "device-00777:p3"
BINARIES = Path("/usr/lib/postgresql/15/bin")

WIDE = (
    "SELECT o.phenomenon_time, o.datastream, d.thing, d.thing_name, d.observed_property, o.result, o.result_text, d.unit, o.quality,"
    " d.longitude, d.latitude, o.received_time, o.parameters FROM o JOIN d USING (datastream)"
)
DAY = " o.phenomenon_time >= '2026-10-03Z' AND o.phenomenon_time < '2026-10-04Z'"

QUESTIONS: dict[str, str] = {
    "hourly month": "SELECT date_trunc('hour', phenomenon_time) AS hour, avg(result) FROM o GROUP BY 1 ORDER BY 1",
    "count": "SELECT count(*) FROM o",
    "filtered count": "SELECT count(*) FROM o WHERE result > 30",
    "last 100 rows of a datastream": f"{WIDE} WHERE o.datastream = '{ONE}' ORDER BY o.phenomenon_time DESC LIMIT 100",
    "device-day": f"{WIDE} WHERE d.thing = 'device-00777' AND {DAY}",
    "things": "SELECT thing, max(thing_name), max(longitude), max(latitude), array_agg(DISTINCT observed_property) FROM d GROUP BY 1 ORDER BY 1",
    "extent": "SELECT count(*), min(phenomenon_time), max(phenomenon_time) FROM o",
    "series of a datastream": f"SELECT date_trunc('hour', phenomenon_time), min(result), avg(result), max(result), count(result) FROM o"
    f" WHERE datastream = '{ONE}' GROUP BY 1 ORDER BY 1",
}


class OneSnapshot:
    """Hands out the one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def snapshot(self, dataset: str, as_of: datetime | None = None) -> Snapshot:
        """The snapshot."""
        return self._snapshot


def day_table(day: int, each: int) -> pa.Table:
    """The observations of one day, sorted by datastream and time."""
    numbers = np.repeat(np.arange(DATASTREAMS), each)
    names = pa.array([f"device-{n // 5:05d}:p{n % 5}" for n in range(DATASTREAMS)])
    since = np.datetime64((START + timedelta(days=day)).replace(tzinfo=None), "us")
    times = since + np.tile(np.arange(each) * (86_400_000_000 // each), DATASTREAMS).astype("timedelta64[us]")
    results = np.round(np.random.default_rng(day).normal(20, 5, len(numbers)), 1)
    nothing = pa.nulls(len(numbers), pa.string())
    kind = pa.timestamp("us", tz="UTC")
    columns = {
        "datastream": pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32()), names).cast(pa.string()),
        "phenomenon_time": pa.array(times).cast(kind),
        "result": pa.array(results),
        "result_text": nothing,
        "quality": nothing,
        "received_time": pa.array(times + np.timedelta64(1500, "ms")).cast(kind),
        "parameters": nothing,
    }
    return pa.table(columns)


def entities() -> pa.Table:
    """The words of the datastreams."""
    rows = [
        {"datastream": f"device-{n // 5:05d}:p{n % 5}", "thing": f"device-{n // 5:05d}", "observed_property": f"p{n % 5}", "unit": "1"}
        for n in range(DATASTREAMS)
    ]
    return pa.Table.from_pylist(rows, ENTITIES)


def fill(folder: Path, rows: int, database: psycopg.Connection) -> Snapshot:
    """The same rows into Parquet files and into PostgreSQL."""
    each = max(1, rows // DATASTREAMS // DAYS)
    database.execute("CREATE UNLOGGED TABLE d (datastream text PRIMARY KEY, thing text, thing_name text, observed_property text, unit text,"
        " sensor text, longitude float8, latitude float8)")  # fmt: skip
    copy_rows(database, "d", entities())
    database.execute("CREATE UNLOGGED TABLE o (datastream text, phenomenon_time timestamptz, result float8, result_text text, quality text,"
        " received_time timestamptz, parameters text)")  # fmt: skip
    files, ranges, total, held, first = [], [], 0, [], 0
    for day in range(DAYS):
        held.append(day_table(day, each))
        copy_rows(database, "o", held[-1])
        if sum(table.num_rows for table in held) >= SMALL_ROWS or day == DAYS - 1:
            path = folder / f"{day:02d}.parquet"
            write_observations(pa.concat_tables(held).sort_by([("datastream", "ascending"), ("phenomenon_time", "ascending")]), path)
            files.append(str(path))
            ranges.append((START + timedelta(days=first), START + timedelta(days=day + 1)))
            total, first, held = total + sum(table.num_rows for table in held), day + 1, []
    database.execute("CREATE INDEX ON o (datastream, phenomenon_time)")
    database.execute("VACUUM ANALYZE")
    return Snapshot("big", Kind.TIMESERIES, 1, START, tuple(files), None, entities(), TIMESERIES_COLUMNS, total, tuple(ranges))


def copy_rows(database: psycopg.Connection, table: str, rows: pa.Table) -> None:
    """All rows into a table of PostgreSQL."""
    text = io.BytesIO()
    csv.write_csv(rows, text, csv.WriteOptions(include_header=False))
    with database.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy:
        copy.write(text.getvalue())


def best(ask: Callable[[], object]) -> float:
    """The shortest of seven in milliseconds."""
    found = []
    for _ in range(7):
        began = time.perf_counter()
        ask()
        found.append(time.perf_counter() - began)
    return min(found) * 1000


def ours(lake: Lake) -> dict[str, Callable[[], object]]:
    """The same questions put to the lake."""
    one = Comparison("datastream", Operator.EQ, (ONE,))
    day = (
        Comparison("thing", Operator.EQ, ("device-00777",)),
        Comparison("phenomenon_time", Operator.GE, ("2026-10-03",)),
        Comparison("phenomenon_time", Operator.LT, ("2026-10-04",)),
    )
    return {
        "hourly month": lambda: lake.aggregate(AggregateQuery("big", (Measure(Metric.AVG, "result"),), bucket="PT1H")),
        "count": lambda: lake.count(RowsQuery("big")),
        "filtered count": lambda: lake.count(RowsQuery("big", Comparison("result", Operator.GT, (30,)))),
        "last 100 rows of a datastream": lambda: lake.rows(RowsQuery("big", one, limit=100)),
        "device-day": lambda: lake.rows(RowsQuery("big", And(day), limit=None)),
        "things": lambda: lake.things("big"),
        "extent": lambda: lake.extent("big"),
        "series of a datastream": lambda: lake.series("big", [ONE]),
    }


def main() -> None:
    """Start a PostgreSQL for this run, fill both, print a table, leave nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    if not BINARIES.is_dir():
        raise SystemExit("PostgreSQL 15 is missing: apt-get install postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="stadthub-bench-"))
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    data = folder / "pg"
    data.mkdir()
    folder.chmod(0o755)
    if as_postgres:
        shutil.chown(data, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(
        [*as_postgres, BINARIES / "initdb", "-D", data, "-A", "trust", "-U", "postgres"], check=True, capture_output=True, cwd="/"
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c shared_buffers=2GB"
    subprocess.run(
        [*as_postgres, BINARIES / "pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start"],
        check=True,
        cwd="/",
        capture_output=True,
    )
    try:
        with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres", autocommit=True) as database:
            compare(Lake(OneSnapshot(fill(folder, rows, database))), database)
    finally:
        subprocess.run([*as_postgres, BINARIES / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=True, cwd="/", capture_output=True)
        shutil.rmtree(folder)


def compare(lake: Lake, database: psycopg.Connection) -> None:
    """One line a question: ours, PostgreSQL's, the ratio."""
    print(f"{lake.count(RowsQuery('big')):,} rows; load {os.getloadavg()[0]:.1f}")
    print(f"{'question':32}{'ours ms':>10}{'pg ms':>10}{'pg/ours':>9}")
    questions = ours(lake)
    for name, sql in QUESTIONS.items():
        mine = best(questions[name])
        peer = best(lambda sql=sql: database.execute(sql).fetchall())  # type: ignore[misc]  # mypy can't see the default
        print(f"{name:32}{mine:10.2f}{peer:10.2f}{peer / mine:9.1f}")
    lake.close()


if __name__ == "__main__":
    main()
