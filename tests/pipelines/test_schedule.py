"""Turns of feeds that are asked: apart from other hubs, on time, and missed ones caught up as the feed file says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest

from stadthub_pipelines.timetable import Timetable
from tests.pipelines.running import PUSH_FEED, running
from tests.pipelines.watching import feed
from tests.servers import Answer, Asked, WebServer

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 1, 12, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _times(schedule: str = "", url: str = "https://daten.example/air.json", hub: str = "a", now: datetime = NOON) -> Timetable:
    source = f'type = "http"\nurl = "{url}"\nevery = "PT1H"'
    return Timetable(feed(source=source, more=f"[schedule]\n{schedule}"), BERLIN, hub, now)


def test_two_hubs_ask_apart_and_each_always_alike() -> None:
    offsets = {_times(hub=hub).offset for hub in "abcdef"}
    assert len(offsets) == 6
    assert all(timedelta(0) <= one < timedelta(minutes=3) for one in offsets)
    assert _times(hub="a").offset == _times(hub="a").offset
    assert _times('cron = "5 * * * *"').offset < timedelta(seconds=30)
    assert _times('jitter = "PT0S"').offset == timedelta(0)


def test_a_feed_is_asked_at_the_start_and_then_with_its_turns() -> None:
    times = _times('cron = "5 * * * *"\njitter = "PT0S"')
    assert times.is_due(NOON)
    times.succeeded(times.turn(None, NOON), NOON)
    assert times.due == NOON.replace(hour=13, minute=5)
    assert not times.is_due(NOON + timedelta(minutes=57))
    assert times.is_due(NOON + timedelta(minutes=58))


def test_where_missed_turns_are_skipped_the_start_waits_for_the_next_one() -> None:
    times = _times('cron = "5 * * * *"\njitter = "PT0S"\ncatch_up = "skip"')
    assert not times.is_due(NOON)
    assert times.is_due(NOON.replace(hour=13, minute=5))


def test_a_source_that_fails_is_asked_again_after_growing_pauses_at_the_latest_with_the_next_turn() -> None:
    times = _times('jitter = "PT0S"')
    waits = []
    now = NOON
    for _ in range(8):
        times.failed(now)
        waits.append((times.due - now).total_seconds())
        now = times.due
    assert waits[:3] == [15, 30, 60]
    assert now == NOON.replace(hour=13, minute=0) or max(waits) <= 3600


def test_a_clock_that_was_put_back_holds_no_feed_up() -> None:
    times = _times()
    times.succeeded(times.turn(None, NOON), NOON)
    assert times.is_due(NOON - timedelta(days=1))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("all", [9, 10, 11, 12]), ("latest", [12]), ("skip", [])],
)
def test_turns_that_were_missed_are_caught_up_as_the_feed_file_says(policy: str, expected: list[int]) -> None:
    times = _times(f'catch_up = "{policy}"\njitter = "PT0S"', "https://daten.example/?from={start}&to={end}")
    done: datetime | None = NOON.replace(hour=8, minute=0)
    taken = []
    while times.is_due(NOON):
        turn = times.turn(done, NOON)
        window = times.window(turn)
        assert (window.end, window.end - window.start) == (turn, HOUR)
        taken.append(turn.hour)
        times.succeeded(turn, NOON)
        done = turn
    assert taken == expected
    assert times.due == NOON.replace(hour=13, minute=0)


WINDOWED = (
    PUSH_FEED.replace('type = "push"', 'type = "http"\nurl = "ADDRESS/air?from={start}&to={end}"\nevery = "PT1H"')
    + '\n[schedule]\ncatch_up = "all"\njitter = "PT0S"\n'
)


def windows(asked: Asked) -> Answer:
    """One row at the beginning of the window that is asked for."""
    start = asked.path.partition("from=")[2].partition("&")[0]
    row = {"thing": "a", "property": "air_temperature", "time": start, "result": 20}
    return Answer(orjson.dumps({"rows": [row]}), headers={"ETag": '"always"'})


def test_a_hub_that_was_away_asks_for_each_window_that_it_missed(tmp_path: Path, web_server: WebServer) -> None:
    web_server.answers["/air"] = windows
    text = WINDOWED.replace("ADDRESS", web_server.url)
    with running(tmp_path, {"air": text}, allowed_hosts=["127.0.0.1"]) as hub:
        hub.wait(lambda: hub.count("air") == 1, 30)
        hub.wait(lambda: "turn" in hub.catalog.feed("air").source_state, 30)
        turn = datetime.fromisoformat(hub.catalog.feed("air").source_state["turn"])
        hub.catalog.note_feed("air", paused=True)
        hub.wait(lambda: not hub.catalog.feed("air").connected, 30)
        if datetime.now(UTC) > turn + HOUR:
            pytest.skip("the hour ended while the test ran")
        hub.catalog.note_feed("air", source_state={"turn": (turn - 5 * HOUR).isoformat()}, paused=False)
        hub.wait(lambda: hub.count("air") == 5, 30)
        hub.wait(lambda: hub.catalog.feed("air").source_state["turn"] == turn.isoformat(), 30)
        hub.wait(lambda: (hub.catalog.feed("air").next_run_time or turn) > datetime.now(UTC), 30)
        assert hub.catalog.feed("air").last_success_time is not None
