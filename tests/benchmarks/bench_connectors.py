"""How fast every connector decodes and judges: rows and megabytes a second, microseconds a message, and how much memory that takes.

    python -m tests.benchmarks.bench_connectors [NAME]…

Each decoder of the registry is measured with its golden folders (tests/connectors), bad rows and all, and some with larger messages
made here: message after message, and, where it has a column path, also as one payload of some megabytes. Processor time, best of several
runs; the memory is what a process of its own takes more at its peak than before.
"""

import argparse
import base64
import json
import multiprocessing
import platform
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stadthub_ingest import registry
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload
from stadthub_ingest.reducing import reducer, storable
from stadthub_schemas.feed import Feed, load_feed
from tests.ingest.feeds import feed
from tests.ingest.test_connectors import CASES, KEY

BEST_OF = 3
#: So many messages, and at most so many bytes, are judged in one go.
MESSAGES, MESSAGE_BYTES, BULK_BYTES = 1000, 2_000_000, 1_500_000
#: Decoders that are slower than this many rows a second are marked.
SLOW = 20_000
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
RAW = base64.b64encode(bytes.fromhex("02035a0003800a8000800080008009812b8014810880b4a57c820c810980027fe88056800880040bf5")).decode()
SOIL = base64.b64encode(bytes.fromhex("0CE50000055E052D002310")).decode()
IDS = {"device_id": "a", "dev_eui": "70B3D57ED0000001"}
DECODED = {"temperature": 21.5, "humidity": 50.5, "pressure": 1003.2, "co2": 512}
OBJECT = {"BatV": 3.301, "temp_SOIL": "13.25", "water_SOIL": 13.74, "conduct_SOIL": 35.0}


def uplink(**message: Any) -> dict[str, Any]:
    """A message of The Things Stack."""
    return {"end_device_ids": IDS, "uplink_message": {"f_port": 2, "f_cnt": 1, "received_at": "2026-11-21T10:00:00Z", **message}}


def cases() -> dict[str, tuple[str, dict[str, Any], Any]]:
    """For each connector: its decoder, its options, a payload."""
    checked = {"time": "2026-11-21T10:00:00Z", "deviceInfo": {"devEui": "a"}, "fPort": 2, "data": SOIL, "object": OBJECT}
    pack = [{"bn": "urn:dev:mac:1:", "bt": 1_793_620_800, "n": "temperature", "u": "Cel", "v": 20.5}]
    pack += [{"n": "temperature", "u": "Cel", "v": 20.5, "t": second} for second in range(99)]
    values = [{"value_type": name, "value": "12.4"} for name in ("P1", "P2")]
    place = {"latitude": "50.93", "longitude": "11.59", "indoor": 0}
    sensors = [
        {"timestamp": "2026-11-21 11:58:03", "location": place, "sensor": {"id": number}, "sensordatavalues": values}
        for number in range(50)
    ]
    stream = {"@iot.id": 1, "unitOfMeasurement": {"symbol": "°C"}, "ObservedProperty": {"name": "air_temperature"}, "Thing": {"@iot.id": 2}}
    seen = [{"phenomenonTime": f"2026-11-20T10:{minute:02}:00Z", "result": 9.5} for minute in range(60)]
    quality = {
        name: {"type": "Property", "value": 20, "unitCode": "GQ", "observedAt": "2026-11-21T10:00:00Z"} for name in ("NO2", "O3", "PM10")
    }
    entity = {"id": "urn:ngsi-ld:AirQualityObserved:1", "type": "AirQualityObserved", **quality}
    return {
        "ttn, decoded": ("ttn", {}, uplink(decoded_payload=DECODED)),
        "ttn, bytes (18 values)": ("ttn", {"codec": "decentlab-dl-atm41"}, uplink(frm_payload=RAW)),
        "chirpstack, checked": ("chirpstack", {"codec": "dragino-lse01", "check": True}, checked),
        "senml, 100 records": ("senml", {}, pack),
        "sensor_community, 50 sensors": ("sensor_community", {}, sensors),
        "sensorthings, 60 observations": ("sensorthings", {}, {"value": [{**stream, "Observations": seen}]}),
        "ngsi_ld, 3 attributes": ("ngsi_ld", {}, {"type": "Notification", "data": [entity]}),
    }


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table: a feed, and the payloads that it judges."""

    name: str
    feed: Feed
    payloads: list[Payload]


@dataclass(frozen=True, slots=True)
class Rate:
    """What was measured: rows, bytes and messages of one run, its shortest processor time, and how much memory it took."""

    rows: int
    size: int
    messages: int
    seconds: float
    memory: int


def listed(wanted: list[str]) -> Iterator[Case]:
    """Every case of the wanted decoders, by decoder."""
    made = cases()
    for decoder in wanted:
        for folder in CASES:
            found = load_feed(folder / "feed.toml")
            if found.decoder == decoder and not folder.name.endswith(("-broken", "-bomb", "-far-cell", "-escape")):
                path = next(folder.glob("payload.*"))
                name = f"{folder.name}/{path.name}"
                body = storable(reducer(found, KEY)(path.read_bytes(), name))
                yield Case(folder.name, found, messages(name, body))
                if registry.find(decoder).decode_table is not None and found.kind == "timeseries":
                    yield Case(f"{folder.name}, bulk", found, [Payload(1, NOW, name, repeated(body))])
        for name, (used, options, message) in made.items():
            if used == decoder:
                yield Case(name, feed(decoder, options), messages("bench", json.dumps(message).encode()))


def messages(name: str, body: bytes) -> list[Payload]:
    """The same message again and again."""
    return [Payload(number, NOW, name, body) for number in range(1, max(1, min(MESSAGES, MESSAGE_BYTES // max(1, len(body)))) + 1)]


def repeated(body: bytes) -> bytes:
    """A table whose second half of lines comes again and again, so that header and first lines stand once."""
    lines = body.splitlines(keepends=True)
    half = b"".join(lines[len(lines) // 2 :]).rstrip(b"\n") + b"\n"
    return b"".join(lines[: len(lines) // 2]) + half * (BULK_BYTES // len(half))


def measured(case: Case) -> Rate:
    """The rate of one case, in a process of its own."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(rate, (case,))


def rate(case: Case) -> Rate:
    """How many rows came in, the shortest processor time of several runs, and the memory at the peak."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    judge = Judge(case.feed)
    times, rows = [], 0
    for _ in range(BEST_OF):
        start = time.process_time()
        rows = judge.judge(case.payloads).received
        times.append(time.process_time() - start)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return Rate(rows, sum(len(one.body) for one in case.payloads), len(case.payloads), min(times), memory)


def main() -> None:
    """Print one line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *registry.names()], help="decoders; absent: all")
    print(f"{platform.machine()}, Python {platform.python_version()}, best of {BEST_OF}, processor time")
    print(f"{'connector':34}{'rows':>9}{'rows/s':>12}{'µs/row':>8}{'MB/s':>8}{'µs/message':>12}{'peak MB':>9}")
    for case in listed(parser.parse_args().names or registry.names()):
        one = measured(case)
        speed = one.rows / one.seconds
        mark = " slow" if speed < SLOW else ""
        print(
            f"{case.name[:33]:34}{one.rows:>9,}{speed:>12,.0f}{1e6 / speed:>8.1f}{one.size / one.seconds / 1e6:>8.1f}"
            f"{one.seconds / one.messages * 1e6:>12,.0f}{one.memory / 1e6:>9.0f}{mark}",
            flush=True,
        )


if __name__ == "__main__":
    main()
