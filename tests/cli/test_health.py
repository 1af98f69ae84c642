"""The health of a hub from the command line: what is broken, silence, test alarms, history."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.pipelines.listeners import web_listener
from tests.pipelines.running import PUSH_FEED, running
from typer.testing import Result

from stadthub_catalog.backfills import BackfillState
from stadthub_catalog.catalog import Catalog
from stadthub_schemas.finding import Severity

Command = Callable[..., Result]


@pytest.fixture
def catalog(filled: Path) -> Any:
    """The catalogue of the hub in whose folder commands are given."""
    opened = Catalog(f"sqlite:///{next(filled.rglob('state.sqlite'))}")
    yield opened
    opened.close()


def test_status_says_what_is_broken_and_ends_with_one(stadthub: Command, catalog: Catalog, told: Callable[..., Any]) -> None:
    assert told("status")["ok"] is True
    catalog.note_finding("example", "late", "", Severity.WARNING)
    assert told("status")["ok"] is True, "a warning breaks nothing"
    catalog.note_finding("example", "silent", "", Severity.ERROR, {"every_seconds": 5400.0, "last": None})
    done = stadthub("status")
    assert done.exit_code == 1
    assert "Broken: example: silent" in done.stderr
    answer = json.loads(stadthub("status", "--json").stdout)
    assert (answer["ok"], answer["broken"]) == (False, ["example: silent: it is silent, expected every 1.5 h; last never"])
    assert {one["kind"] for one in answer["findings"]} == {"late", "silent"}


def test_a_paused_feed_with_an_error_is_not_broken(stadthub: Command, catalog: Catalog) -> None:
    catalog.note_feed("example", error="timed out")
    assert stadthub("status").exit_code == 1
    catalog.note_feed("example", paused=True)
    assert stadthub("status").exit_code == 0


def test_a_feed_is_silenced_for_a_while_and_loud_again(stadthub: Command, catalog: Catalog) -> None:
    assert stadthub("feed", "silence", "example", "--for", "90m").exit_code == 0
    until = catalog.feed("example").silent_until
    assert until is not None
    assert timedelta(minutes=88) < until - datetime.now(UTC) <= timedelta(minutes=90)
    assert stadthub("feed", "silence", "example", "--end").exit_code == 0
    assert catalog.feed("example").silent_until is None
    assert "is not a length of time" in stadthub("feed", "silence", "example", "--for", "long").stderr


def test_a_test_alarm_goes_to_every_address_and_says_which_took_it(stadthub: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "STADTHUB_ALERTS names no address" in stadthub("alert", "test").stderr
    with web_listener() as posts:
        monkeypatch.setenv("STADTHUB_ALERTS", f"json://127.0.0.1:{posts.port}/a,json://geheim:geheim@127.0.0.1:1/b")
        monkeypatch.setenv("STADTHUB_LANGUAGE", "en")
        done = stadthub("alert", "test", "--json")
        assert done.exit_code == 1
        first, second = json.loads(done.stdout)
        assert (first["channel"], first["delivered"]) == ("1: JSON", True)
        assert second["delivered"] is False
        assert "Alarms of this portal arrive here." in posts.texts()[0]
        assert "geheim" not in done.stdout + done.stderr


def test_what_was_told_is_listed(stadthub: Command, filled: Path) -> None:
    assert "Nothing was told yet" in stadthub("alert", "list").stderr


def test_a_back_fill_is_done_by_the_running_hub(stadthub: Command, tmp_path: Path) -> None:
    row = {"thing": "a", "property": "air_temperature", "time": "2025-01-01T00:00:00Z", "result": 20}
    (tmp_path / "old.json").write_bytes(orjson.dumps({"rows": [row]}))
    folder = tmp_path / "hub"
    with running(folder, {"air": PUSH_FEED}) as hub:
        hub.wait(lambda: hub.catalog.feed("air").source == "push", 30)
        done = stadthub("feed", "backfill", "air", "--file", str(tmp_path / "old.json"), "--data-dir", str(folder))
        assert done.exit_code == 0, done.stderr
        number = hub.catalog.backfills("air")[0].id
        hub.wait(lambda: hub.catalog.backfill(number).state is BackfillState.DONE, 30)
        assert hub.catalog.backfill(number).counts.stored == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "say from when on"),
        (("--from", "2024-01-01", "--step", "a day"), "is no length of time"),
        (("--file", "x", "--from", "2024-01-01"), "leave --from and --to away"),
        (("--from", "2024-01-01"), "asks for no time"),
    ],
)
def test_a_back_fill_that_makes_no_sense_is_refused(stadthub: Command, filled: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = stadthub("feed", "backfill", "example", *arguments)
    assert done.exit_code != 0
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
