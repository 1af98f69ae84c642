"""Drift through a running worker: payloads that look other than usual are found and named, and the contract decides."""

from pathlib import Path
from typing import Any

import pytest

from stadthub_schemas.finding import Finding, HeldState
from tests.pipelines.running import METADATA, Running, running

CSV = """
id = "air"
title = "Air"
dataset = "air"
decoder = "csv_table"
contract = "{contract}"
[source]
type = "file"
path = "{folder}"
every = "PT0.2S"
[options]
delimiter = ";"
columns = {{ thing = "Station", phenomenon_time = "Zeit" }}
values = {{ "Temperatur" = {{ observed_property = "air_temperature" }} }}
""" + METADATA.replace("{", "{{").replace("}", "}}")

HEADER = "Station;Zeit;Temperatur"


def lines(start: int, count: int = 3, header: str = HEADER, thing: str = "s1", more: str = "") -> str:
    """A payload of so many hours."""
    values = (f"{thing};2026-01-{1 + (start + n) // 24:02}T{(start + n) % 24:02}:00:00Z;{5 + n % 3}{more}" for n in range(count))
    return "\n".join([header, *values]) + "\n"


class City:
    """A folder whose files a running worker reads, one at a time."""

    def __init__(self, hub: Running, folder: Path) -> None:
        self.hub = hub
        self.folder = folder
        self.number = 0

    def bring(self, payload: str | bytes) -> None:
        """One file, taken in and committed before this returns."""
        before = self.counts()["received"]
        self.number += 1
        hidden = self.folder / f".{self.number:03}"
        hidden.write_bytes(payload if isinstance(payload, bytes) else payload.encode())
        hidden.rename(self.folder / f"{self.number:03}.csv")
        self.hub.wait(lambda: self.counts()["received"] > before, 45)

    def counts(self) -> dict[str, int]:
        self.hub.wait(lambda: bool(self.hub.catalog.feed("air")), 45)
        counts = self.hub.catalog.feed("air").counts
        assert counts.balanced
        return counts.as_dict()

    def findings(self) -> dict[str, Finding]:
        return {one.kind: one for one in self.hub.catalog.findings("air")}

    def rows(self) -> int:
        return self.hub.count("air")


@pytest.fixture
def city(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """A worker over one feed with the contract that the test names."""
    folder = tmp_path / "files"
    folder.mkdir()
    text = CSV.format(contract=getattr(request, "param", "evolve"), folder=folder)
    with running(tmp_path / "data", {"air": text}) as hub:
        yield City(hub, folder)


@pytest.mark.parametrize("city", ["quarantine"], indirect=True)
def test_a_payload_that_differs_is_put_aside_and_taken_in_once_it_is_mended(city: City) -> None:
    city.bring(lines(0))
    city.bring(lines(3, header="Station;Zeit;Temp"))
    assert city.rows() == 3
    assert city.counts() == {"received": 4, "stored": 3, "duplicate": 0, "rejected": 1, "dropped": 0}
    (held,) = city.hub.catalog.held("air")
    assert held.reason == "column 'Temperatur' is missing, 'Temp' may be its new name"
    assert city.findings().keys() == {"column_renamed", "quarantine"}
    city.hub.wait(lambda: city.hub.catalog.feed("air").quarantine == held.reason)
    path = city.hub.settings.feeds / "air.toml"
    path.write_text(path.read_text().replace("[source]", 'renames = { "Temp" = "Temperatur" }\n[source]', 1))
    city.hub.wait(lambda: city.hub.worker.feed("air").renames == {"Temp": "Temperatur"}, 45)
    city.hub.catalog.decide("air", [held.position], HeldState.RELEASING, "operator")
    city.hub.wait(lambda: city.rows() == 6, 45)
    city.hub.wait(lambda: city.counts() == {"received": 6, "stored": 6, "duplicate": 0, "rejected": 0, "dropped": 0}, 45)
    assert city.hub.catalog.held("air") == []
    city.hub.wait(lambda: not city.findings() and city.hub.catalog.feed("air").quarantine is None, 45)


@pytest.mark.parametrize("city", ["quarantine"], indirect=True)
def test_payloads_are_taken_as_they_are_in_their_order_or_discarded(city: City) -> None:
    city.bring(lines(0))
    for number in (1, 2):
        city.bring(lines(3 * number, header="Station;Zeit;Temperatur;Neu", more=";x"))
    city.bring("<html><body>Wartung</body></html>")
    first, second, page = city.hub.catalog.held("air")
    assert [one.reason for one in (first, page)] == ["column 'Neu' is new", "payloads are html where table is usual"]
    city.hub.catalog.decide("air", [page.position], HeldState.DISCARDED, "operator")
    city.hub.catalog.decide("air", [first.position, second.position], HeldState.RELEASING, "operator")
    city.hub.wait(lambda: city.hub.catalog.held_payload("air", second.position).state is HeldState.HELD, 45)
    assert city.rows() == 3
    city.hub.catalog.decide("air", [first.position, second.position], HeldState.ACCEPTING, "operator")
    city.hub.wait(lambda: city.rows() == 9, 45)
    city.hub.wait(lambda: city.counts() == {"received": 10, "stored": 9, "duplicate": 0, "rejected": 1, "dropped": 0}, 45)
    city.bring(lines(9, header="Station;Zeit;Temperatur;Neu", more=";x"))
    assert city.rows() == 12
    assert city.hub.catalog.quarantined() == {}


@pytest.mark.parametrize("city", ["freeze"], indirect=True)
def test_a_frozen_feed_takes_known_columns_only_and_refuses_payloads_that_lack_one(city: City) -> None:
    city.bring(lines(0))
    city.bring(lines(3, header="Station;Zeit;Temperatur;Neu", more=";x"))
    assert city.rows() == 6
    assert city.findings()["column_new"].details["dropped"] is True
    city.bring("Station;Zeit\ns1;2026-01-02T00:00:00Z\n")
    assert city.rows() == 6
    assert city.hub.catalog.held("air") == []
    city.hub.wait(lambda: city.hub.reader.rejects("air").num_rows == 1, 45)
    assert "the feed is frozen" in city.hub.reader.rejects("air")["reason"][0].as_py()
    city.bring(lines(6))
    city.hub.wait(lambda: "column_missing" not in city.findings(), 45)


CHANGES: dict[str, str | bytes] = {
    "column_new": lines(9, header=f"{HEADER};Neu", more=";x"),
    "column_missing": "Station;Zeit\ns1;2026-01-02T00:00:00Z\n",
    "column_renamed": lines(9, header="Station;Zeit;Temperatur in Grad"),
    "column_retyped": lines(9).replace(";5", ";kalt").replace(";6", ";warm").replace(";7", ";5"),
    "encoding_changed": lines(9, thing="Nürnberg").encode("cp1252"),
    "delimiter_changed": lines(9).replace(";", ","),
    "form_changed": "<html><body>Wartung</body></html>",
    "spelling_variant": lines(9, thing="Nürnberger Strasse"),
}


def test_every_change_of_looks_is_found_and_named(city: City) -> None:
    for number in range(3):
        city.bring(lines(3 * number, thing="Nürnberger Straße"))
    assert city.findings() == {}
    found = {}
    for kind, payload in CHANGES.items():
        city.bring(payload)
        assert kind in city.findings(), kind
        found[kind] = city.findings()[kind].details
    assert found["column_renamed"]["now"] == "Temperatur in Grad"
    assert found["encoding_changed"] == {"before": "utf-8", "now": "cp1252"}
    assert found["spelling_variant"]["spellings"] == ["Nürnberger Straße", "Nürnberger Strasse"]
