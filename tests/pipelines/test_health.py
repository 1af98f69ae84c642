"""What is noticed about feeds: late, silent, failing, rejecting, shrinking; with patience, and never while a feed is paused."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from stadthub_catalog.history import Hour
from stadthub_schemas.counts import Counts
from stadthub_schemas.rows import OBSERVATIONS_IN
from tests.pipelines.watching import HTTP, MQTT, Watched, feed, watched

EVERY_TEN = '[expect]\nevery = "PT10M"'


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Watched]:
    """A hub without feeds yet."""
    with watched(tmp_path) as one:
        yield one


def test_a_feed_is_late_then_silent_and_well_again_when_it_brings_something(hub: Watched) -> None:
    hub.add(feed(more=EVERY_TEN))
    hub.passes(14)
    assert hub.found() == []
    hub.passes(4)
    assert hub.found() == ["late"]
    hub.passes(50)
    assert hub.found() == ["silent"]
    hub.brings("air", 1)
    hub.passes(2)
    assert hub.found() == ["silent"], "one good moment is no recovery"
    hub.passes(1)
    assert hub.found() == []


def test_one_bad_look_raises_no_alarm(hub: Watched) -> None:
    hub.add(feed())
    hub.passes(1, error="the broker can't be reached")
    hub.passes(3, error=None)
    assert hub.found() == []


def test_a_restart_gives_a_feed_its_whole_cadence_again_unless_it_was_late_before(hub: Watched) -> None:
    hub.add(feed(more=EVERY_TEN), last_message=hub.now - timedelta(hours=5))
    hub.passes(5)
    assert hub.found() == []
    hub.passes(30)
    assert hub.found() == ["silent"]
    hub.restart()
    hub.passes(5)
    assert hub.found() == ["silent"]


def test_a_feed_that_is_asked_is_late_when_it_is_asked_no_more_not_when_nothing_changed(hub: Watched) -> None:
    hub.add(feed(source=HTTP), last_message=hub.now - timedelta(days=30), last_success=hub.now)
    hub.passes(80)
    assert hub.found() == []
    hub.passes(20)
    assert hub.found() == ["late"]


def test_a_cron_feed_may_rest_over_the_weekend(hub: Watched) -> None:
    friday = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)
    hub.now = friday
    hub.add(feed(source=HTTP, more='[schedule]\ncron = "0 8 * * 1-5"'), last_success=friday, last_message=friday)
    hub.passes(1)
    for hours in (48, 71):
        hub.now = friday + timedelta(hours=hours)
        hub.passes(3)
        assert hub.found() == []
    hub.now = friday + timedelta(hours=109)
    hub.passes(3)
    assert hub.found() == ["late"]


def test_what_follows_from_a_source_that_does_not_answer_is_not_told_besides(hub: Watched) -> None:
    hub.add(feed(more=EVERY_TEN))
    hub.passes(100, connected=False, error="broker.example:1883: the broker can't be reached")
    assert hub.found() == ["source_error"]
    (finding,) = hub.catalog.findings("air")
    assert finding.subject == "broker.example:1883"
    assert "can't be reached" in finding.details["error"]


@pytest.mark.parametrize("notes", [{"paused": True}, {"held": True}])
def test_a_paused_feed_is_not_watched(hub: Watched, notes: dict[str, bool]) -> None:
    hub.add(feed(more=EVERY_TEN))
    hub.passes(40)
    assert hub.found() == ["late"]
    hub.passes(1, **notes)
    assert hub.found() == []
    hub.passes(100)
    assert hub.found() == []
    hub.passes(5, **dict.fromkeys(notes, False))
    assert hub.found() == [], "after a pause it has its whole cadence again"


def test_many_rejects_of_the_last_hours_are_noticed_and_old_ones_forgotten(hub: Watched) -> None:
    hub.now = hub.now.replace(minute=5)
    hub.add(feed())
    hub.passes(1)
    hub.brings("air", 100, rejected=4)
    hub.passes(4)
    assert hub.found() == []
    hub.brings("air", 100, rejected=40)
    hub.passes(3)
    assert hub.found() == ["rejects"]
    for _ in range(3):
        hub.now += timedelta(hours=1)
        hub.brings("air", 100)
        hub.passes(3)
    assert hub.found() == []


def test_a_few_rows_more_than_the_operator_allows_are_too_many(hub: Watched) -> None:
    hub.add(feed(more="[expect]\nmax_reject_ratio = 0.0"))
    hub.passes(1)
    hub.brings("air", 100, rejected=1)
    hub.passes(3)
    assert hub.found() == ["rejects"]


def test_the_usual_rhythm_is_learned_from_the_last_days(hub: Watched) -> None:
    hub.now = hub.now.replace(minute=5)
    hours = [
        Hour("air", hub.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=n), Counts(9, 9), 1200.0) for n in range(1, 30)
    ]
    hub.catalog.note_hours(hours)
    hub.add(feed())
    hub.passes(28)
    assert hub.found() == []
    hub.passes(5)
    assert hub.found() == ["late"]


def _weeks(hub: Watched, rows: int, weeks: int) -> None:
    """Some hours around this one in each of the last weeks, with so many rows."""
    this = hub.now.replace(minute=0, second=0, microsecond=0)
    hours = [
        Hour("air", this - timedelta(weeks=week, hours=back), Counts(rows, rows), 60.0)
        for week in range(1, weeks + 1)
        for back in range(-4, 2)
    ]
    hub.catalog.note_hours(hours)


@pytest.mark.parametrize(("rows", "expected"), [(100, []), (5, ["volume"]), (2000, ["volume"])])
def test_an_hour_with_far_fewer_or_far_more_rows_than_usual_is_noticed(hub: Watched, rows: int, expected: list[str]) -> None:
    hub.now = hub.now.replace(minute=0)
    _weeks(hub, 100, 4)
    hub.add(feed(more='[expect]\nevery = "PT15M"'))
    hub.passes(1)
    for brought in (100, rows, 100):
        assert hub.found() == []
        hub.now += timedelta(hours=1)
        hub.brings("air", brought)
        hub.passes(2)
    assert hub.found() == expected


def test_an_hour_that_was_not_watched_whole_says_nothing(hub: Watched) -> None:
    _weeks(hub, 100, 4)
    hub.add(feed(more='[expect]\nevery = "PT15M"'))
    hub.passes(5)
    assert hub.found() == []


def _observe(hub: Watched, things: dict[str, timedelta]) -> None:
    rows = [
        {"thing": name, "observed_property": "pm10", "phenomenon_time": hub.now - ago, "result": 1.0, "received_time": hub.now}
        for name, ago in things.items()
    ]
    hub.catalog.remember("air", pa.Table.from_pylist(rows, schema=OBSERVATIONS_IN))


def test_things_that_report_no_more_are_a_gap(hub: Watched) -> None:
    hub.add(feed(more='[expect]\nevery = "PT15M"\nthings = 3'))
    _observe(hub, {"a": timedelta(0), "b": timedelta(minutes=30), "c": timedelta(hours=2), "d": timedelta(days=2)})
    hub.passes(1)
    hub.passes(2)
    (finding,) = hub.catalog.findings("air")
    assert (finding.kind, finding.details) == ("gap", {"reporting": 2, "expected": 3, "known": 4})


def test_without_a_word_half_of_the_things_of_a_week_are_expected_within_a_day(hub: Watched) -> None:
    hub.add(feed())
    _observe(hub, {name: timedelta(hours=30 if name < "d" else 1) for name in "abcdef"})
    hub.passes(3)
    assert hub.found() == []
    hub.add(feed("noise"))
    _observe_noise = {name: timedelta(hours=30 if name < "e" else 1) for name in "abcdef"}
    rows = [
        {"thing": name, "observed_property": "pm10", "phenomenon_time": hub.now - ago, "result": 1.0, "received_time": hub.now}
        for name, ago in _observe_noise.items()
    ]
    hub.catalog.remember("noise", pa.Table.from_pylist(rows, schema=OBSERVATIONS_IN))
    hub.passes(8)
    assert hub.found("noise") == ["gap"]


def test_observations_that_come_too_old_are_a_lag(hub: Watched) -> None:
    hub.add(feed(more='[expect]\nmax_lag = "PT2H"'))
    _observe(hub, {"a": timedelta(hours=1)})
    hub.passes(3)
    assert hub.found() == []
    hub.now += timedelta(hours=2)
    hub.passes(3)
    assert "lag" in hub.found()


def test_messages_that_wait_are_a_backlog_and_a_message_from_the_future_is_a_wrong_clock(hub: Watched) -> None:
    hub.add(feed())
    hub.passes(2, lag_seconds=300.0)
    assert hub.found() == ["backlog"]
    hub.passes(3, lag_seconds=0.0, last_message=hub.now + timedelta(hours=1))
    assert hub.found() == ["clock"]


def test_a_wrong_file_is_noticed_even_where_no_feed_runs(hub: Watched) -> None:
    hub.catalog.note_feed("broken", wrong="broken.toml: decodr: there is no such key")
    hub.passes(2)
    assert hub.found("broken") == ["file"]


def test_a_disk_that_fills_up_is_noticed_of_the_hub_itself(tmp_path: Path) -> None:
    with watched(tmp_path, min_free_mb=10**9) as hub:
        hub.passes(2)
        assert "disk" in hub.found("")


def test_two_hundred_feeds_are_looked_at_within_a_second(hub: Watched) -> None:
    for number in range(200):
        hub.add(feed(f"feed-{number}", source=HTTP if number % 2 else MQTT, more=EVERY_TEN))
    hub.passes(1)
    began = time.process_time()
    hub.passes(5)
    assert (time.process_time() - began) / 5 < 1.0
