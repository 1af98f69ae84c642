"""History beside the live feed: each piece once, over a kill, from web addresses and from files, and the live feed stays fresh."""

import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import orjson
import pytest

from stadthub_catalog.backfills import Backfill, BackfillState
from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.backfill import name_of, want, windows_of
from stadthub_schemas.errors import Conflict, FeedError
from stadthub_schemas.feed import parse_feed
from stadthub_schemas.query import RowsQuery
from tests.pipelines.running import PUSH_FEED, Running, row, running, wait, worker
from tests.pipelines.test_schedule import BERLIN, WINDOWED, windows
from tests.servers import Answer, Asked, WebServer

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
PIECES = Backfill(0, "air", FIRST, LAST, step_seconds=28_800.0)


def _ended(hub: Running, number: int) -> Backfill:
    hub.wait(lambda: hub.catalog.backfill(number).ended is not None, 60)
    return hub.catalog.backfill(number)


def test_windows_of_a_web_address_are_taken_in_once_with_a_run_and_a_sum_of_their_own(tmp_path: Path, web_server: WebServer) -> None:
    web_server.answers["/air"] = windows
    with running(tmp_path, {"air": WINDOWED.replace("ADDRESS", web_server.url)}, allowed_hosts=["127.0.0.1"]) as hub:
        hub.wait(lambda: hub.count("air") == 1, 30)
        hub.wait(lambda: hub.catalog.feed("air").counts.stored == 1, 30)
        live = hub.catalog.feed("air").counts
        done = _ended(hub, hub.catalog.want_backfill(PIECES).id)
        assert (done.state, done.done, done.total, done.counts.stored) == (BackfillState.DONE, 6, 6, 6)
        assert done.counts.balanced
        hub.wait(lambda: hub.count("air") == 7, 30)
        assert hub.catalog.feed("air").counts == live
        assert [(run.counts.stored, run.error) for run in hub.catalog.runs("air", 1)] == [(6, None)]
        again = _ended(hub, hub.catalog.want_backfill(PIECES).id)
        assert (again.counts.received, again.counts.duplicate) == (6, 6)
        assert hub.count("air") == 7
        assert not (tmp_path / "raw" / name_of(done)).exists()


def test_a_back_fill_that_fails_says_why_and_goes_on_from_where_it_was(tmp_path: Path, web_server: WebServer) -> None:
    def until_noon(asked: Asked) -> Answer:
        return windows(asked) if "from=2026-01-02" not in asked.path else Answer(b"", 404)

    web_server.answers["/air"] = until_noon
    with running(tmp_path, {"air": WINDOWED.replace("ADDRESS", web_server.url)}, allowed_hosts=["127.0.0.1"]) as hub:
        failed = _ended(hub, hub.catalog.want_backfill(PIECES).id)
        assert (failed.state, failed.done) == (BackfillState.FAILED, 3)
        assert "404" in str(failed.error)
        web_server.answers["/air"] = windows
        asked_before = len(web_server.asked)
        again = hub.catalog.want_backfill(PIECES)
        assert again.id == failed.id
        done = _ended(hub, again.id)
        assert (done.state, done.counts.stored, done.counts.duplicate) == (BackfillState.DONE, 6, 0)
        assert len([one for one in web_server.asked[asked_before:] if "2026-01" in one.path]) == 3


def test_a_back_fill_goes_on_after_the_hub_was_stopped_in_the_middle(tmp_path: Path, web_server: WebServer) -> None:
    reached = Event()

    def slow(asked: Asked) -> Answer:
        if "from=2026-01-01T16" in asked.path:
            reached.set()
        return windows(asked)

    web_server.answers["/air"] = slow
    text = WINDOWED.replace("ADDRESS", web_server.url)
    with running(tmp_path, {"air": text}, allowed_hosts=["127.0.0.1"]) as hub:
        number = hub.catalog.want_backfill(PIECES).id
        assert reached.wait(60)
    with running(tmp_path, {"air": text}, allowed_hosts=["127.0.0.1"]) as hub:
        assert hub.catalog.backfill(number).state is BackfillState.RUNNING
        done = _ended(hub, number)
        assert done.state is BackfillState.DONE
        assert done.counts.balanced
        assert done.counts.stored == 6
        assert hub.count("air") == 7


def test_an_operator_can_stop_a_back_fill_and_only_one_is_open_at_a_time(tmp_path: Path, web_server: WebServer) -> None:
    web_server.answers["/air"] = windows
    long = Backfill(0, "air", FIRST, FIRST + timedelta(days=3000), step_seconds=3600.0)
    with running(tmp_path, {"air": WINDOWED.replace("ADDRESS", web_server.url)}, allowed_hosts=["127.0.0.1"]) as hub:
        number = hub.catalog.want_backfill(long).id
        hub.wait(lambda: hub.catalog.backfill(number).done > 2, 60)
        with pytest.raises(Conflict, match="under way already"):
            hub.catalog.want_backfill(PIECES)
        assert hub.catalog.stop_backfill("air") == 1
        hub.wait(lambda: hub.catalog.runs("air", 5)[0].error == "it was stopped" or "it was stopped" in _errors(hub), 60)
        assert hub.catalog.backfill(number).state is BackfillState.STOPPED


def _errors(hub: Running) -> list[str | None]:
    return [run.error for run in hub.catalog.runs("air", 10)]


def _history(folder: Path, files: int, rows: int) -> None:
    """Files of history, each with its own time and some rows that are wrong."""
    folder.mkdir()
    for number in range(files):
        start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number)
        made = [
            {"thing": "h", "property": "air_temperature", "time": (start + timedelta(seconds=one)).isoformat(), "result": 20 + one % 5}
            for one in range(rows)
        ]
        wrong = {"thing": "h", "property": "air_temperature", "time": start.isoformat(), "result": "hot"}
        (folder / f"{number:03}.json").write_bytes(orjson.dumps({"rows": [*made, wrong]}))


def test_files_of_history_go_through_the_same_decoder_and_what_is_wrong_in_them_is_kept(tmp_path: Path) -> None:
    _history(tmp_path / "history", 3, 10)
    (tmp_path / "history" / "readme.txt").write_text("nothing for the decoder", "utf-8")
    with running(tmp_path / "hub", {"air": PUSH_FEED}) as hub:
        done = _ended(hub, hub.catalog.want_backfill(Backfill(0, "air", path=str(tmp_path / "history" / "*.json"))).id)
        assert (done.state, done.done, done.counts.stored, done.counts.rejected) == (BackfillState.DONE, 3, 30, 3)
        assert hub.count("air") == 30
        assert hub.reader.rejects(name_of(done)).num_rows == 3


def test_a_killed_worker_goes_on_with_its_history_and_takes_each_row_once(tmp_path: Path) -> None:
    _history(tmp_path / "history", 8, 1500)
    with running(tmp_path / "hub", {"air": PUSH_FEED}) as hub:
        settings = hub.settings
        hub.wait(lambda: hub.catalog.feed("air").dataset == "air", 60)
    catalog = Catalog(settings.database)
    lake = Lake(Reader(settings.lake, settings.data_dir))
    number = catalog.want_backfill(Backfill(0, "air", path=str(tmp_path / "history"))).id
    try:
        for reached in (1, 4, None):
            with worker(settings) as process:
                wait(lambda reached=reached: _is_at(catalog.backfill(number), reached))  # type: ignore[misc]  # bound now
                process.send_signal(signal.SIGTERM if reached is None else signal.SIGKILL)
                process.wait(60)
        done = catalog.backfill(number)
        assert (done.state, done.counts.stored, done.counts.rejected) == (BackfillState.DONE, 8 * 1500, 8)
        assert done.counts.balanced
        assert lake.count(RowsQuery("air")) == 8 * 1500
    finally:
        lake.close()
        catalog.close()


def _is_at(backfill: Backfill, reached: int | None) -> bool:
    """Whether so many pieces are done, or it has ended."""
    return backfill.ended is not None or (reached is not None and backfill.done >= reached)


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with running(tmp_path / "hub", {"air": PUSH_FEED}) as hub:
        failed = _ended(hub, hub.catalog.want_backfill(Backfill(0, "air", path=str(tmp_path / "nowhere"))).id)
        assert failed.state is BackfillState.FAILED
        assert "nowhere" in str(failed.error)
        assert str(tmp_path) not in str(failed.error)


def test_the_live_feed_stays_fresh_while_history_comes_in(tmp_path: Path) -> None:
    _history(tmp_path / "history", 6, 10_000)
    with running(tmp_path / "hub", {"air": PUSH_FEED}) as hub:
        number = hub.catalog.want_backfill(Backfill(0, "air", path=str(tmp_path / "history"))).id
        waits: list[float] = []
        ended = Thread(target=lambda: _ended(hub, number))
        ended.start()
        for minute in range(500):
            if not ended.is_alive():
                break
            hub.push("air", row(minute, thing=f"live-{minute}"))
            began = time.monotonic()
            hub.wait(lambda name=f"live-{minute}": any(one["thing"] == name for one in hub.catalog.latest("air", 1000)), 30)  # type: ignore[misc]
            waits.append(time.monotonic() - began)
        ended.join()
        assert hub.catalog.backfill(number).counts.stored == 60_000
        waits.sort()
        print(f"freshness beside the back-fill: median {waits[len(waits) // 2]:.2f} s, worst {waits[-1]:.2f} s of {len(waits)}")
        assert waits[int(len(waits) * 0.9)] <= 2.0


def test_days_of_a_back_fill_are_those_of_the_city() -> None:
    first, last = (datetime(2026, 10, day, tzinfo=BERLIN).astimezone(UTC) for day in (24, 27))
    lengths = [(one.end - one.start).total_seconds() / 3600 for one in windows_of(Backfill(0, "air", first, last), BERLIN)]
    assert lengths == [24, 25, 24]


@pytest.mark.parametrize(
    ("change", "wanted", "sentence"),
    [
        (("", ""), Backfill(0, "air", FIRST, LAST), "asks for no time"),
        (('kind = "timeseries"', 'kind = "table"'), Backfill(0, "air", path="x"), "no history to fill"),
        (("", ""), Backfill(0, "air", LAST, FIRST, path="x"), "lies before its beginning"),
    ],
)
def test_a_back_fill_that_makes_no_sense_is_refused_in_a_sentence(change: tuple[str, str], wanted: Backfill, sentence: str) -> None:
    text = PUSH_FEED.replace('decoder = "json_table"', 'kind = "timeseries"\ndecoder = "json_table"').replace(*change)
    with pytest.raises(FeedError, match=sentence):
        want(parse_feed(text, "air.toml"), wanted)
