"""How fast the LoRaWAN and standard connectors decode and judge: rows a second and microseconds a row.

python -m tests.benchmarks connectors
"""

import base64
import json
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from stadthub_ingest.judge import Judge, Payload
from tests.ingest.feeds import feed

BEST_OF = 5
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


def shortest(judge: Judge, payloads: Sequence[Payload]) -> tuple[int, float]:
    """How many rows came in, and the shortest processor time of several runs."""
    times = []
    rows = 0
    for _ in range(BEST_OF):
        start = time.process_time()
        judged = judge.judge(payloads)
        times.append(time.process_time() - start)
        rows = judged.received
        assert not len(judged.rejects)
    return rows, min(times)


def main() -> None:
    """Print one line for each connector."""
    print(f"{platform.machine()}, Python {platform.python_version()}, best of {BEST_OF}, processor time")
    for name, (decoder, options, body) in cases().items():
        text = json.dumps(body).encode()
        rows, seconds = shortest(Judge(feed(decoder, options)), [Payload(number, NOW, "bench", text) for number in range(1000)])
        print(
            f"{name:30} {rows:>8,} rows: {seconds / rows * 1e6:5.1f} µs/row, {rows / seconds:>9,.0f} rows/s, {seconds * 1000:.0f} µs/message"
        )


if __name__ == "__main__":
    main()
