"""A CSV file to rows that can be queried, beside PostgreSQL COPY of the same file with its index, in one run; and the size at rest.

    python -m tests.benchmarks.bench_bulk [--rows 2000000]

The processor seconds are those of all threads until the rows can be queried: on a busy machine they say more than the rate. Ours is the whole way: read the file, raw log, fdatasync, decode, judge, duplicates, Delta commit, fsync. Theirs is COPY into
a typed table and the index that its queries need. PostgreSQL runs with its default durability.
"""

import argparse
import os
import random
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pyarrow as pa

from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Store
from stadthub_pipelines.once import run_once
from stadthub_schemas.errors import NotFound
from stadthub_schemas.feed import load_feed
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings
from tests.databases import running_postgresql

FEED = """
id = "bulk"
title = "Bulk"
dataset = "bulk"
decoder = "csv_table"
[source]
type = "file"
path = "{path}"
[options]
columns = {{ thing = "thing", observed_property = "property", phenomenon_time = "time", result = "value" }}
[metadata]
title = "Bulk"
description = "Bulk"
license = "cc0-1.0"
publisher = {{ name = "bench", title = "Bench" }}
contact = {{ name = "Bench" }}
themes = ["TECH"]
"""
PROPERTIES = ("air_temperature", "relative_humidity", "pm10", "pm2_5", "sound_level")
THINGS = 100
TABLE = "CREATE TABLE bulk (thing text, property text, time timestamptz, value double precision)"


def main() -> None:
    """Print ours, theirs and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    folder = Path(tempfile.mkdtemp(prefix="stadthub-bulk-"))
    try:
        file = folder / "bulk.csv"
        _write(file, rows)
        os.utime(file, (0, 0))  # a file that was just written is looked at twice, as if it still grew
        ours, our_work, size = _ours(folder, file, rows)
        theirs, their_work, their_size = _theirs(file)
        print(f"{rows:,} rows, {file.stat().st_size / 1e6:.0f} MB of CSV")
        print(f"{'':<28}{'stadthub':>14}{'PostgreSQL':>14}{'ratio':>8}")
        print(f"{'rows/s until queryable':<28}{rows / ours:>14,.0f}{rows / theirs:>14,.0f}{theirs / ours:>8.2f}")
        print(f"{'processor seconds':<28}{our_work:>14.2f}{their_work:>14.2f}{their_work / our_work:>8.2f}")
        print(f"{'bytes per observation':<28}{size / rows:>14.1f}{their_size / rows:>14.1f}{their_size / size:>8.1f}")
    finally:
        shutil.rmtree(folder)


def _write(file: Path, rows: int) -> None:
    """Every thing reports every property at each minute; results walk as sensors' do."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    keys = [(f"sensor-{thing:04}", name) for thing in range(THINGS) for name in PROPERTIES]
    chance = random.Random(1)
    values = [chance.uniform(5, 25) for _ in keys]
    with file.open("w", encoding="utf-8") as out:
        out.write("thing,property,time,value\n")
        for start in range(0, rows, len(keys)):
            minute = start // len(keys)
            moment = (begin + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")
            values = [min(90.0, max(0.0, value + chance.gauss(0, 0.2))) for value in values]
            out.writelines(
                f"{thing},{name},{moment},{values[number]:.1f}\n"
                for number, (thing, name) in enumerate(keys[: min(len(keys), rows - start)])
            )


def _ours(folder: Path, file: Path, rows: int) -> tuple[float, float, int]:
    """Seconds and processor seconds until every row can be queried, and the bytes at rest after compaction."""
    settings = Settings(data_dir=folder / "data", min_free_mb=0)
    settings.feeds.mkdir(parents=True)
    path = settings.feeds / "bulk.toml"
    path.write_text(FEED.format(path=file), "utf-8")
    lake = Lake(Reader(settings.lake, settings.data_dir))
    pa.array([""])  # here pyarrow imports pandas if it is installed, which only tests need
    with ThreadPoolExecutor(1) as pool:
        started, worked = time.perf_counter(), time.process_time()
        run = pool.submit(run_once, load_feed(path), settings)
        while (count := _count(lake)) < rows and not run.done():
            time.sleep(0.03)
        seconds, work = time.perf_counter() - started, time.process_time() - worked
        counts = run.result().intake.counts
    lake.close()
    if not count == counts.stored == rows:
        raise SystemExit(f"{count} of {rows} rows are there: {counts}")
    store = Store(settings.lake, settings.data_dir)
    store.compact("bulk")
    store.vacuum("bulk", timedelta(0))
    store.close()
    size = sum(part.stat().st_size for part in (Path(settings.lake) / "bulk" / "observations").rglob("*.parquet"))
    return seconds, work, size


def _count(lake: Lake) -> int:
    with suppress(NotFound):
        return lake.count(RowsQuery("bulk"))
    return 0


def _theirs(file: Path) -> tuple[float, float, int]:
    """Seconds and processor seconds (of its one process and of the sender) of COPY and index, and the bytes of both."""
    with running_postgresql() as address, psycopg.connect(address, autocommit=True) as connection:
        connection.execute(TABLE)
        started, worked = time.perf_counter(), time.process_time() + _processor_seconds(connection.info.backend_pid)
        with file.open("rb") as source, connection.cursor().copy("COPY bulk FROM STDIN (FORMAT csv, HEADER true)") as copy:
            while chunk := source.read(1 << 20):
                copy.write(chunk)
        connection.execute("CREATE INDEX ON bulk (thing, property, time)")
        seconds = time.perf_counter() - started
        work = time.process_time() + _processor_seconds(connection.info.backend_pid) - worked
        row = connection.execute("SELECT pg_total_relation_size('bulk')").fetchone()
        return seconds, work, int(row[0]) if row else 0


def _processor_seconds(process: int) -> float:
    """How much processor time a process has had."""
    words = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
