"""What ChirpStack v4 sends for each uplink, and what it looks like when things go wrong."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from stadthub_api.demo.chance import between, chance
from stadthub_api.demo.city import CENTRE, FAULTY, LICENCE_WORDS, Device, Spot, dev_eui
from stadthub_api.demo.curves import CURVES

#: Seconds between two uplinks of one device, and since when they are counted.
EVERY = 60.0
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

TENANT = {"tenantId": "5d0c7a1e-0000-4000-8000-000000000000", "tenantName": "Musterstadt (simuliert)"}


def topic(device: Device) -> str:
    """The topic on which ChirpStack publishes the device's uplinks."""
    return f"application/{device.fleet.application}/device/{dev_eui(device)}/event/up"


def uplink(device: Device, time: float) -> bytes:
    """The uplink of a device at a time."""
    return json.dumps(envelope(device, time, CURVES[device.fleet.kind](time, device.spot.id)), ensure_ascii=False).encode()


def envelope(device: Device, time: float, decoded: dict[str, Any]) -> dict[str, Any]:
    """ChirpStack's envelope around the decoded values."""
    fleet, eui, count = device.fleet, dev_eui(device), int((time - BEGINNING) / EVERY)
    when = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
    spreading = 7 + int(6 * chance("spreading", eui) ** 2)
    info = {
        **TENANT,
        "applicationId": fleet.application,
        "applicationName": fleet.application_name,
        "deviceProfileId": str(uuid.uuid5(uuid.NAMESPACE_DNS, fleet.profile)),
        "deviceProfileName": fleet.profile,
        "deviceName": f"{device.spot.name} (simuliert)",
        "devEui": eui,
        "deviceClassEnabled": "CLASS_A",
        "tags": {
            "latitude": str(device.spot.latitude),
            "longitude": str(device.spot.longitude),
            "bezirk": device.spot.district,
            "simuliert": LICENCE_WORDS,
        },
    }
    return {
        "deduplicationId": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{eui}/{count}")),
        "time": when,
        "deviceInfo": info,
        "devAddr": f"01{int(chance('address', eui) * 0xFFFFFF):06x}",
        "adr": True,
        "dr": 12 - spreading,
        "fCnt": count % 2**32,
        "fPort": 2,
        "confirmed": False,
        "data": base64.b64encode(json.dumps(list(decoded.values())).encode()[:48]).decode(),
        "object": decoded,
        "rxInfo": [_received(eui, count, when, number) for number in range(1 + int(3 * chance("gateways", eui)))],
        "txInfo": {
            "frequency": 867_100_000 + 200_000 * int(8 * chance("frequency", eui, count)),
            "modulation": {"lora": {"bandwidth": 125_000, "spreadingFactor": spreading, "codeRate": "CR_4_5"}},
        },
    }


def _received(eui: str, count: int, when: str, number: int) -> dict[str, Any]:
    """How one gateway heard it."""
    return {
        "gatewayId": f"02005eeff0{number:06x}",
        "uplinkId": int(chance("uplink", eui, count, number) * 65_535),
        "time": when,
        "rssi": -int(between(70, 125, "rssi", eui, count, number)),
        "snr": round(between(-12, 10, "snr", eui, count, number), 1),
        "channel": int(8 * chance("channel", eui, count)),
        "location": {"latitude": CENTRE[1] + 0.01 * number, "longitude": CENTRE[0] - 0.012 * number, "altitude": 180.0 + 20 * number},
        "context": "AAAAAA==",
        "metadata": {"region_name": "eu868", "region_common_name": "EU868"},
        "crcStatus": "CRC_OK",
    }


#: What the faulty devices send, one after the other: the decoded values, hours ahead of the clock, and how much of it arrives.
FAULTS: tuple[tuple[dict[str, Any], float, float], ...] = (
    ({"temperature": 17.5, "humidity": 61.0}, 0, 1.0),
    ({"temperature": "defekt", "humidity": 60.5}, 0, 1.0),
    ({"temperature": 4711.0, "humidity": 59.0}, 0, 1.0),
    ({"temperature": 17.25, "humidity": 62.0}, 49, 1.0),
    ({"temperature": 17.0, "humidity": -25.0}, 0, 1.0),
    ({"temperature": 16.75, "humidity": 63.5}, 0, 0.4),
    ({"temperature": 16.5, "humidity": 64.0}, 0, 1.0),
)


def faulty(number: int, time: float) -> tuple[str, bytes]:
    """The topic and the body of the n-th message of the faulty feed."""
    which = number % FAULTY.count
    stands = Spot(f"faulty-{which:04d}", f"Störung {which:03d} Altstadt", CENTRE[0] + 0.002 * which, CENTRE[1] + 0.001, "Altstadt")
    device = Device(FAULTY, which, stands)
    decoded, hours, share = FAULTS[number % len(FAULTS)]
    body = envelope(device, time, decoded)
    body["time"] = (datetime.fromtimestamp(time, UTC) + timedelta(hours=hours)).isoformat(timespec="milliseconds")
    whole = json.dumps(body, ensure_ascii=False).encode()
    return topic(device), whole[: int(len(whole) * share)]
