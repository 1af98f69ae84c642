"""The catalogue over HTTP, for `bench_catalogue`: one process of the hub, asked by one client over one connection, over the loopback."""

import http.client
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from stadthub_catalog import Catalog
from stadthub_schemas.access import Role
from stadthub_schemas.settings import Settings
from tests.benchmarks.bench_http import cpu_seconds, free_port, running

#: What CKAN 2.12.0 needed in this process without HTTP, for the same.
CKANS = {
    "package_search, 5 facets": "about 1000 ms for 1000 rows",
    "package_show": "10.6-26 ms",
    "package_create": "10-18/s",
    "page": "395-750 ms",
    "dataset": "43-206 ms",
}

Ask = Callable[[int], Any]


class Client:
    """One connection that stays open."""

    def __init__(self, address: str, token: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=600)
        self._headers = {"Authorization": token, "Content-Type": "application/json"}

    def get(self, path: str) -> bytes:
        """What stands there, for everybody."""
        return self._answer("GET", path, None, {})

    def post(self, path: str, said: Any) -> bytes:
        """What the administrator is answered."""
        return self._answer("POST", path, json.dumps(said).encode(), self._headers)

    def _answer(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        told = answer.read()
        assert answer.status == 200, (path, answer.status, told[:500])
        return told


def measure(
    folder: Path, names: Sequence[str], searches: Sequence[dict[str, str]], packages: Sequence[dict[str, Any]], rounds: int
) -> None:
    """Start a hub on this folder and print the figures; `packages` are made."""
    settings = Settings(data_dir=folder)
    catalog = Catalog(settings.database)
    token = catalog.create_token("bench", Role.ADMIN)
    catalog.close()
    port = free_port()
    app = "stadthub_api.serving:serve_from_environment"
    command = [sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port), "--no-access-log", "--no-server-header"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(sys.path),
        "STADTHUB_DATA_DIR": str(folder),
        "STADTHUB_LOG_FORMAT": "json",
    }
    started = time.perf_counter()
    with running(command, port, environment) as (address, process):
        client = Client(address, token)
        client.get("/api/3/action/package_search?rows=0")
        print(f"from the start of the process to the first search: {time.perf_counter() - started:.1f} s", end="")
        client.get("/catalog.ttl?page=11")
        print(f", to the first page for harvesters: {time.perf_counter() - started:.1f} s", end="")
        _rest(process)
        client = Client(address, token)  # the hub has closed the idle one
        print(f", until all is written for harvesters: {time.perf_counter() - started:.1f} s")
        print(f"{'over HTTP':28} {'p50 ms':>8} {'p95 ms':>8} {'processor':>9} {'':>8}   CKAN 2.12.0 without HTTP")
        paths = [f"/api/3/action/package_search?{urlencode(one)}" for one in searches]
        _print("package_search, 5 facets", lambda number: client.get(paths[number % len(paths)]), rounds, process)
        _print("package_show", lambda number: client.get(f"/api/3/action/package_show?id={names[number % len(names)]}"), rounds, process)
        for ending in ("ttl", "rdf", "jsonld"):
            _print(f"page, 100 as {ending}, first", partial(_page, client, ending), 10, process)
            _print(f"page, 100 as {ending}", partial(_page, client, ending), 50, process)
        _print("dataset as ttl", lambda number: client.get(f"/dataset/{names[-number - 1]}.ttl"), 50, process)
        _create(client, packages, process)


def _page(client: Client, ending: str, number: int) -> bytes:
    """One of the first ten pages of the catalogue."""
    return client.get(f"/catalog.{ending}?page={number % 10 + 1}")


def _rest(process: int) -> None:
    """Wait until the hub has nothing to do."""
    spent = cpu_seconds(process)
    while True:
        time.sleep(2)
        if cpu_seconds(process) - spent < 0.1:
            return
        spent = cpu_seconds(process)


def _create(client: Client, packages: Sequence[dict[str, Any]], process: int) -> None:
    """Make them, one call after the other, as `ckanapi load` does."""
    started, spent = time.perf_counter(), cpu_seconds(process)
    for one in packages:
        client.post("/api/3/action/package_create", one)
    seconds = time.perf_counter() - started
    each = (cpu_seconds(process) - spent) * 1000 / len(packages)
    told = f"{len(packages)} in {seconds:.1f} s = {len(packages) / seconds:.0f}/s ({each:.2f} ms of the processor each)"
    print(f"package_create, one by one: {told}   CKAN {CKANS['package_create']}", flush=True)


def _print(name: str, ask: Ask, rounds: int, process: int) -> None:
    times, spent = [], cpu_seconds(process)
    for number in range(rounds):
        started = time.perf_counter()
        ask(number)
        times.append((time.perf_counter() - started) * 1000)
    each = (cpu_seconds(process) - spent) * 1000 / rounds
    times.sort()
    theirs = next((told for key, told in CKANS.items() if name.startswith(key)), "")
    print(f"{name:28} {times[rounds // 2]:>8.2f} {times[int(rounds * 0.95)]:>8.2f} {each:>9.2f} {'':>8}   {theirs}", flush=True)
