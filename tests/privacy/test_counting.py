"""Clients become counts in memory: per access point and window, under a key that goes with the window."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from stadthub_api.app import create_app
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload
from stadthub_ingest.reducing import Counting, reducer
from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import Feed, parse_feed
from stadthub_schemas.settings import Settings
from tests.api.city import client, served
from tests.pipelines.running import METADATA, running

START = datetime(2026, 5, 4, 10, tzinfo=UTC)
FEED = """
id = "scanning"
title = "Scanning"
dataset = "scanning"
decoder = "meraki_scanning"
[source]
type = "push"
[options]
validator = "${SCANNING_VALIDATOR}"
secret = "${SCANNING_SECRET}"
""" + (METADATA + '[metadata.privacy]\npurpose = "Auslastung"\nlegal_basis = "Art. 6 (1) e DSGVO"\n')


class Hands:
    """A clock that is set by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def post(*seen: tuple[str, str, datetime], ssid: str | None = "Stadt-WLAN", secret: str = "geheim") -> bytes:
    """A body of version 3: who was seen at which access point, and when."""
    observations = [
        {"clientMac": who, "ssid": ssid, "latestRecord": {"time": time.isoformat(), "nearestApMac": point}} for who, point, time in seen
    ]
    return orjson.dumps({"version": "3.0", "secret": secret, "type": "WiFi", "data": {"networkId": "N_1", "observations": observations}})


def feed() -> Feed:
    return parse_feed(FEED, "feed.toml")


def counts(stored: bytes, now: datetime) -> list[tuple[datetime, float, str | None]]:
    """Time, count and quality of what is stored."""
    judged = Judge(feed()).judge([Payload(1, now, "scanning", stored)])
    assert judged.rejects.num_rows == 0
    return [(row["phenomenon_time"], row["result"], row["quality"]) for row in judged.accepted.to_pylist()]


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_clients_are_counted_once_per_access_point_and_window() -> None:
    clock = Hands(START)
    door = reducer(feed(), b"k" * 32, clock)
    assert door(post(("a", "ap1", at(0.1)), ("b", "ap1", at(0.1)), ("a", "ap2", at(0.2))), "") == b""
    clock.now = at(14)
    assert door(post(("A", "AP1", at(13)), ("c", "ap1", at(14))), "") == b""
    clock.now = at(17)
    stored = door(post(("a", "ap1", at(16))), "")
    assert stored is not None
    assert sorted(counts(stored, clock.now)) == [(START, 1.0, None), (START, 3.0, None)]
    clock.now = at(40)
    assert counts(door.close(), clock.now) == [(at(15), 1.0, None)]
    assert door.close() == b""


def test_a_window_of_which_the_beginning_was_missed_is_partial() -> None:
    clock = Hands(at(7))
    door = reducer(feed(), b"k" * 32, clock)
    door(post(("a", "ap1", at(7))), "")
    clock.now = at(20)
    assert counts(door.close(), clock.now) == [(START, 1.0, "partial")]


def test_whoever_only_asks_comes_late_or_from_the_future_is_not_counted() -> None:
    clock = Hands(at(20))
    door = reducer(feed(), b"k" * 32, clock)
    door(post(("a", "ap1", at(21)), ssid=None), "")
    door(post(("b", "ap1", at(1)), ("c", "ap1", at(45)), ("d", "ap1", at(22))), "")
    clock.now = at(60)
    assert [count for _, count, _ in counts(door.close(), clock.now)] == [1.0]


def test_no_two_windows_share_a_key_and_none_shows_it() -> None:
    clock = Hands(START)
    door = reducer(feed(), b"k" * 32, clock)
    assert isinstance(door, Counting)
    door(post(("a", "ap1", at(1)), ("a", "ap1", at(10))), "")
    clock.now = at(15)
    door(post(("a", "ap1", at(15))), "")
    first, second = door._windows.values()
    assert first.key != second.key
    assert not {one for seen in first.clients.values() for one in seen} & {one for seen in second.clients.values() for one in seen}
    assert "ap-" not in repr(first)
    clock.now = at(60)
    door.close()
    assert door._windows == {}


def test_bluetooth_tells_of_nobody_and_a_broken_body_is_refused() -> None:
    door = reducer(feed(), b"k" * 32, Hands(START))
    assert door(orjson.dumps({"type": "BLE", "data": {"observations": [{"clientMac": "a"}]}}), "") == b""
    assert door(b'{"type": "WiFi"', "") is None
    assert door(orjson.dumps({"type": "WiFi", "data": {"observations": 7}}), "") is None


def test_a_secret_must_not_stand_in_the_feed_file() -> None:
    with pytest.raises(FeedError, match="secret: a secret must not stand in a feed file"):
        reducer(parse_feed(FEED.replace("${SCANNING_SECRET}", "geheim"), "feed.toml"), b"k" * 32)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A hub with a scanning feed, whose worker has taken it up and ended."""
    monkeypatch.setenv("SCANNING_VALIDATOR", "validator-of-the-dashboard")
    monkeypatch.setenv("SCANNING_SECRET", "geheim")
    with running(tmp_path, {"scanning": FEED}) as worker:
        worker.wait(lambda: bool(worker.catalog.feed("scanning").connected))
        return worker.settings


def test_the_dashboard_reads_the_validator_brings_observations_and_counts_appear(hub: Settings) -> None:
    path = "/api/v1/feeds/scanning/scanning"
    app = create_app(hub)
    with served(app) as address, client(address) as dashboard:
        doors, clock = app.state.hub.doors, Hands(datetime.now(UTC))
        doors.clock = clock
        assert dashboard.get(path).text == "validator-of-the-dashboard"
        body: dict[str, Any] = {"content": post(("a", "ap1", clock.now), ("b", "ap1", clock.now))}
        assert dashboard.post(path, **body).status_code == 200
        assert dashboard.post(path, content=post(secret="falsch")).status_code == 403
        assert dashboard.post("/api/v1/feeds/nowhere/scanning", **body).status_code == 404
        clock.now += timedelta(hours=1)
        doors.close_windows()
    with running(hub.data_dir, {}) as worker:
        worker.wait(lambda: worker.results("scanning") == [2.0])


def test_several_processes_can_not_count_for_each_other(hub: Settings) -> None:
    with served(create_app(hub.model_copy(update={"api_workers": 2}))) as address, client(address) as dashboard:
        answer = dashboard.post("/api/v1/feeds/scanning/scanning", content=post(("a", "ap1", START)))
        assert (answer.status_code, "STADTHUB_API_WORKERS" in answer.text) == (409, True)
