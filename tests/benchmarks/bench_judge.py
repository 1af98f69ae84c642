"""How fast bytes become judged rows: small JSON objects and LoRaWAN uplinks message by message, and a wide CSV column by column.

python tests/benchmarks/bench_judge.py
"""

import json
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload
from stadthub_schemas.feed import Feed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEST_OF = 3


def feed(decoder: str, options: dict[str, object]) -> Feed:
    """A feed with this decoder."""
    return Feed.model_validate(
        {"id": "bench", "title": "x", "dataset": "bench", "decoder": decoder, "source": {"type": "push"}, "options": options}
    )


def readings(count: int) -> list[Payload]:
    """Small objects of plain keys, one value each."""
    return [
        Payload(number, NOW, "bench/x", json.dumps(reading).encode())
        for number in range(1, count + 1)
        for reading in [{"thing": f"d{number % 400}", "property": "air_temperature", "time": NOW.isoformat(), "value": number % 400 / 10}]
    ]


def uplinks(count: int) -> list[Payload]:
    """Messages as ChirpStack writes them, with one gateway and four values."""
    return [
        Payload(number, NOW, f"application/1/device/{number:016x}/event/up", json.dumps(uplink(number)).encode())
        for number in range(1, count + 1)
    ]


def uplink(number: int) -> dict[str, object]:
    """One message of an air sensor."""
    return {
        "deduplicationId": f"00000000-0000-4000-8000-{number:012d}",
        "time": (NOW - timedelta(seconds=number)).isoformat(),
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "Musterstadt",
            "applicationId": "5bb92de6-49b3-49af-a366-34667f2230be",
            "applicationName": "Luft",
            "deviceProfileId": "37cf9cbd-e7e1-4269-8c22-b46bb5261a2a",
            "deviceProfileName": "Air",
            "deviceName": f"Luft {number % 400}",
            "devEui": f"{number % 400:016x}",
            "tags": {"latitude": "51.96", "longitude": "7.62"},
        },
        "devAddr": "01acdec6",
        "adr": True,
        "dr": 5,
        "fCnt": number,
        "fPort": 2,
        "confirmed": False,
        "data": "DOUAAAVeBS0AIxA=",
        "object": {"temperature": 12.25, "humidity": 60.5, "pm10": 17.0, "battery": 98},
        "rxInfo": [
            {"gatewayId": "a84041ffff1f4b70", "uplinkId": 45347, "rssi": -97, "snr": 8.5, "location": {"latitude": 51.9, "longitude": 7.6}}
        ],
        "txInfo": {"frequency": 867100000, "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5"}}},
    }


def wide(records: int, channels: int) -> bytes:
    """A counter file: a naive local time, value columns and their status columns."""
    names = [f"{100 + number} (Zählstelle {number})" for number in range(channels)]
    head = ",".join(["Datetime", *names, *(f"{100 + number}-status" for number in range(channels))])
    start = datetime(2020, 1, 1)  # noqa: DTZ001 - as the files have it
    lines = [
        ",".join(
            [
                f"{start + timedelta(minutes=15 * row):%Y-%m-%d %H:%M}",
                *(str((row * 7 + column) % 97) for column in range(channels)),
                *["0"] * channels,
            ]
        )
        for row in range(records)
    ]
    return "\n".join([head, *lines]).encode()


def best(run: Callable[[], int]) -> tuple[int, float, float]:
    """How many rows one run judged, and the shortest wall and processor time of several runs."""
    times = []
    rows = 0
    for _ in range(BEST_OF):
        wall, cpu = time.perf_counter(), time.process_time()
        rows = run()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return rows, min(wall for wall, _ in times), min(cpu for _, cpu in times)


def main() -> None:
    """Print one line for each way."""
    print(f"{platform.machine()}, Python {platform.python_version()}, best of {BEST_OF}")
    columns = {"thing": "thing", "observed_property": "property", "phenomenon_time": "time", "result": "value"}
    objects, keyed = readings(10_000), Judge(feed("json_table", {"columns": columns}))
    rows, wall, cpu = best(lambda: keyed.judge(objects).accepted.num_rows)
    print(
        f"json_table  {rows:>9,} rows of {rows:,} messages: {wall / rows * 1e6:.1f} µs a message ({cpu / rows * 1e6:.1f} µs of processor time)"
    )
    messages, judge = uplinks(1000), Judge(feed("chirpstack", {}))
    rows, wall, cpu = best(lambda: judge.judge(messages).accepted.num_rows)
    print(f"chirpstack  {rows:>9,} rows of 1,000 messages: {wall * 1000:.1f} µs a message ({cpu * 1000:.1f} µs of processor time)")
    options: dict[str, object] = {
        "columns": {"phenomenon_time": "Datetime"},
        "channels": [{"pattern": r"^(?P<thing>\d+) \((?P<thing_name>.*)\)$", "observed_property": "bicycles", "quality": "{thing}-status"}],
        "times": {"time_zone": "Europe/Berlin", "ambiguous": "first", "missing": "shift"},
    }
    body = [Payload(1, NOW, "counters.csv", wide(100_000, 10))]
    for name, bulk in (("by columns", 0), ("by rows", 1_000_000_000)):
        wide_judge = Judge(feed("csv_table", options), bulk)
        rows, wall, cpu = best(lambda judge=wide_judge: judge.judge(body).accepted.num_rows)  # type: ignore[misc]  # mypy can't infer a default
        print(f"csv_table   {rows:>9,} rows {name}: {rows / wall:,.0f} rows/s ({rows / cpu:,.0f} a second of processor time)")


if __name__ == "__main__":
    main()
