"""Every golden folder in tests/connectors: a feed file, a payload as it came, and what must become of it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely

from stadthub_ingest import registry
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged, Payload
from stadthub_ingest.reducing import reducer, storable
from stadthub_schemas.feed import load_feed

FOLDER = Path(__file__).parents[1] / "connectors"
CASES = sorted(path.parent for path in FOLDER.glob("*/feed.toml"))
#: The key for pseudonyms in expected.json.
KEY = b"golden folders have a fixed key!"
RECEIVED = datetime(2026, 11, 21, 12, tzinfo=UTC)


def outcome(judged: Judged) -> dict[str, Any]:
    """What became of a payload, in the form of expected.json."""
    return {
        "received": judged.received,
        "dropped": judged.dropped,
        "accepted": [_shown(row) for row in judged.accepted.to_pylist()],
        "rejects": [{"row": row["row"], "reason": row["reason"]} for row in judged.rejects.to_pylist()],
        **({"notes": [{"row": row["row"], "reason": row["reason"]} for row in judged.notes.to_pylist()]} if judged.notes else {}),
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without what is missing and without the time of its arrival; times as text, geometry as WKT."""
    return {name: _plain(name, value) for name, value in row.items() if value is not None and name != "received_time"}


def _plain(name: str, value: Any) -> Any:
    if name in ("geometry", "original_geometry"):
        return shapely.to_wkt(shapely.from_wkb(value), rounding_precision=7)
    return value if isinstance(value, str | int | float) else str(value)


def judge(case: Path, bulk: int) -> Judged:
    """The judgement of the case's payload; `bulk` 0 goes by columns, where the decoder can."""
    payload = next(case.glob("payload.*"))
    feed, name = load_feed(case / "feed.toml"), f"{case.name}/{payload.name}"
    body = storable(reducer(feed, KEY)(payload.read_bytes(), name))
    return Judge(feed, bulk).judge([Payload(7, RECEIVED, name, body)])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_payload_becomes_what_is_expected(case: Path) -> None:
    assert outcome(judge(case, bulk=1_000_000_000)) == json.loads((case / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_column_path_gives_the_same_answers(case: Path) -> None:
    by_rows, by_columns = outcome(judge(case, bulk=1_000_000_000)), outcome(judge(case, bulk=0))
    for part in ("accepted", "rejects"):
        assert sorted(map(str, by_columns[part])) == sorted(map(str, by_rows[part]))
    assert (by_columns["received"], by_columns["dropped"]) == (by_rows["received"], by_rows["dropped"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_row_is_accounted_for_and_every_payload_has_bad_rows(case: Path) -> None:
    judged = judge(case, bulk=1_000_000_000)
    assert judged.received == len(judged.accepted) + len(judged.rejects) + judged.dropped
    assert len(judged.rejects) > 0


def test_every_decoder_has_a_golden_folder() -> None:
    assert {case.name.partition("-")[0] for case in CASES} >= set(registry.names())
    assert all(load_feed(case / "feed.toml").decoder == case.name.partition("-")[0] for case in CASES)
