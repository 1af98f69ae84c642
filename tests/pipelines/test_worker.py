"""The worker end to end: what is pushed becomes rows, what is wrong becomes rejects, and operators are obeyed."""

import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from stadthub_schemas.query import RowsQuery
from tests.pipelines.running import METADATA, PUSH_FEED, Running, row, running


def test_what_is_pushed_is_visible_before_its_commit_and_becomes_the_latest_value(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED}, commit_seconds=3600.0) as hub:
        hub.push("air", row(1), row(2))
        hub.wait(lambda: hub.count("air") == 2)
        hub.wait(lambda: len(hub.catalog.latest("air")) == 1)
        assert hub.catalog.feed("air").last_commit_time is None


def test_the_sum_always_holds(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED}) as hub:
        hub.push("air", row(1), row(2), row(1), row(3, "hot"), row(4, 999))
        hub.push_bytes("air", b"{broken")
        hub.wait(lambda: _received(hub) == 6)
        hub.wait(lambda: hub.catalog.feed("air").counts.balanced)
        counts = hub.catalog.feed("air").counts
        assert (counts.stored, counts.duplicate, counts.rejected) == (2, 1, 3)


def test_a_restart_brings_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED}) as hub:
        hub.push("air", *(row(number) for number in range(50)))
        hub.wait(lambda: hub.count("air") == 50)
    with running(tmp_path, {}) as hub:
        hub.push("air", *(row(number) for number in range(40, 60)))
        hub.wait(lambda: hub.count("air") == 60)
        hub.wait(lambda: _received(hub) == 70)
        assert hub.catalog.feed("air").counts.duplicate == 10


def test_a_wrong_file_leaves_the_old_feed_running_and_is_shown(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED}) as hub:
        hub.push("air", row(1))
        hub.wait(lambda: hub.count("air") == 1)
        (hub.settings.feeds / "air.toml").write_text(PUSH_FEED.replace("decoder =", "decodr ="), "utf-8")
        hub.wait(lambda: "decodr" in (hub.catalog.feed("air").wrong or ""))
        hub.push("air", row(2))
        hub.wait(lambda: hub.count("air") == 2)
        (hub.settings.feeds / "air.toml").write_text(PUSH_FEED.replace('title = "Air"', 'title = "Fresh air"'), "utf-8")
        hub.wait(lambda: hub.catalog.feed("air").title == "Fresh air" and hub.catalog.feed("air").wrong is None)


def test_a_new_file_is_taken_up_while_running(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED}) as hub:
        second = PUSH_FEED.replace('"air"', '"water"')
        (hub.settings.feeds / "water.toml").write_text(second, "utf-8")
        hub.push("water", row(1))
        hub.wait(lambda: hub.count("water") == 1)
        hub.wait(lambda: hub.catalog.entry("water").extent.rows == 1, 30)


def test_a_paused_feed_takes_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED}) as hub:
        hub.wait(lambda: hub.catalog.feed("air").connected)
        hub.catalog.note_feed("air", paused=True)
        hub.wait(lambda: not hub.catalog.feed("air").connected)
        hub.push("air", row(1))
        time.sleep(0.5)
        assert hub.count("air") == 0
        hub.catalog.note_feed("air", paused=False)
        hub.wait(lambda: hub.count("air") == 1)


def test_a_replay_after_a_mend_brings_the_rejected_rows_and_no_duplicates(tmp_path: Path) -> None:
    begin = datetime.now(UTC)
    with running(tmp_path, {"air": PUSH_FEED}) as hub:
        hub.push("air", row(1), row(2, 95))
        hub.wait(lambda: _received(hub) == 2)
        assert hub.count("air") == 1
        mended = PUSH_FEED.replace("[metadata]", "[rules]\nranges = { air_temperature = [-60, 100] }\n[metadata]")
        (hub.settings.feeds / "air.toml").write_text(mended, "utf-8")
        hub.wait(lambda: hub.worker.feed("air").rules.ranges != {})
        hub.catalog.note_feed("air", replay_since=begin)
        hub.wait(lambda: hub.count("air") == 2)
        hub.wait(lambda: _received(hub) == 4)
        assert hub.results("air") == [1, 95]
        assert hub.catalog.feed("air").counts.balanced


def test_a_replay_with_a_mended_scale_replaces_the_values_everywhere(tmp_path: Path) -> None:
    begin = datetime.now(UTC)
    columns, values = 'columns = { thing = "thing", phenomenon_time = "time" }', 'result = { observed_property = "air_temperature" }'
    wrong = "\n".join(line if not line.startswith("columns") else f"{columns}\nvalues = {{ {values} }}" for line in PUSH_FEED.split("\n"))
    with running(tmp_path, {"air": wrong}) as hub:
        hub.push("air", row(1, 10), row(2, 20), row(3, 30))
        hub.wait(lambda: _received(hub) == 3 and len(hub.reader.snapshot("air").files) == 1)
        between = datetime.now(UTC)
        mended = wrong.replace('"air_temperature" }', '"air_temperature", factor = 0.1 }')
        (hub.settings.feeds / "air.toml").write_text(mended, "utf-8")
        hub.wait(lambda: "factor" in str(hub.worker.feed("air").options))
        hub.catalog.note_feed("air", replay_since=begin)
        hub.wait(lambda: _received(hub) == 6)
        assert hub.results("air") == [1, 2, 3]
        counts = hub.catalog.feed("air").counts
        assert counts.balanced
        assert (counts.stored, counts.duplicate) == (6, 0)
        assert [one["result"] for one in hub.catalog.latest("air")] == [3]
        recent = hub.catalog.recent("air", hub.catalog.latest("air")[0]["datastream"], 3)
        assert recent is not None
        assert [one["result"] for one in orjson.loads(recent)] == [3, 2, 1]
        then = hub.lake.rows(RowsQuery("air", as_of=between)).table
        assert sorted(then["result"].to_pylist()) == [10, 20, 30]


def test_a_type_conflict_goes_to_quarantine_and_the_last_good_data_stay_served(tmp_path: Path) -> None:
    feed = (
        'id = "budget"\ntitle = "Budget"\ndataset = "budget"\nkind = "table"\ndecoder = "csv_table"\n[source]\ntype = "push"\n'
        '[options]\ndelimiter = ";"\n' + METADATA
    )
    with running(tmp_path, {"budget": feed}) as hub:
        hub.push_bytes("budget", b"year;amount\n2025;100\n2026;120\n")
        hub.wait(lambda: hub.count("budget") == 2)
        hub.push_bytes("budget", b"year;amount\n2025;plenty\n")
        hub.wait(lambda: hub.catalog.feed("budget").quarantine is not None)
        assert hub.count("budget") == 2
        assert hub.catalog.feed("budget").counts.balanced
        hub.push_bytes("budget", b"year;amount;unit\n2025;100;EUR\n2026;120;EUR\n2027;130;EUR\n")
        hub.wait(lambda: hub.count("budget") == 3)
        assert "unit" in {column.name for column in hub.reader.columns("budget")}


def _received(hub: Running) -> int:
    counts = hub.catalog.feed("air").counts
    return counts.received


def test_a_missing_secret_holds_up_its_own_feed_only_and_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    source = f'type = "mqtt"\nhost = "127.0.0.1"\nport = 1\ntopics = ["a"]\nusername = "hub"\npassword = "file:{secret}"'
    broker = PUSH_FEED.replace('"air"', '"broker"').replace('type = "push"', source)
    with running(tmp_path, {"air": PUSH_FEED, "broker": broker}) as hub:
        hub.wait(lambda: "secret file can't be read" in (hub.catalog.feed("broker").error or ""))
        hub.push("air", row(1))
        hub.wait(lambda: hub.count("air") == 1)
        secret.write_text("geheim", "utf-8")
        hub.wait(lambda: "secret file" not in (hub.catalog.feed("broker").error or "secret file"))


def test_a_feed_that_its_file_pauses_is_shown_as_paused(tmp_path: Path) -> None:
    with running(tmp_path, {"air": PUSH_FEED.replace("decoder", "paused = true\ndecoder", 1)}) as hub:
        hub.wait(lambda: hub.catalog.feed("air").held)
        (hub.settings.feeds / "air.toml").write_text(PUSH_FEED, "utf-8")
        hub.wait(lambda: not hub.catalog.feed("air").held)


def test_the_folder_of_a_hub_is_for_its_owner_alone(tmp_path: Path) -> None:
    with running(tmp_path / "new", {"air": PUSH_FEED}, feeds_dir=tmp_path / "feeds") as hub:
        hub.wait(lambda: hub.catalog.feed("air").source == "push")
        assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_a_poisonous_payload_stops_no_feed_and_is_counted(tmp_path: Path) -> None:
    poison = (
        b'{"rows":[{"thing":' + b"[" * 1000 + b"]" * 1000 + b',"property":"pm10","time":"2026-01-01T00:00:00Z","result":1}]}',
        b'{"rows":[{"thing":"a","property":"x","time":"9999-12-31T24:00","result":1}]}',
        b'{"rows":' + b"[" * 100_000,
        b'{"rows":[{"thing":"a","property":"pm10","time":"2026-01-01T00:00:00Z","result":' + b"9" * 5000 + b"}]}",
    )
    with running(tmp_path, {"air": PUSH_FEED}) as hub:
        for body in poison:
            hub.push_bytes("air", body)
        hub.push("air", row(1))
        hub.wait(lambda: hub.count("air") == 1)
        hub.wait(lambda: hub.catalog.feed("air").counts.rejected == len(poison))
        assert hub.catalog.feed("air").counts.balanced
