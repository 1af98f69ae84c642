"""`make real` as a program: without input, with some, and when the input is not what was counted."""

import io
import json
import re
from pathlib import Path

import pytest
from deploy.real import run
from deploy.real.counted import Count
from rich.console import Console

from stadthub_api.app import create_app
from stadthub_schemas.counts import Counts
from stadthub_schemas.settings import Settings
from tests.api.city import client, served

STOP: dict[str, object] = {
    "type": "Feature",
    "properties": {"stop_id": "1", "stop_name": "Domplatz"},
    "geometry": {"type": "Point", "coordinates": [7.62, 51.96]},
}


def _stops(shared: Path, *stops: dict[str, object]) -> None:
    """A folder of input that holds a few stops and nothing else."""
    (shared / "data" / "geodata").mkdir(parents=True, exist_ok=True)
    path = shared / "data" / "geodata" / "haltestellen.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": stops}), "utf-8")


def test_no_input_is_one_sentence_and_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--shared", str(tmp_path / "nowhere"), "--data-dir", str(tmp_path / "hub")]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"Nothing to do: there is no recorded input in {tmp_path / 'nowhere' / 'data'};")
    assert said.out.count("\n") == 1
    assert said.err == ""
    assert not (tmp_path / "hub").exists()


def test_the_input_is_looked_for_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHARED_DIR", str(tmp_path / "elsewhere"))
    assert run.main(["--data-dir", str(tmp_path / "hub")]) == 0
    assert str(tmp_path / "elsewhere" / "data") in capsys.readouterr().out


def test_a_feed_without_its_input_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shared" / "data").mkdir(parents=True)
    assert run.main(["--shared", str(tmp_path / "shared"), "--data-dir", str(tmp_path / "hub")]) == 0
    said = capsys.readouterr().out
    assert all(f"{path.stem}: its input is not there" in said for path in run.FEEDS.glob("*.toml"))


def test_what_was_loaded_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _stops(tmp_path / "shared", STOP)
    assert run.main(["--shared", str(tmp_path / "shared"), "--data-dir", str(tmp_path / "hub")]) == 0
    assert re.search(r"muenster-stops +1 +1 +0 +0 +0 +\d+ ✓", capsys.readouterr().out)
    with served(create_app(Settings(data_dir=tmp_path / "hub"))) as address, client(address) as anybody:
        assert [one["name"] for one in anybody.get("/api/v1/datasets").json()["datasets"]] == ["muenster-stops"]
        assert "Domplatz" in anybody.get("/api/v1/datasets/muenster-stops/rows").text
        assert "Haltestellen Münster und Umland" in anybody.get("/datasets/muenster-stops").text


def test_a_difference_is_shown_and_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twice = [STOP, {**STOP, "properties": {"stop_id": "2", "stop_name": "Hafen"}}]
    arguments = ["--shared", str(tmp_path / "shared"), "--data-dir", str(tmp_path / "hub")]
    _stops(tmp_path / "shared", *twice)
    assert run.main(arguments) == 0
    _stops(tmp_path / "shared", STOP)
    assert run.main(arguments) == 1
    said = capsys.readouterr().out
    assert "received +2, stored +1, duplicate +1" in said
    assert "differ" in said.splitlines()[-1]


def test_no_number_is_cut_in_80_columns() -> None:
    counts = Counts(3_767_055, 3_149_941, 0, 0, 617_114)
    out = io.StringIO()
    run.show([run.Outcome("muenster-bicycle-counts", counts, 4.5, counts.received, ())], Console(file=out, width=80))
    assert "3,767,055 3,149,941" in out.getvalue()
    assert "617,114 837,123 ✓" in out.getvalue()
    assert "…" not in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 80


def test_why_rows_were_refused_stands_below_the_table() -> None:
    out = io.StringIO()
    refused = (("stops.txt line …: stop_id is missing", 9),)
    run.show([run.Outcome("invalid-timetable", Counts(9, 0, 0, 9, 0), 1.0, 9, (), refused)], Console(file=out, width=80))
    assert "invalid-timetable: 9 rejected: stops.txt line …: stop_id is missing" in out.getvalue()


def test_where_80_columns_are_too_few_the_table_is_wider() -> None:
    out = io.StringIO()
    counts = Counts(3_767_055_000, 3_149_941_000, 0, 0, 617_114_000)
    run.show([run.Outcome("muenster-bicycle-counts", counts, 4.5, 0, ("stored +1,000", "sum -0.5"))], Console(file=out, width=40))
    assert "3,767,055,000 3,149,941,000      0      0 617,114,000" in out.getvalue()
    assert "stored +1,000, sum -0.5" in out.getvalue()


def test_received_is_the_sum_of_what_was_counted() -> None:
    assert Count(stored=3, dropped=2, duplicate=1, rejected=4).received == 10
