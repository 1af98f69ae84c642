"""Derived datasets end to end: computed when their inputs change, all or nothing, the same after a kill, told like a feed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from stadthub_lake.snapshot import Reader
from stadthub_pipelines.derive_once import compute_once, try_model
from stadthub_pipelines.folder import FeedFolder
from stadthub_pipelines.spool import Spooling
from stadthub_schemas.errors import SourceError
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings
from tests.pipelines.running import METADATA, PUSH_FEED, Running, row, running

WAIT = 60.0

DAILY = (
    """
id = "daily"
title = "Temperature by day"
dataset = "air-daily"
kind = "table"
key = ["thing", "local_date"]
pause = "PT0.2S"
sql = '''
SELECT thing, local_date, avg(result) AS mean, count(*) AS observations FROM air GROUP BY thing, local_date
'''
"""
    + METADATA
)

HOURLY = (
    """
id = "hourly"
title = "Temperature by hour"
dataset = "air-hourly"
kind = "timeseries"
bucket = "PT1H"
pause = "PT0.2S"
sql = '''
SELECT thing, 'air_temperature' AS observed_property, date_trunc('hour', phenomenon_time) AS phenomenon_time, avg(result) AS result
FROM air GROUP BY ALL
'''
"""
    + METADATA
)


def rows(hub: Running, dataset: str) -> list[dict[str, Any]]:
    """All rows of a dataset."""
    return list(orjson.loads(hub.lake.json(RowsQuery(dataset, limit=None))[0]))


def test_a_table_follows_its_input_and_its_sum_holds(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED, "daily": DAILY}) as hub:
        hub.push("air", row(1, 10), row(2, 20))
        hub.wait(lambda: [one["mean"] for one in rows(hub, "air-daily")] == [15.0], WAIT)
        hub.push("air", row(3, 30), row(3, 5, "b"))
        hub.wait(lambda: sorted(one["mean"] for one in rows(hub, "air-daily")) == [5.0, 20.0], WAIT)
        hub.wait(lambda: hub.catalog.feed("daily").counts.received >= 3, WAIT)
        state = hub.catalog.feed("daily")
        assert state.counts.balanced
        assert (state.source, state.connected, state.error) == ("sql", True, None)
        assert hub.catalog.runs("daily")[0].counts.balanced
        hub.wait(lambda: hub.catalog.entry("air-daily").extent.rows == 2, WAIT)
        lineage = hub.catalog.entry("air-daily").dataset.lineage
        assert lineage is not None
        assert lineage.inputs == ("air",)


def test_a_timeseries_is_corrected_where_its_input_changed(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED, "hourly": HOURLY}) as hub:
        hub.push("air", row(1, 10), row(70, 4))
        hub.wait(lambda: hub.count("air-hourly") == 2, WAIT)
        hub.push("air", row(2, 30))
        hub.wait(lambda: hub.results("air-hourly") == [4.0, 20.0], WAIT)
        hub.wait(lambda: sorted(one["result"] for one in hub.catalog.latest("air-hourly")) == [4.0], WAIT)
        hub.push("air", row(130, 7))
        hub.wait(lambda: hub.results("air-hourly") == [4.0, 7.0, 20.0], WAIT)
        hub.wait(lambda: hub.catalog.feed("hourly").counts.stored == 4, WAIT)
        assert hub.catalog.feed("hourly").counts.balanced


def test_after_a_change_only_the_buckets_that_changed_are_computed(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED, "hourly": HOURLY}) as hub:
        hub.push("air", *(row(60 * hour, hour) for hour in range(10)))
        hub.wait(lambda: hub.count("air-hourly") == 10, WAIT)
        hub.wait(lambda: hub.catalog.feed("air").last_commit_time is not None, WAIT)
        hub.push("air", row(601, 12))
        hub.wait(lambda: hub.count("air-hourly") == 11, WAIT)
        hub.wait(lambda: hub.catalog.runs("hourly", 1)[0].counts.received <= 2, WAIT)


def test_one_of_another_follows_and_operators_are_obeyed(tmp_path: Path) -> None:
    second = DAILY.replace('"daily"', '"whole"').replace('"air-daily"', '"air-whole"').replace('key = ["thing", "local_date"]\n', "")
    second = second.replace(
        "SELECT thing, local_date, avg(result) AS mean, count(*) AS observations FROM air GROUP BY thing, local_date",
        'SELECT max(mean) AS warmest FROM "air-daily"',
    )
    with running(tmp_path, {"air": PUSH_FEED, "daily": DAILY, "whole": second}) as hub:
        hub.push("air", row(1, 10))
        hub.wait(lambda: [one["warmest"] for one in rows(hub, "air-whole")] == [10.0], WAIT)
        hub.catalog.note_feed("daily", paused=True)
        hub.wait(lambda: not hub.catalog.feed("daily").connected, WAIT)
        hub.push("air", row(2, 30))
        hub.wait(lambda: hub.count("air") == 2, WAIT)
        assert [one["mean"] for one in rows(hub, "air-daily")] == [10.0]
        hub.catalog.note_feed("daily", paused=False, wanted_run=hub.catalog.feed("air").last_message_time)
        hub.wait(lambda: [one["warmest"] for one in rows(hub, "air-whole")] == [20.0], WAIT)


def test_what_goes_wrong_is_one_sentence_and_the_last_good_version_stays(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED, "daily": DAILY}) as hub:
        hub.push("air", row(1, 10))
        hub.wait(lambda: hub.count("air-daily") == 1, WAIT)
        (hub.settings.feeds / "daily.toml").write_text(DAILY.replace("avg(result)", "avg(reslut)"), "utf-8")
        hub.wait(lambda: "reslut" in (hub.catalog.feed("daily").error or ""), WAIT)
        error = hub.catalog.feed("daily").error or ""
        assert "\n" not in error
        assert str(tmp_path) not in error
        assert [one["mean"] for one in rows(hub, "air-daily")] == [10.0]
        (hub.settings.feeds / "daily.toml").write_text(DAILY.replace("FROM air", "FROM read_csv('/etc/passwd')"), "utf-8")
        hub.wait(lambda: "read_csv" in (hub.catalog.feed("daily").wrong or ""), WAIT)


def test_rows_without_their_key_are_rejects_that_say_nothing_of_their_content(tmp_path: Path) -> None:
    broken = DAILY.replace("SELECT thing, local_date", "SELECT nullif(thing, 'b') AS thing, local_date")
    with running(tmp_path, {"air": PUSH_FEED, "daily": broken}) as hub:
        hub.push("air", row(1, 10), row(1, 5, "b"))
        hub.wait(lambda: hub.catalog.feed("daily").counts.rejected >= 1, WAIT)
        assert hub.catalog.feed("daily").counts.balanced
        [reject] = hub.reader.rejects("daily").to_pylist()[:1]
        assert reject["reason"] == "thing: missing, every row needs it"
        assert reject["excerpt"] == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("FROM air", "FROM water"), "there is no dataset water"),
        (("FROM air", 'FROM "air-daily"'), "air-daily is made of itself"),
        (("FROM air GROUP", "FROM air, read_parquet('x') GROUP"), "read_parquet"),
        (('dataset = "air-daily"', 'dataset = "air"'), "air comes from another file already"),
        (("pause =", 'bucket = "PT1H"\npause ='), "only a timeseries is computed in parts"),
        (("sql =", "widen = 'x'\nsql ="), "did you mean widens?"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    (tmp_path / "air.toml").write_text(PUSH_FEED, "utf-8")
    (tmp_path / "daily.toml").write_text(DAILY.replace(*change), "utf-8")
    look = FeedFolder(tmp_path).look()
    assert look is not None
    assert told in look.wrong["daily"]
    assert "air" in look.feeds


def test_a_circle_is_told_in_both_files(tmp_path: Path) -> None:
    other = DAILY.replace('"daily"', '"other"').replace('"air-daily"', '"air-other"').replace("FROM air", 'FROM "air-daily"')
    (tmp_path / "daily.toml").write_text(DAILY.replace("FROM air", "FROM air_other"), "utf-8")
    (tmp_path / "other.toml").write_text(other, "utf-8")
    look = FeedFolder(tmp_path).look()
    assert look is not None
    assert "break the circle" in look.wrong["daily"]
    assert "break the circle" in look.wrong["other"]


def test_it_is_not_more_open_than_its_inputs_unless_its_file_says_why(tmp_path: Path) -> None:
    (tmp_path / "air.toml").write_text(PUSH_FEED + '[metadata.columns]\nresult = { access = "internal" }\n', "utf-8")
    (tmp_path / "daily.toml").write_text(DAILY, "utf-8")
    look = FeedFolder(tmp_path).look()
    assert look is not None
    assert 'write access = "internal", or say in widens' in look.wrong["daily"]
    (tmp_path / "daily.toml").write_text("widens = 'means of days were released on 1 May by the data office'\n" + DAILY, "utf-8")
    look = FeedFolder(tmp_path).look() or look
    assert "daily" in look.models
    (tmp_path / "daily.toml").write_text(DAILY + 'access = "internal"\n', "utf-8")
    look = FeedFolder(tmp_path).look() or look
    assert "daily" in look.models


def test_a_trial_writes_nothing_and_a_run_without_a_worker_does(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED}) as hub:
        hub.push("air", row(1, 10))
        hub.wait(lambda: hub.count("air") == 1, WAIT)
        settings = hub.settings
    (settings.feeds / "daily.toml").write_text(DAILY, "utf-8")
    look = FeedFolder(settings.feeds).look()
    assert look is not None
    trial = try_model(look.models["daily"], look.datasets["daily"], settings)
    assert trial.accepted.to_pylist()[0]["mean"] == 10.0
    assert trial.counts.balanced
    assert "air-daily" not in Reader(settings.lake, settings.data_dir).datasets()
    derivation = compute_once(look.models["daily"], look.datasets["daily"], settings)
    assert (derivation.error, derivation.counts.stored) == (None, 1)


def test_without_data_it_says_what_to_do_first(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "min_free_mb": 0})
    settings.feeds.mkdir(parents=True)
    (settings.feeds / "air.toml").write_text(PUSH_FEED, "utf-8")
    (settings.feeds / "daily.toml").write_text(DAILY, "utf-8")
    look = FeedFolder(settings.feeds).look()
    assert look is not None
    with pytest.raises(SourceError, match="air has no data yet"):
        try_model(look.models["daily"], look.datasets["daily"], settings)


def test_killed_at_any_time_it_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    """The worker process is killed while it computes, twice; then it is left alone."""
    environment = {
        **os.environ,
        "STADTHUB_DATA_DIR": str(tmp_path),
        "STADTHUB_MIN_FREE_MB": "0",
        "STADTHUB_COMMIT_SECONDS": "0.3",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    feeds = tmp_path / "feeds"
    feeds.mkdir(parents=True)
    for name, text in {"air": PUSH_FEED, "daily": DAILY, "hourly": HOURLY}.items():
        (feeds / f"{name}.toml").write_text(text, "utf-8")
    for cycle in range(2):
        spooling = Spooling(tmp_path / "push" / "air", "application/json", "test")
        spooling.write(json.dumps({"rows": [row(cycle * 200 + number, number % 40) for number in range(200)]}).encode())
        spooling.keep()
        process = subprocess.Popen([sys.executable, "-m", "stadthub_pipelines"], env=environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        for line in process.stderr:
            if "taken up" in line and "hourly" in line:
                break
        try:
            process.wait(0.4 + 0.5 * cycle)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
    with running(tmp_path, {}) as hub:
        hub.wait(lambda: hub.count("air") == 400, WAIT)
        expected = sum(one["result"] for one in rows(hub, "air"))
        hub.wait(lambda: sum(one["mean"] * one["observations"] for one in rows(hub, "air-daily")) == pytest.approx(expected), WAIT)
        hub.wait(lambda: hub.count("air-hourly") == 7, WAIT)
        for name in ("daily", "hourly"):
            hub.wait(lambda name=name: hub.catalog.feed(name).counts.balanced, WAIT)  # type: ignore[misc]  # bound now
