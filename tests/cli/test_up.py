"""`stadthub up` and `demo` as processes: they start, answer, survive a dead worker, and stop cleanly."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.cli.conftest import Command
from tests.cli.running import ask, free_port, start, until

from stadthub_pipelines.running import HUB, WORKER, holder


@contextmanager
def running(*arguments: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A hub on a free port, and its address; it is killed at the end if it still runs."""
    port = free_port()
    process = start(*arguments, "--port", str(port), folder=folder)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def worker_process(data_dir: Path) -> int:
    """The number of the worker's process; 0 if none runs."""
    words = holder(data_dir, WORKER)
    return int(words.rpartition(" ")[2]) if words and words.rpartition(" ")[2].isdigit() else 0


def test_a_hub_takes_data_in_answers_refuses_a_second_one_and_stops_on_ctrl_c(stadthub: Command, city: Path) -> None:
    data = city / "data"
    with running("up", folder=city) as (process, address):
        rows = until(lambda: (ask(f"{address}/api/v1/datasets/bicycle-counts/rows") or {}).get("rows"), process)
        assert len(rows) == 3
        second = stadthub("up", "--port", str(free_port()))
        assert second.exit_code == 1
        assert "a hub runs on" in second.stderr
        assert stadthub("feed", "run", "example").exit_code == 0
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 0, said
        assert "Traceback" not in said
        assert said.rstrip().endswith("Stopped. All that was acknowledged is kept.")
    assert holder(data, HUB) is None
    assert holder(data, WORKER) is None


def test_an_import_into_a_running_hub_tells_the_sums_of_the_run_that_loaded_the_file(stadthub: Command, city: Path) -> None:
    (city / "gaerten.csv").write_text("Nummer;Anlage\n1;Sonnental\n2;Am Kanal\n")
    words = ("description=x", "contact.name=x", "release.by=x", "release.date=2026-01-01", "release.legal_basis=x")
    with running("up", folder=city) as (process, address):
        until(lambda: worker_process(city / "data") and ask(f"{address}/api/v1/datasets"), process)
        told = [f"--set=metadata.{one}" for one in words]
        done = stadthub(
            "dataset", "import", "gaerten.csv", "--title=Gärten", "--license=dl-de-by-2.0", "--organization=Amt", "--yes", *told
        )
    assert done.exit_code == 0, done.stderr
    assert "2 received, 2 stored, 0 duplicate" in done.stdout + done.stderr


def test_commands_beside_a_hub_name_the_address_where_it_runs(stadthub: Command, city: Path) -> None:
    def told() -> str:
        return str(json.loads(stadthub("status", "--json").stdout)["url"])

    stale = "a hub runs on data at http://127.0.0.1:1, process 1\n" + json.dumps({"host": "127.0.0.1", "port": 1, "site_url": None}) + "\n"
    (city / "data").mkdir(exist_ok=True)
    (city / "data" / HUB).write_text(stale, "utf-8")
    assert told() == "http://127.0.0.1:8000", "nobody holds what a hub left that was killed"
    with running("up", folder=city) as (process, address):
        until(lambda: ask(f"{address}/api/v1/datasets"), process)
        assert told() == address
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    assert told() == "http://127.0.0.1:8000"


def test_a_dead_worker_is_started_again_and_the_api_goes_on(city: Path) -> None:
    data = city / "data"
    with running("up", folder=city) as (process, address):
        first = until(lambda: worker_process(data), process)
        until(lambda: ask(f"{address}/api/v1/datasets"), process)
        os.kill(first, signal.SIGKILL)
        until(lambda: worker_process(data) not in (0, first), process)
        assert ask(f"{address}/api/v1/datasets") is not None
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 0, said


def test_the_worker_ends_with_a_killed_parent(city: Path) -> None:
    data = city / "data"
    with running("up", folder=city) as (process, _):
        until(lambda: worker_process(data), process)
        process.kill()
        process.communicate(timeout=30)
    with running("up", folder=city) as (process, address):
        until(lambda: ask(f"{address}/api/v1/datasets"), process)
        until(lambda: worker_process(data), process)


def test_a_taken_port_is_a_sentence(stadthub: Command, city: Path) -> None:
    with running("up", folder=city) as (process, address):
        until(lambda: ask(f"{address}/api/v1/datasets"), process)
        done = stadthub("up", "--data-dir", str(city / "other"), "--port", address.rpartition(":")[2])
        assert done.exit_code == 1
        assert "choose another with --port or STADTHUB_PORT" in done.stderr


@pytest.mark.timeout(400)
def test_the_demo_city_brings_live_values_and_a_second_start_keeps_them(tmp_path: Path) -> None:
    latest = "/api/v1/datasets/luftqualitaet/latest"
    counts = []
    for _ in range(2):
        with running("demo", folder=tmp_path) as (process, address):
            assert until(partial(ask, address + latest), process)
            found = until(partial(ask, f"{address}/api/v1/datasets/rad-und-fussverkehr"), process)
            counts.append(found["extent"]["rows"] if "extent" in found else 0)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=40)
            assert process.returncode == 0, said
    assert (tmp_path / "stadthub-data" / "demo" / "feeds").is_dir()
    assert counts[1] >= counts[0]
