"""`stadthub feed findings`, `quarantine`, `release` and `discard`: seen and decided without a running hub, done by the next run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Command


@pytest.fixture
def strange(stadthub: Command, filled: Path) -> Path:
    """The example feed has a contract, and its file comes with a new name of a column."""
    feed = filled / "feeds" / "example.toml"
    feed.write_text('contract = "quarantine"\n' + feed.read_text("utf-8"), "utf-8")
    file = filled / "example" / "counts.csv"
    first, _, rest = file.read_text("utf-8").partition("\n")
    name = first.split(";")[0]
    file.write_text(f"{name} neu{first[len(name) :]}\n{rest}market;2026-05-02 10:00;7\n", "utf-8")
    assert stadthub("feed", "run", "example").exit_code == 0
    return filled


def test_a_payload_that_differs_is_listed_mended_and_released(stadthub: Command, told: Callable[..., Any], strange: Path) -> None:
    (held,) = told("feed", "quarantine", "example")
    assert held["position"] == 2
    assert held["excerpt"].startswith("station neu;")
    assert "may be its new name" in held["reason"]
    assert "may be its new name" in stadthub("feed", "quarantine", "example").stdout
    assert {one["kind"] for one in told("feed", "findings", "example")} == {"column_renamed", "quarantine"}
    feed = strange / "feeds" / "example.toml"
    feed.write_text('renames = { "station neu" = "station" }\n' + feed.read_text("utf-8"), "utf-8")
    done = stadthub("feed", "release", "example", "--all")
    assert "1 payloads released, as soon as the hub runs" in done.stderr
    assert stadthub("feed", "run", "example").exit_code == 0
    assert told("feed", "quarantine", "example") == []
    assert told("feed", "findings", "example") == []
    (state,) = told("feed", "list")
    assert (state["counts"]["rejected"], state["counts"]["received"]) == (0, 9)


def test_a_payload_that_is_discarded_stays_rejected(stadthub: Command, told: Callable[..., Any], strange: Path) -> None:
    assert stadthub("feed", "discard", "example", "2").exit_code == 0
    assert told("feed", "quarantine", "example") == []
    assert json.loads(stadthub("status", "--json").stdout)["balanced"] is True
    again = stadthub("feed", "discard", "example", "2")
    assert again.exit_code == 1
    assert "no payload 2 is in quarantine" in again.stderr


def test_which_payloads_are_meant_must_be_said(stadthub: Command, strange: Path) -> None:
    for words in ((), ("2", "--all")):
        done = stadthub("feed", "release", "example", *words)
        assert done.exit_code == 1
        assert "name the positions of payloads, or --all" in done.stderr
