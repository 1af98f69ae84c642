"""MQTT QoS 1 to the lake, durable before it is acknowledged, beside mosquitto_sub on the same broker in the same run.

    python tests/benchmarks/bench_ingest.py [--messages 200000] [--rounds 3]

Each round publishes the same messages twice: once mosquitto_sub takes them and throws them away, once a Stadthub worker
logs, syncs, acknowledges, decodes, judges and commits them. The publisher runs at the same time, so both share two cores with it.
Beside the rates stands what a message costs in processor time (µs): that holds on a machine that has other work, too.
"""

import argparse
import os
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_schemas.errors import NotFound, StorageError
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings
from tests.servers import wait_until

BROKER = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 2000\nmax_packet_size 100000\n"
FEED = """
id = "bench"
title = "Bench"
dataset = "bench"
decoder = "json_table"
[source]
type = "mqtt"
host = "127.0.0.1"
port = {port}
topics = ["bench/#"]
in_flight = 2000
[options]
columns = {{ thing = "thing", observed_property = "property", phenomenon_time = "time", result = "value" }}
[metadata]
title = "Bench"
description = "Bench"
license = "cc0-1.0"
publisher = {{ name = "bench", title = "Bench" }}
contact = {{ name = "Bench" }}
themes = ["TECH"]
"""
THINGS = 2000


def main() -> None:
    """Run the rounds and print ours, theirs and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'round':>5} {'mosquitto_sub /s':>18} {'stadthub /s':>14} {'ratio':>7} {'their µs':>9} {'our µs':>7} {'publisher µs':>13}")
    for number in range(1, arguments.rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            theirs, their_cost, _ = _theirs(Path(folder), arguments.messages)
        with tempfile.TemporaryDirectory() as folder:
            ours, our_cost, publisher = _ours(Path(folder), arguments.messages)
        costs = f"{their_cost:>9.1f} {our_cost:>7.1f} {publisher:>13.1f}"
        print(f"{number:>5} {theirs:>18,.0f} {ours:>14,.0f} {ours / theirs:>7.2f} {costs}", flush=True)


def _theirs(folder: Path, messages: int) -> tuple[float, float, float]:
    """The rate at which mosquitto_sub takes the messages while they are published, and what one costs it and the publisher."""
    port, broker = _broker(folder)
    client = subprocess.Popen(
        ["mosquitto_sub", "-p", str(port), "-q", "1", "-t", "bench/#", "-c", "-i", "bench", "-C", str(messages)],
        stdout=subprocess.DEVNULL,
    )
    try:
        time.sleep(1)
        started, used = time.perf_counter(), time.process_time()
        _publish(port, messages)
        published = time.process_time() - used
        before = _ended_cost()
        client.wait()
        seconds = time.perf_counter() - started
        return messages / seconds, (_ended_cost() - before) / messages * 1e6, published / messages * 1e6
    finally:
        broker.terminate()
        broker.wait()


def _ours(folder: Path, messages: int) -> tuple[float, float, float]:
    """The rate from the first publish until the last message is a row that can be queried, and what one costs us and the publisher."""
    port, broker = _broker(folder)
    settings = Settings(data_dir=folder, min_free_mb=0)
    settings.feeds.mkdir()
    (settings.feeds / "bench.toml").write_text(FEED.format(port=port), "utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STADTHUB_")}
    environment |= {"STADTHUB_DATA_DIR": str(folder), "STADTHUB_MIN_FREE_MB": "0", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    log = (folder / "worker.log").open("wb")
    worker = subprocess.Popen([sys.executable, "-m", "stadthub_pipelines"], env=environment, stdout=log, stderr=log)
    lake = Lake(Reader(settings.lake, settings.data_dir))
    try:
        wait_until(lambda: _is_connected(settings), "the worker is connected", seconds=120)
        before = _cost(worker.pid)
        started, used = time.perf_counter(), time.process_time()
        _publish(port, messages)
        published, used = time.perf_counter(), time.process_time() - used
        while _count(lake) < messages:
            if time.perf_counter() - published > 120:
                raise SystemExit(f"only {_count(lake)} of {messages} arrived:\n{(folder / 'worker.log').read_text()[-2000:]}")
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        return messages / seconds, (_cost(worker.pid) - before) / messages * 1e6, used / messages * 1e6
    finally:
        lake.close()
        worker.terminate()
        worker.wait()
        log.close()
        broker.terminate()
        broker.wait()


def _is_connected(settings: Settings) -> bool:
    """Whether the worker has noted that the broker answers it."""
    catalog = Catalog(settings.database)
    try:
        return any(state.connected for state in catalog.feeds())
    except StorageError:
        return False
    finally:
        catalog.close()


def _cost(process: int) -> float:
    """Seconds of processor time that a process and its children have used."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _ended_cost() -> float:
    """Seconds of processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _count(lake: Lake) -> int:
    try:
        return lake.count(RowsQuery("bench"))
    except NotFound:
        return 0


def _broker(folder: Path) -> tuple[int, subprocess.Popen[bytes]]:
    """A mosquitto of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    configuration = folder / "mosquitto.conf"
    configuration.write_text(BROKER.format(port=port))
    program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        raise SystemExit("mosquitto is not installed: apt-get install mosquitto mosquitto-clients")
    broker = subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    return port, broker


def _publish(port: int, messages: int) -> None:
    """Publish with QoS 1 over a bare socket, so that the publisher costs as little as it can; return when all are acknowledged."""
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(b"\x10\x16\x00\x04MQTT\x04\x02\x00\x3c\x00\x0apublisher1")
    link.recv(4)
    window, acknowledged, sent = 1500, 0, 0
    link.setblocking(True)
    while acknowledged < messages:
        burst = []
        while sent < messages and sent - acknowledged < window:
            burst.append(_packet(sent))
            sent += 1
        if burst:
            link.sendall(b"".join(burst))
        acknowledged += len(link.recv(65536)) // 4
    link.close()


def _packet(number: int) -> bytes:
    """A PUBLISH packet with QoS 1 (MQTT 3.1.1 section 3.3)."""
    thing = f"device-{number % THINGS:05}"
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_700_000_000 + number // THINGS * 60))
    body = f'{{"thing":"{thing}","property":"air_temperature","time":"{moment}","value":{number % 400 / 10}}}'.encode()
    topic = f"bench/{thing}".encode()
    rest = struct.pack(">H", len(topic)) + topic + struct.pack(">H", number % 65000 + 1) + body
    length, size = b"", len(rest)
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return b"\x32" + length + rest


if __name__ == "__main__":
    main()
