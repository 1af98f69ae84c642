"""`stadthub feed`: check, try, run, and wishes for the worker."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.conftest import Command

from stadthub_catalog.catalog import Catalog

#: What is said of public data that nobody declared released.
HINT = "daily.toml: metadata.release: missing: say who released these public data, when, and on which legal basis"


def test_all_mistakes_of_all_files_are_told_at_once(stadthub: Command, city: Path) -> None:
    feed = city / "feeds" / "example.toml"
    (city / "feeds" / "wrong.toml").write_text(feed.read_text("utf-8").replace("delimiter", "delimeter"), "utf-8")
    (city / "feeds" / "worse.toml").write_text('id = "worse"\n[source]\ntype = "file"\npaht = "x"\n', "utf-8")
    done = stadthub("feed", "check")
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert "wrong.toml: options.delimeter: there is no such key: did you mean delimiter?" in lines
    assert "worse.toml: source.paht: there is no such key: did you mean path?" in lines
    assert "worse.toml: title: Field required" in lines
    assert any(line.startswith("wrong.toml: id: example is the id of example.toml too") for line in lines)
    assert lines[-1] == "1 of 3 feed files are right."


def test_right_files_pass(stadthub: Command, city: Path) -> None:
    assert stadthub("feed", "check", str(city / "feeds" / "example.toml")).exit_code == 0


def test_a_trial_shows_what_would_come_and_writes_nothing(stadthub: Command, told: Callable[..., Any], city: Path) -> None:
    trial = told("feed", "try", "feeds/example.toml")
    assert trial["counts"] == {"received": 4, "stored": 3, "duplicate": 0, "rejected": 0, "dropped": 1}
    assert {"name": "result", "type": "double"} in trial["columns"]
    assert trial["accepted"][0]["phenomenon_time"] == "2026-05-01T08:00:00Z"
    assert trial["page"].endswith("/datasets/bicycle-counts")
    assert "Sum" in stadthub("feed", "try", "feeds/example.toml").stdout
    assert not (city / "data").exists()


def test_a_trial_shows_each_reason_of_a_reject(stadthub: Command, city: Path) -> None:
    with (city / "example" / "counts.csv").open("a", encoding="utf-8") as file:
        file.write("market;yesterday;88\n")
    shown = stadthub("feed", "try", "feeds/example.toml").stdout
    assert "Rejects by reason" in shown
    assert "yesterday" in shown


def test_a_feed_runs_without_a_hub_and_its_sum_holds(stadthub: Command, told: Callable[..., Any], filled: Path) -> None:
    (feed,) = told("feed", "list")
    assert feed["feed"] == "example"
    assert feed["counts"] == {"received": 4, "stored": 3, "duplicate": 0, "rejected": 0, "dropped": 1}
    status = told("status")
    assert status["balanced"] is True
    assert status["worker"] is False
    assert status["total"]["received"] == 4
    assert "together" in stadthub("status").stdout


def test_wishes_are_left_where_the_worker_looks(stadthub: Command, filled: Path) -> None:
    for arguments in (("pause", "example"), ("replay", "example", "--since", "2026-05-01")):
        assert stadthub("feed", *arguments).exit_code == 0
    catalog = Catalog(f"sqlite:///{filled / 'data' / 'state.sqlite'}")
    state = catalog.feed("example")
    assert state.paused
    assert state.replay_since is not None
    assert state.replay_since.isoformat() == "2026-04-30T22:00:00+00:00", "the city's midnight"
    assert stadthub("feed", "resume", "example").exit_code == 0
    assert not catalog.feed("example").paused
    assert [(one.what, one.who) for one in catalog.audited("feed.", 10)][:3] == [
        ("feed.resume", "command line"),
        ("feed.replay", "command line"),
        ("feed.pause", "command line"),
    ]
    catalog.close()


def test_an_unknown_feed_is_told_with_those_that_are_there(stadthub: Command, city: Path) -> None:
    done = stadthub("feed", "run", "exampel")
    assert done.exit_code == 1
    assert "There is no feed 'exampel'" in done.stderr
    assert "example" in done.stderr


def test_a_time_that_is_none_is_a_usage_error(stadthub: Command, city: Path) -> None:
    done = stadthub("feed", "replay", "example", "--since", "whenever")
    assert done.exit_code == 2
    assert "is not a time" in done.stderr


def test_a_push_feed_has_no_run(stadthub: Command, city: Path) -> None:
    feed = (city / "feeds" / "example.toml").read_text("utf-8")
    head, _, tail = feed.partition("[source]")
    (city / "feeds" / "example.toml").write_text(head + '[source]\ntype = "push"\n' + tail[tail.index("[options]") :], "utf-8")
    done = stadthub("feed", "run", "example")
    assert done.exit_code == 1
    assert "needs no run" in done.stderr


DERIVED = """
id = "daily"
title = "Bicycles by day"
dataset = "bicycles-daily"
sql = "SELECT thing, local_date, sum(result) AS bicycles FROM bicycle_counts GROUP BY ALL"
key = ["thing", "local_date"]
"""


def test_a_derived_dataset_is_checked_tried_run_and_paused_like_a_feed(stadthub: Command, told: Callable[..., Any], filled: Path) -> None:
    metadata = (filled / "feeds" / "example.toml").read_text("utf-8").partition("[metadata]")[2]
    file = filled / "feeds" / "daily.toml"
    file.write_text(DERIVED + "[metadata]" + metadata, "utf-8")
    assert stadthub("feed", "check", str(file)).exit_code == 0
    assert told("feed", "check")[0] == {"file": "daily.toml", "feed": "daily", "mistakes": [], "hints": [HINT]}
    trial = told("feed", "try", "feeds/daily.toml")
    assert [row["bicycles"] for row in trial["accepted"]]
    assert trial["counts"]["received"] == trial["counts"]["stored"]
    assert "Nothing was written" in stadthub("feed", "try", "feeds/daily.toml").stderr
    done = told("feed", "run", "daily")
    assert (done["by"], done["error"], done["stored"]) == ("here", None, trial["counts"]["stored"])
    assert {one["feed"]: one["source"] for one in told("feed", "list")} == {"daily": "sql", "example": "file"}
    assert stadthub("feed", "pause", "daily").exit_code == 0
    refused = stadthub("feed", "replay", "daily", "--since", "1d")
    assert refused.exit_code == 1
    assert "nothing to replay" in refused.stderr
    file.write_text(DERIVED.replace("bicycle_counts", "cars") + "[metadata]" + metadata, "utf-8")
    wrong = stadthub("feed", "run", "daily")
    assert wrong.exit_code == 1
    assert "there is no dataset cars" in wrong.stderr
