"""What holds for all commands: help with examples, exit codes, sentences, settings."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.cli.conftest import Command
from typer.core import TyperGroup
from typer.main import get_command

from stadthub_api.cli.app import COMMANDS, app
from stadthub_catalog.catalog import Catalog
from stadthub_ingest import registry
from stadthub_schemas.access import Role
from stadthub_schemas.settings import Settings, load_settings


def _all() -> list[tuple[str, ...]]:
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = whole.get_command(typer.Context(whole), name)
        found += [(name, inner) for inner in command.commands] if isinstance(command, TyperGroup) else [(name,)]
    return found


@pytest.mark.parametrize("command", _all(), ids=" ".join)
def test_every_command_has_help_with_an_example(stadthub: Command, command: tuple[str, ...]) -> None:
    done = stadthub(*command, "--help")
    assert done.exit_code == 0
    assert "Example" in done.stdout
    assert f"stadthub {command[0]}" in done.stdout.partition("Example")[2]


@pytest.mark.parametrize("arguments", [["tokn"], ["up", "--prot", "1"], ["feed"], ["up", "--port", "99999"], ["token", "create"]], ids=str)
def test_what_is_not_understood_is_exit_code_2(stadthub: Command, arguments: list[str]) -> None:
    assert stadthub(*arguments).exit_code == 2


def test_a_mistyped_command_gets_its_nearest(stadthub: Command) -> None:
    assert "did you mean token?" in stadthub("tokn").stderr


def test_a_mistyped_setting_is_an_error_with_its_nearest(stadthub: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STADTHUB_PROT", "1")
    monkeypatch.setenv("STADTHUB_THREADS", "many")
    done = stadthub("up")
    assert done.exit_code == 1
    assert "STADTHUB_PROT: there is no such setting: did you mean STADTHUB_PORT?" in done.stderr
    assert "STADTHUB_THREADS: " in done.stderr


def test_no_hub_is_a_sentence_that_says_what_to_do(stadthub: Command, tmp_path: Path) -> None:
    for command in (["status"], ["dataset", "list"], ["token", "list"], ["query", "SELECT 1"], ["doctor"]):
        done = stadthub(*command)
        assert done.exit_code == 1
        assert "There is no hub in stadthub-data" in done.stderr
    assert not list(tmp_path.iterdir())


def test_init_makes_settings_that_name_every_setting_and_are_taken(stadthub: Command, tmp_path: Path) -> None:
    folder = tmp_path / "city"
    assert stadthub("init", str(folder)).exit_code == 0
    text = (folder / "stadthub.toml").read_text("utf-8")
    assert all(f"{name} = " in text for name in Settings.model_fields)
    assert load_settings({}, folder / "stadthub.toml").feeds == folder / "feeds"
    assert tomllib.loads(text.replace("\n#", "\n").replace("\n ", "\n# "))["commit_rows"] == 25_000
    again = stadthub("init", str(folder))
    assert again.exit_code == 1
    assert "not an empty folder" in again.stderr


def test_a_token_is_shown_once_and_works_until_revoked(stadthub: Command, told: Callable[..., Any], city: Path) -> None:
    token = told("token", "create", "ci", "--role", "admin", "--expires", "30d")
    assert list(token) == ["token"]
    catalog = Catalog(f"sqlite:///{city / 'data' / 'state.sqlite'}")
    assert catalog.principal(token["token"]).role is Role.ADMIN
    listed = stadthub("token", "list", "--json").stdout
    assert json.loads(listed)[0]["name"] == "ci"
    assert token["token"] not in listed
    assert stadthub("token", "create", "ci").exit_code == 1
    assert stadthub("token", "revoke", "ci").exit_code == 0
    assert stadthub("token", "revoke", "ci").exit_code == 1
    catalog.close()


def test_the_schema_of_a_feed_knows_each_decoder_with_its_options(stadthub: Command) -> None:
    schema = json.loads(stadthub("schema", "feed").stdout)
    assert "sql" in schema["$defs"]["Derived"]["required"]
    feed = schema["$defs"]["Feed"]
    assert feed["properties"]["decoder"]["enum"] == registry.names()
    assert {rule["if"]["properties"]["decoder"]["const"] for rule in feed["allOf"]} == set(registry.names())
    assert "delimiter" in schema["$defs"]["csv_table.Options"]["properties"]
    text = json.dumps(schema)
    references = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert references <= set(schema["$defs"])
