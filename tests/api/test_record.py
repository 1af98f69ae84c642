"""The record of processing activities: complete by Art. 30 GDPR, out of feed files, settings and tokens, in three forms and two languages."""

import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from stadthub_api.app import create_app
from stadthub_api.cli.app import app as commands
from stadthub_api.record_formats import HEADINGS
from stadthub_catalog.catalog import Catalog
from stadthub_schemas.access import Role
from stadthub_schemas.privacy import HUB_PROCESSINGS
from stadthub_schemas.settings import Settings
from tests.api.city import client, served
from tests.pipelines.running import METADATA, PUSH_FEED

PRIVACY = """retention = "P365D"
[metadata.privacy]
purpose = "Auslastung planen"
purpose_en = "Planning for load"
legal_basis = "Art. 6 (1) e DSGVO"
k = 7
bucket = "PT30M"
assessment_url = "https://musterstadt.example/dsfa"
"""
FEED = 'id = "wlan"\ntitle = "WLAN"\ndataset = "wlan"\ndecoder = "unifi"\nraw_days = 14\n[source]\ntype = "push"\n' + METADATA + PRIVACY


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, str]]:
    """A hub with one feed that counts people and one that does not, and tokens of several roles."""
    folder = tmp_path_factory.mktemp("record")
    settings = Settings(data_dir=folder, site_operator="Stadt Musterstadt, Markt 1", privacy_contact="dsb@musterstadt.example")
    settings.feeds.mkdir()
    (settings.feeds / "wlan.toml").write_text(FEED, "utf-8")
    (settings.feeds / "air.toml").write_text(PUSH_FEED, "utf-8")
    (settings.feeds / "broken.toml").write_text("id =", "utf-8")
    catalog = Catalog(settings.database)
    catalog.migrate()
    tokens = {
        "operator": catalog.create_token("operator", Role.OPERATOR, purpose="Betrieb"),
        "analyst": catalog.create_token("analyst", Role.ANALYST, purpose="Netzplanung"),
        "reader": catalog.create_token("reader", Role.READER, purpose="App"),
    }
    catalog.create_token("gone", Role.ANALYST, purpose="vorbei")
    catalog.revoke_token("gone")
    catalog.record("worker", "retention.rows", "wlan", {"before": "2026-01-01T00:00:00+00:00", "rows": 17})
    catalog.close()
    return settings, tokens


@pytest.fixture(scope="module")
def told(hub: tuple[Settings, dict[str, str]]) -> dict[str, Any]:
    """The record as data, by key."""
    with served(create_app(hub[0])) as address, client(address, hub[1]["operator"]) as one:
        answer = one.get("/api/v1/privacy/record")
        assert answer.status_code == 200
        return {entry["name"]: entry for entry in answer.json()["processings"]}


def test_there_is_an_entry_for_each_feed_that_counts_people_and_for_what_the_hub_keeps_itself(told: dict[str, Any]) -> None:
    assert list(told) == ["wlan", *HUB_PROCESSINGS]
    for entry in told.values():
        assert all(entry[part] for part in HEADINGS if part != "changed"), entry


def test_an_entry_says_what_article_30_asks_for(told: dict[str, Any]) -> None:
    wlan = told["wlan"]
    assert (wlan["controller"], wlan["contact"]) == ("Musterstadt", "Team, team@musterstadt.example")
    assert wlan["protection_officer"] == "dsb@musterstadt.example"
    assert (wlan["purpose"], wlan["legal_basis"]) == ("Auslastung planen", "Art. 6 (1) e DSGVO")
    assert wlan["categories"] == ["Anzahl verbundener Geräte je Zugangspunkt und Zeitraum"]
    assert wlan["retention"] == ["Messwerte: 365 Tage", "Eingang von wlan (schon bereinigt): 14 Tage"]
    assert wlan["transfer"] == "keine Übermittlung in Drittländer"
    assert wlan["assessment"] == "https://musterstadt.example/dsfa"
    assert any("unter 7" in one for one in wlan["measures"])
    assert any("30 Minuten" in one for one in wlan["measures"])
    assert wlan["changed"]
    assert told["hub-audit"]["controller"] == "Stadt Musterstadt, Markt 1"


def test_recipients_are_the_public_and_whoever_sees_exact_counts_by_purpose(told: dict[str, Any]) -> None:
    found = told["wlan"]["recipients"]
    assert found[0] == "Öffentlichkeit: Anzahlen ab 7"
    assert set(found[1:]) == {"genaue Anzahlen: operator, Zweck: Betrieb", "genaue Anzahlen: analyst, Zweck: Netzplanung"}


def test_only_who_runs_the_hub_reads_it(hub: tuple[Settings, dict[str, str]]) -> None:
    settings, tokens = hub
    with served(create_app(settings)) as address:
        for path in ("/api/v1/privacy/record", "/api/v1/privacy/deletions", "/operator/privacy"):
            for name, status in ((None, 401), ("analyst", 403), ("operator", 200)):
                with client(address, tokens.get(name or "")) as one:
                    assert one.get(path).status_code == status, (path, name)


def test_deletions_are_proven(hub: tuple[Settings, dict[str, str]]) -> None:
    with served(create_app(hub[0])) as address, client(address, hub[1]["operator"]) as one:
        [entry] = one.get("/api/v1/privacy/deletions").json()["deletions"]
        assert (entry["on"], entry["details"]) == ("wlan", {"before": "2026-01-01T00:00:00+00:00", "rows": 17})
        page = one.get("/operator/privacy", headers={"Accept": "text/html"}).text
        assert "17 Zeilen" in page
        assert "Netzplanung" in page


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_command_writes_a_document_a_table_and_data(hub: tuple[Settings, dict[str, str]], language: str, tmp_path: Path) -> None:
    def written(form: str) -> str:
        answer = CliRunner().invoke(
            commands, ["privacy", "record", "--format", form, "--language", language, "--data-dir", str(hub[0].data_dir)]
        )
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    purpose = "Planning for load" if language == "en" else "Auslastung planen"
    document, table, data = (written(form) for form in ("md", "csv", "json"))
    assert document.startswith("# Record of processing" if language == "en" else "# Verzeichnis von Verarbeitung")
    assert document.count("\n## ") == 1 + len(HUB_PROCESSINGS)
    assert purpose in document
    assert ("number of connected devices" if language == "en" else "Anzahl verbundener Geräte") in document
    rows = list(csv.reader(io.StringIO(table)))
    assert [len(row) for row in rows] == [len(HEADINGS)] * (2 + len(HUB_PROCESSINGS))
    assert purpose in rows[1]
    assert orjson.loads(data)["processings"][0]["purpose"] == purpose
    file = tmp_path / "art-30.md"
    done = CliRunner().invoke(commands, ["privacy", "record", "--output", str(file), "--data-dir", str(hub[0].data_dir)])
    assert (done.exit_code, file.read_text("utf-8")[:3]) == (0, "# V")


def test_the_command_lists_deletions(hub: tuple[Settings, dict[str, str]]) -> None:
    answer = CliRunner().invoke(commands, ["privacy", "deletions", "--json", "--data-dir", str(hub[0].data_dir)])
    assert orjson.loads(answer.stdout)[0]["details"]["rows"] == 17
