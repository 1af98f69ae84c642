"""LoRaWAN: places by events, checked uplinks, lost frames, the codecs against recorded uplinks."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stadthub_ingest import codec
from stadthub_ingest.frames import Frames, count_frames, frames_in
from stadthub_ingest.judge import Judge
from stadthub_schemas.errors import FeedError
from tests.ingest.feeds import balanced, feed, payload

SHARED = Path(os.environ.get("SHARED_DIR", Path(__file__).parents[3] / "shared")) / "data" / "lorawan"
DEVICE = {"devEui": "A84041D187D1106E", "deviceName": "Baum 17", "tags": {}}
START = datetime(2026, 11, 1, tzinfo=UTC)


def accepted(decoder: str, options: dict[str, Any], body: Any, name: str = "payload") -> list[dict[str, Any]]:
    """The accepted rows of one message."""
    judged = Judge(feed(decoder, options)).judge([payload(json.dumps(body), name)])
    assert balanced(judged)
    return list(judged.accepted.to_pylist())


def test_a_location_event_puts_its_thing_there() -> None:
    event = {"time": "2026-06-20T08:48:38Z", "deviceInfo": DEVICE, "location": {"latitude": 50.93, "longitude": 11.59, "source": "GPS"}}
    for name in ("payload", "application/1/device/a/event/location"):
        (row,) = accepted("chirpstack", {}, event, name)
        assert (row["thing"], row["longitude"], row["latitude"]) == ("a84041d187d1106e", 11.59, 50.93)
        assert (row["observed_property"], row["result_text"]) == ("location_source", "GPS")
    assert accepted("chirpstack", {"events": []}, event) == []


def test_a_battery_that_is_not_measured_has_no_level() -> None:
    event = {"time": "2026-06-20T08:48:38Z", "deviceInfo": DEVICE, "margin": -3, "batteryLevelUnavailable": True, "batteryLevel": 0}
    rows = accepted("chirpstack", {"events": ["status"]}, event)
    assert [(row["observed_property"], row["result"]) for row in rows] == [("link_margin", -3.0)]
    assert accepted("chirpstack", {}, event, "application/1/device/a/event/status") == []


@pytest.mark.parametrize(
    ("decoded", "refused"),
    [(13.25, False), ("13.2", False), (13.24, False), (13.3, False), (13, False), (14.0, True), (13.23, True), (-13.25, True)],
)
def test_a_rounded_or_cut_value_is_no_contradiction_but_another_one_is(decoded: Any, refused: bool) -> None:
    raw = base64.b64encode(bytes.fromhex("0CE50000055E052D002310")).decode()
    uplink = {"time": "2026-06-20T08:48:38Z", "deviceInfo": DEVICE, "fPort": 2, "data": raw, "object": {"temp_SOIL": decoded}}
    options = {"codec": "dragino-lse01", "check": True}
    assert (accepted("chirpstack", options, uplink) == []) is refused


def test_raw_bytes_that_the_codec_can_not_read_are_told_beside_the_decoded_values() -> None:
    uplink = {"time": "2026-06-20T08:48:38Z", "deviceInfo": DEVICE, "fPort": 2, "data": "AQI=", "object": {"temp_SOIL": 13.2}}
    judged = Judge(feed("chirpstack", {"codec": "dragino-lse01", "check": True})).judge([payload(json.dumps(uplink))])
    assert len(judged.accepted) == 1
    assert judged.rejects.column("reason").to_pylist() == ["codec: 2 bytes, not 11"]


def test_a_check_needs_a_codec_and_a_codec_must_exist() -> None:
    with pytest.raises(FeedError, match=r"options\.check: it needs a codec"):
        Judge(feed("ttn", {"check": True}))
    with pytest.raises(FeedError, match="there is no codec 'lse1': there are cayenne-lpp"):
        Judge(feed("ttn", {"codec": "lse1"}))


def test_a_value_that_was_stored_on_the_device_has_its_own_time() -> None:
    raw = base64.b64encode(bytes.fromhex("20CE9E74466310015D00")).decode()
    uplink = {"time": "2026-06-20T08:48:38Z", "deviceInfo": DEVICE, "fPort": 85, "data": raw}
    rows = accepted("chirpstack", {"codec": "milesight-em300"}, uplink)
    assert {(row["observed_property"], row["result"], row["phenomenon_time"].isoformat()) for row in rows} == {
        ("air_temperature", 27.2, "2022-10-12T08:02:38+00:00"),
        ("relative_humidity", 46.5, "2022-10-12T08:02:38+00:00"),
    }


def test_an_empty_decoded_object_is_none_where_a_codec_can_read_the_bytes() -> None:
    uplink = {"time": "2026-06-20T08:48:38Z", "deviceInfo": DEVICE, "fPort": 1, "data": "A2cBEA==", "object": {}}
    (row,) = accepted("chirpstack", {"codec": "cayenne-lpp"}, uplink)
    assert (row["observed_property"], row["result"], row["unit"]) == ("temperature_3", 27.2, "Cel")
    assert accepted("chirpstack", {}, uplink) == []


def frames(*counters: int) -> list[tuple[str, datetime, int]]:
    """Frames of one thing, a minute apart."""
    return [("a", START + timedelta(minutes=number), counter) for number, counter in enumerate(counters)]


@pytest.mark.parametrize(
    ("counters", "expected"),
    [
        ((1, 2, 3), Frames("a", 3, 0, 0)),
        ((1, 2, 5, 6), Frames("a", 4, 2, 0)),
        ((7, 7, 8), Frames("a", 2, 0, 0)),
        ((900, 0, 1), Frames("a", 3, 0, 1)),
        ((65_534, 1), Frames("a", 2, 2, 0)),
        ((70_000, 1), Frames("a", 2, 0, 1)),
        ((1, 60_000), Frames("a", 2, 0, 1)),
    ],
)
def test_gaps_of_the_frame_counter_are_lost_frames_and_a_restart_is_none(counters: tuple[int, ...], expected: Frames) -> None:
    assert count_frames(reversed(frames(*counters))) == [expected]


def test_lost_frames_are_counted_over_accepted_rows() -> None:
    def uplink(counter: int) -> str:
        ids = {"device_id": "a", "dev_eui": "70B3D57ED0000001"}
        message = {"f_cnt": counter, "decoded_payload": {"temperature": 20, "humidity": 50}, "received_at": f"2026-11-01T0{counter}:00:00Z"}
        return json.dumps({"end_device_ids": ids, "uplink_message": message})

    judged = Judge(feed("ttn", {"frame_counter": True})).judge([payload(uplink(counter)) for counter in (1, 2, 5)])
    (found,) = frames_in(judged.accepted)
    assert found == Frames("70b3d57ed0000001", 3, 2, 0)
    assert found.share == pytest.approx(0.4)
    assert frames_in(Judge(feed("ttn")).judge([payload(uplink(1))]).accepted) == []


@pytest.mark.parametrize(("file", "name"), [("example.json", "dragino-lse01"), ("example3.json", "milesight-em310-udl")])
def test_codecs_say_the_same_as_the_codecs_of_recorded_uplinks(file: str, name: str) -> None:
    if not (SHARED / file).exists():
        pytest.skip(f"there is no {SHARED / file}: set SHARED_DIR to the folder of recorded input")
    uplink = json.loads((SHARED / file).read_text("utf-8"))
    found = codec.decode(codec.load(name), base64.b64decode(uplink["data"]), uplink["fPort"])
    compared = [reading for reading in found.readings if reading.name in uplink["object"]]
    assert len(compared) >= 3
    for reading in compared:
        given = uplink["object"][reading.name]
        assert given == reading.value if isinstance(reading.value, str) else float(given) == pytest.approx(reading.value)
    judged = Judge(feed("chirpstack", {"codec": name, "check": True})).judge([payload(json.dumps(uplink))])
    assert len(judged.rejects) == 0
