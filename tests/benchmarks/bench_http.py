"""Last 100 rows of a datastream over HTTP: ours and Datasette's on the same rows, in one run.

    python tests/benchmarks/bench_http.py [--things 500] [--hours 400] [--seconds 8]

Prints requests per second, p50, p95, the server's CPU time for each request, and the ratio, as one JSON object. It needs `wrk`;
Datasette is measured if it is installed. Both servers have one process; both answer the same number of rows of the same
datastreams. On a busy machine the CPU time is the figure to trust: a worker can't answer more often than once in it.
"""

import argparse
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa

from stadthub_catalog.catalog import Catalog
from stadthub_lake.store import Progress, Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import TIMESERIES_COLUMNS, Contact, Dataset, Extent, Kind, Metadata, Publisher
from stadthub_schemas.rows import OBSERVATIONS_IN
from stadthub_schemas.settings import Settings

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DATASET = Dataset(
    name="bench",
    kind=Kind.TIMESERIES,
    metadata=Metadata(
        title="Messung",
        description="Gemessene Geschwindigkeit",
        license="cc0-1.0",
        publisher=Publisher(name="bench", title="Bench"),
        contact=Contact(name="Bench"),
        themes=("ENVI",),
    ),
)


def observations(things: int, hours: int) -> pa.Table:
    """Hourly observations of each thing."""
    times = np.datetime64(BEGIN.replace(tzinfo=None), "us") + np.arange(hours) * np.timedelta64(1, "h")
    count = things * hours
    thing = np.repeat([f"thing-{number:05d}" for number in range(things)], hours)
    values: dict[str, Any] = {
        "thing": thing,
        "observed_property": np.full(count, "air_temperature"),
        "phenomenon_time": pa.array(np.tile(times, things), pa.timestamp("us", tz="UTC")),
        "result": np.round(np.random.default_rng(1).normal(12, 8, count), 2),
        "unit": np.full(count, "Cel"),
        "thing_name": thing,
        "longitude": np.full(count, 7.6),
        "latitude": np.full(count, 51.9),
        "received_time": pa.array(np.tile(times, things), pa.timestamp("us", tz="UTC")),
    }
    return pa.table({name: pa.array(values[name]) if name in values else pa.nulls(count, kind.type) for name, kind in _fields()}).cast(
        OBSERVATIONS_IN
    )


def _fields() -> Iterator[tuple[str, pa.Field]]:
    return ((field.name, field) for field in OBSERVATIONS_IN)


def fill(folder: Path, table: pa.Table) -> Settings:
    """A hub with these rows."""
    settings = Settings(data_dir=folder)
    catalog = Catalog(settings.database)
    catalog.migrate()
    store = Store(settings.lake, settings.data_dir)
    store.ensure(DATASET)
    appended = store.append(DATASET.name, "bench", 1, table)
    store.commit(DATASET.name, {"bench": Progress(1, Counts(received=table.num_rows, stored=appended.stored))})
    catalog.remember(DATASET.name, appended.fresh)
    catalog.publish(DATASET, TIMESERIES_COLUMNS, Extent(rows=table.num_rows), [], "bench")
    catalog.close()
    return settings


def fill_sqlite(file: Path, table: pa.Table) -> None:
    """The same rows in SQLite with the index that Datasette needs for the same question."""
    names = [column.name for column in TIMESERIES_COLUMNS]
    with sqlite3.connect(file) as connection:
        connection.execute(f"CREATE TABLE rows ({', '.join(names)})")
        rows = (
            (
                row["phenomenon_time"].isoformat(),
                f"{row['thing']}:{row['observed_property']}",
                *(row[name] for name in names[2:11]),
                row["received_time"].isoformat(),
                None,
            )
            for batch in table.to_batches(50_000)
            for row in batch.to_pylist()
        )
        connection.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(names))})", rows)
        connection.execute("CREATE INDEX by_datastream ON rows (datastream, phenomenon_time)")
    connection.close()


@contextmanager
def running(command: list[str], port: int, environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """The address and the process of a server that runs until the block ends."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    try:
        while True:
            try:
                httpx.get(address, timeout=60)
                break
            except httpx.TransportError:
                assert process.poll() is None, f"{command[:4]} ended"
                assert time.monotonic() < deadline, f"{command[:4]} did not start"
                time.sleep(0.05)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(20)


def cpu_seconds(process: int) -> float:
    """How much CPU time the process has had."""
    words = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def measured(server: tuple[str, int], paths: list[str], seconds: int, folder: Path) -> dict[str, float]:
    """Requests per second and latencies over these paths in turn, by wrk with 16 connections."""
    address, process = server
    for path in paths[:3]:
        answer = httpx.get(address + path)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["rows"]) == 100
    script = folder / "paths.lua"
    script.write_text(
        "local paths = {" + ",".join(json.dumps(path) for path in paths) + "}\nlocal n = 0\n"
        "request = function() n = n % #paths + 1; return wrk.format('GET', paths[n]) end\n"
        "done = function(s, l, r) io.write(string.format('\\n%f %f %d\\n', l:percentile(50)/1000, l:percentile(95)/1000, s.errors.status)) end\n",
        "utf-8",
    )
    before = cpu_seconds(process)
    told = subprocess.run(
        ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", str(script), address], capture_output=True, text=True, check=True
    ).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    spent = cpu_seconds(process) - before
    answered = int(re.search(r"(\d+) requests in", told)[1])  # type: ignore[index]  # wrk always says so
    p50, p95, failed = told.split()[-3:]
    assert rate is not None
    assert failed == "0", told
    return {
        "requests_per_second": float(rate[1]),
        "p50_ms": float(p50),
        "p95_ms": float(p95),
        "cpu_ms_per_request": round(spent / answered * 1000, 3),
    }


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ours(folder: Path, settings: Settings, paths: list[str], seconds: int) -> dict[str, float]:
    """One uvicorn worker of the hub."""
    port = free_port()
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(sys.path),
        "STADTHUB_DATA_DIR": str(settings.data_dir),
        "STADTHUB_LOG_FORMAT": "json",
    }
    app = "stadthub_api.serving:serve_from_environment"
    command = [sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port), "--no-access-log", "--no-server-header"]
    with running(command, port, environment) as server:
        return measured(server, paths, seconds, folder)


def datasettes(folder: Path, table: pa.Table, paths: list[str], seconds: int) -> dict[str, float]:
    """One Datasette process on the same rows in SQLite, files opened as immutable."""
    file = folder / "bench.sqlite"
    fill_sqlite(file, table)
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "datasette", "serve", "-i", str(file), "--port", str(port)]
    with running(command, port, {"PATH": "/usr/bin:/bin", "HOME": str(folder)}) as server:
        return measured(server, paths, seconds, folder)


def main() -> int:
    """Measure both and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--things", type=int, default=500)
    parser.add_argument("--hours", type=int, default=400)
    parser.add_argument("--seconds", type=int, default=8)
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is missing: apt-get install wrk")
        return 1
    table = observations(asked.things, asked.hours)
    names = [f"thing-{number:05d}:air_temperature" for number in range(asked.things)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        settings = fill(folder / "hub", table)
        rows = [f"/api/v1/datasets/bench/rows?datastream={name}&sort=-phenomenon_time&limit=100" for name in names]
        general = [path + "&columns=" + ",".join(column.name for column in TIMESERIES_COLUMNS) for path in rows]
        figures: dict[str, Any] = {
            "rows": table.num_rows,
            "until": (BEGIN + timedelta(hours=asked.hours)).isoformat(),
            "stadthub": ours(folder, settings, rows, asked.seconds),
            "stadthub_through_the_lake": ours(folder, settings, general, asked.seconds),
        }
        peer = [
            f"/bench/rows.json?datastream__exact={name}&_sort_desc=phenomenon_time&_size=100&_shape=objects&_nocount=1&_nofacet=1"
            for name in names
        ]
        try:
            figures["datasette"] = datasettes(folder, table, peer, asked.seconds)
            figures["ratio"] = round(figures["stadthub"]["requests_per_second"] / figures["datasette"]["requests_per_second"], 1)
        except AssertionError as error:
            figures["datasette"] = f"not measured: {error}"
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
