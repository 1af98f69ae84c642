"""A folder as `stadthub init` makes it, and the command line in this process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stadthub_api.cli.app import app

Command = Callable[..., Result]


@pytest.fixture
def stadthub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run `stadthub` with these arguments, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), prog_name="stadthub")

    return run


@pytest.fixture
def city(stadthub: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a new hub, with its example feed switched on; commands are given in it."""
    folder = tmp_path / "my-city"
    assert stadthub("init", str(folder)).exit_code == 0
    feed = folder / "feeds" / "example.toml"
    feed.write_text(feed.read_text("utf-8").replace("paused = true\n", ""), "utf-8")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def filled(stadthub: Command, city: Path) -> Path:
    """The same, after the example feed ran once."""
    done = stadthub("feed", "run", "example")
    assert done.exit_code == 0, done.stderr
    return city


@pytest.fixture
def told(stadthub: Command) -> Callable[..., Any]:
    """What a command says as JSON."""

    def ask(*arguments: str) -> Any:
        done = stadthub(*arguments, "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return ask
