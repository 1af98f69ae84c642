"""`stadthub dataset`, `query`, `doctor`: what is in the hub, taken out of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.cli.conftest import Command


def test_datasets_are_listed_and_shown(stadthub: Command, told: Callable[..., Any], filled: Path) -> None:
    (entry,) = told("dataset", "list")
    assert entry["dataset"]["name"] == "bicycle-counts"
    assert entry["extent"]["rows"] == 3
    assert told("dataset", "show", "bicycle-counts")["dataset"]["metadata"]["license"] == "dl-de-by-2.0"
    assert "Radverkehr an Zählstellen" in stadthub("dataset", "show", "bicycle-counts").stdout


def test_a_check_says_what_other_catalogues_miss(stadthub: Command, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = stadthub("dataset", "check", "bicycle-counts", "--json")
    told = json.loads(done.stdout)["bicycle-counts"]
    assert sum(one["points"] for one in told["metrics"]) == told["points"]
    assert {one["metric"] for one in told["missing"]} == {one["metric"] for one in told["metrics"] if one["points"] < one["most"]}
    assert told["published"] == (told["points"] >= 351) == (done.exit_code == 0)
    assert "contactPointAvailability" in {one["metric"] for one in told["missing"]}
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert "Ansprechstelle" in stadthub("dataset", "check").stdout
    assert stadthub("dataset", "check", "bicycles").exit_code == 1


def test_an_export_is_a_whole_file_or_none(stadthub: Command, filled: Path) -> None:
    done = stadthub("dataset", "export", "bicycle-counts", "--format", "parquet", "--output", "counts.parquet", "--column", "result")
    assert done.exit_code == 0, done.stderr
    assert sorted(pq.read_table("counts.parquet").column("result").to_pylist()) == [88.0, 124.0, 131.0]
    assert not list(filled.glob(".counts*"))
    assert stadthub("dataset", "export", "bicycle-counts", "--output", "nowhere/counts.csv").exit_code == 1


def test_an_export_goes_to_standard_output(stadthub: Command, filled: Path) -> None:
    lines = stadthub("dataset", "export", "bicycle-counts").stdout.splitlines()
    assert len(lines) == 4
    assert "phenomenon_time" in lines[0]


@pytest.mark.parametrize("arguments", [("show", "bicycles"), ("export", "bicycles")])
def test_an_unknown_dataset_is_one_sentence(stadthub: Command, filled: Path, arguments: tuple[str, ...]) -> None:
    done = stadthub("dataset", *arguments)
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "bicycles" in done.stderr


def test_sql_answers_as_table_json_and_csv(stadthub: Command, filled: Path) -> None:
    sql = 'SELECT thing, sum(result) AS total FROM "bicycle-counts" GROUP BY 1 ORDER BY 1'
    assert json.loads(stadthub("query", sql, "--json").stdout) == [{"thing": "bridge", "total": 255.0}, {"thing": "market", "total": 88.0}]
    assert stadthub("query", sql, "--csv").stdout.splitlines()[1].startswith('"bridge",255')
    assert "market" in stadthub("query", sql).stdout
    assert stadthub("query", sql, "--csv", "--json").exit_code == 2


@pytest.mark.parametrize("sql", ["DROP TABLE x", "SELECT * FROM nothing", "SELECT", "COPY (SELECT 1) TO 'x.csv'"])
def test_sql_that_makes_no_sense_is_a_sentence(stadthub: Command, filled: Path, sql: str) -> None:
    done = stadthub("query", sql)
    assert done.exit_code == 1
    assert "Traceback" not in done.stderr
    assert "mistake in Stadthub" not in done.stderr
    assert not (filled / "x.csv").exists()


def test_the_doctor_says_what_it_finds_as_json(stadthub: Command, filled: Path) -> None:
    done = stadthub("doctor", "--json")
    assert done.exit_code == 0, done.stdout
    assert isinstance(json.loads(done.stdout), list)
