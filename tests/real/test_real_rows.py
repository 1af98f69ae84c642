"""What counts alone can't show of recorded input: what is refused is named, no vehicle can be told from another, amounts are exact."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged, Payload
from tests.ingest.feeds import feed

DATA = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared") / "data"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def body(path: str) -> bytes:
    """The recorded file; the test is skipped where it is not."""
    if not (DATA / path).exists():
        pytest.skip(f"the recorded input {path} is not there: set SHARED_DIR to the folder that holds data/")
    return (DATA / path).read_bytes()


def judged(path: str, decoder: str, kind: str, options: dict[str, Any] | None = None, **keys: Any) -> Judged:
    found = Judge(feed(decoder, options, kind=kind, **keys)).judge([Payload(1, NOW, path, body(path))])
    assert found.received == found.accepted.num_rows + found.rejects.num_rows + found.dropped
    return found


def test_an_invalid_timetable_says_what_it_lacks() -> None:
    reasons = judged("gtfs/sample-feed-invalid.zip", "gtfs", "features").rejects["reason"].to_pylist()
    assert "stops.txt: there is no column stop_id, which it must have" in reasons
    assert "stop_times.txt: the timetable has no such file, which it must have" in reasons


def test_no_id_of_a_vehicle_comes_out() -> None:
    path = "gbfs/otp-fixtures/ridecheck/almere/vehicle_status.json"
    ids = [one["vehicle_id"] for one in json.loads(body(path))["data"]["vehicles"]]
    found = judged(path, "gbfs", "timeseries")
    assert found.accepted.num_rows > 0
    assert not [one for one in ids if one in repr(found)]


def test_the_budget_adds_up_to_the_last_cent() -> None:
    path = "budget/berlin-2026-einnahmetitel-08.json"
    found = judged(path, "json_table", "table", {"decimal_columns": ["betrag"]}, key=("id",))
    assert str(found.accepted.schema.field("betrag").type) == "decimal128(38, 10)"
    assert sum(found.accepted["betrag"].to_pylist()) == sum(row["betrag"] for row in json.loads(body(path)))
