"""Lost radio frames of a LoRaWAN feed are counted as they come, and counted on after a start."""

from pathlib import Path
from typing import Any

import orjson

from tests.pipelines.running import METADATA, running

FEED = (
    'id = "soil"\ntitle = "Soil"\ndataset = "soil"\ndecoder = "chirpstack"\n[source]\ntype = "push"\n[options]\nframe_counter = true\n'
    + METADATA
)


def _uplink(counter: int, minute: int, device: str = "0102030405060708") -> bytes:
    told: dict[str, Any] = {
        "deviceInfo": {"devEui": device, "deviceName": "s", "applicationName": "a", "deviceProfileName": "p", "tags": {}},
        "time": f"2026-05-01T10:{minute:02}:00+00:00",
        "fPort": 1,
        "fCnt": counter,
        "object": {"temperature": 12.5 + minute, "humidity": 50},
    }
    return orjson.dumps(told)


def test_lost_frames_are_counted_late_ones_found_again_and_a_start_counts_on(tmp_path: Path) -> None:
    with running(tmp_path, {"soil": FEED}) as hub:
        for counter, minute in ((1, 1), (2, 2), (5, 5)):
            hub.push_bytes("soil", _uplink(counter, minute))
        hub.wait(lambda: _frames(hub) == (3, 2, 0), 60)
        hub.push_bytes("soil", _uplink(5, 5))  # once more: no frame of its own
        hub.push_bytes("soil", _uplink(4, 4))  # late
        hub.wait(lambda: _frames(hub) == (4, 1, 0), 60)
        hub.push_bytes("soil", _uplink(0, 6))  # the device began anew
        hub.wait(lambda: _frames(hub) == (5, 1, 1), 60)
    with running(tmp_path, {}) as hub:
        hub.push_bytes("soil", _uplink(3, 9))
        hub.wait(lambda: _frames(hub)[0] == 6, 60)


def _frames(hub: Any) -> tuple[int, int, int]:
    feed = hub.catalog.feed("soil")
    return feed.frames_received, feed.frames_missing, feed.frames_restarts
