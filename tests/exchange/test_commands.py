"""`stadthub harvest`, `publish` and `catalog gaps`: what operators type."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rdflib import Graph
from typer.testing import CliRunner, Result

from stadthub_api.cli.app import app
from stadthub_catalog import Catalog
from stadthub_schemas.settings import Settings
from tests.catalog.samples import publish
from tests.exchange import payloads
from tests.servers import Answer, WebServer

SEARCH = "/api/3/action/package_search"
HARVEST = 'id = "nebenan"\ntitle = "Stadt Nebenan"\n[harvest]\nprotocol = "ckan"\nurl = "{url}"\nretries = 0\n'
Command = Callable[..., Result]


@pytest.fixture
def stadthub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web_server: WebServer) -> Command:
    """Run `stadthub` on a hub with a harvest and a publication."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STADTHUB_DATA_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("STADTHUB_ALLOWED_HOSTS", "127.0.0.1")
    monkeypatch.setenv("STADTHUB_SITE_CONTACT", "daten@musterstadt.example")
    monkeypatch.setenv("FEED_TOKEN", "x")
    settings = Settings(data_dir=tmp_path / "hub")
    settings.feeds.mkdir(parents=True)
    (settings.feeds / "nebenan.toml").write_text(HARVEST.format(url=web_server.url))
    land = f'id = "land"\ntitle = "Land"\n[publish]\nurl = "{web_server.url}"\ntoken = "${{FEED_TOKEN}}"\norganization = "o"\nretries = 0\n'
    (settings.feeds / "land.toml").write_text(land)
    web_server.answers[SEARCH] = Answer(payloads.found([payloads.package(number) for number in range(4)]))
    return lambda *arguments: CliRunner().invoke(app, list(arguments), prog_name="stadthub")


def _told(done: Result) -> Any:
    return json.loads(done.stdout)


def test_a_harvest_is_tried_run_looked_at_and_cleared(stadthub: Command, web_server: WebServer) -> None:
    tried = stadthub("harvest", "try", "nebenan")
    assert tried.exit_code == 0, tried.stderr
    assert "4 of 4 can be taken. Nothing was written." in tried.stderr
    assert "dl-de-by-2.0" in tried.stdout
    assert _told(stadthub("harvest", "list", "--json"))[0]["last_run"] is None
    assert _told(stadthub("harvest", "run", "nebenan", "--json"))["run"]["created"] == 4
    assert "4" in stadthub("harvest", "list").stdout
    web_server.answers[SEARCH] = Answer(payloads.found([payloads.package(1), payloads.package(2, title="", name="")]))
    assert stadthub("harvest", "run", "nebenan").exit_code == 0  # two are gone, which may always be
    assert _told(stadthub("harvest", "show", "nebenan", "--only", "failed", "--json"))["datasets"][0]["reason"] == "it has no title"
    web_server.answers[SEARCH] = Answer(payloads.found([]))
    refused = stadthub("harvest", "run", "nebenan")
    assert refused.exit_code == 1
    assert "stadthub harvest run nebenan --withdraw" in refused.stderr
    assert _told(stadthub("harvest", "run", "nebenan", "--withdraw", "--json"))["run"]["withdrawn"] == 2
    web_server.answers[SEARCH] = Answer(payloads.found([payloads.package(7)]))
    assert stadthub("feed", "run", "nebenan").exit_code == 0
    assert "nebenan: 1 dataset is withdrawn." in stadthub("harvest", "clear", "nebenan").stderr
    assert _told(stadthub("dataset", "list", "--json")) == []
    assert "There is no harvest 'gibtesnicht'" in stadthub("harvest", "run", "gibtesnicht").stderr


def test_a_publication_is_rehearsed_and_its_failure_told(stadthub: Command, tmp_path: Path) -> None:
    catalog = Catalog(Settings(data_dir=tmp_path / "hub").database)
    catalog.migrate()
    publish(catalog)
    catalog.close()
    failed = stadthub("publish", "--json")
    assert failed.exit_code == 1
    assert "STADTHUB_SITE_URL is not set" in failed.stderr, "or a portal of the Land gets addresses that only this machine reaches"
    assert _told(failed)[0]["run"]["failed"] == 1
    assert stadthub("publish", "--dry-run").exit_code == 1  # that server is no CKAN for packages
    assert "There is no publication 'gibtesnicht'" in stadthub("publish", "--target", "gibtesnicht").stderr


def test_the_catalogue_is_written_as_files_that_hold_everything(stadthub: Command, tmp_path: Path) -> None:
    catalog = Catalog(Settings(data_dir=tmp_path / "hub").database)
    catalog.migrate()
    for number in range(105):
        publish(catalog, f"baeume-{number}")
    done = stadthub("publish", "--static", "out", "--json")
    assert done.exit_code == 0, done.stderr
    assert len(_told(done)) == 108
    text = (tmp_path / "out" / "catalog.ttl").read_text("utf-8")
    graph = Graph().parse(data=text, format="turtle")
    assert len(set(graph.query("SELECT ?d WHERE { ?d a <http://www.w3.org/ns/dcat#Dataset> }"))) == 105
    assert "hydra:next" not in text
    package = json.loads((tmp_path / "out" / "datasets" / "baeume-7" / "datapackage.json").read_text("utf-8"))
    assert package["name"] == "baeume-7"
    catalog.withdraw("baeume-7")
    catalog.close()
    assert stadthub("publish", "--static", "out").exit_code == 0
    assert not (tmp_path / "out" / "datasets" / "baeume-7").exists()


def test_gaps_are_told_by_theme(stadthub: Command, tmp_path: Path, web_server: WebServer) -> None:
    catalog = Catalog(Settings(data_dir=tmp_path / "hub").database)
    catalog.migrate()
    publish(catalog, title="Kataster der Bäume", keywords=("Baum",))
    publish(catalog, "parken", title="Belegung der Parkhäuser", themes=("TRAN",), keywords=())
    catalog.close()
    titles = {
        "Baumkataster Nebenan 2019": "umwelt-klima",
        "Parkhausbelegung": "verkehr",
        "Kitas in Nebenan": "bildung",
        "Defibrillatoren": "gesundheit",
        "Krankenhäuser": "gesundheit",
        "Bäume und Fotos": "umwelt-klima",
    }
    found = [
        payloads.package(number, title=title, tags=[], groups=[{"name": group}]) for number, (title, group) in enumerate(titles.items())
    ]
    web_server.answers[SEARCH] = Answer(
        payloads.found([*found, payloads.package(9, title="Kitas Nebenan 2020", tags=[], groups=[{"name": "bildung"}])])
    )
    assert stadthub("harvest", "run", "nebenan").exit_code == 0
    told = _told(stadthub("catalog", "gaps", "--against", "nebenan", "--json"))
    assert (told["compared"], told["covered"]) == (7, 2)
    assert {(one["theme"], one["title"][:5], one["count"], one["near"] and one["near"][1]) for one in told["gaps"]} == {
        ("EDUC", "Kitas", 2, None),
        ("ENVI", "Bäume", 1, "Kataster der Bäume"),
        ("HEAL", "Defib", 1, None),
        ("HEAL", "Krank", 1, None),
    }, "what shares only a part of a word is not near"
    shown = stadthub("catalog", "gaps", "--against", "nebenan", "--theme", "heal").stdout
    assert "Defibrillatoren" in shown
    assert "Kitas" not in shown
    (tmp_path / "katalog.json").write_bytes(payloads.data_json(payloads.DKAN))
    assert [one["title"] for one in _told(stadthub("catalog", "gaps", "--against", "katalog.json", "--json"))["gaps"]] == [
        "Wahlergebnisse 2019"
    ]
    assert "There is no harvested catalogue 'x'" in stadthub("catalog", "gaps", "--against", "x").stderr
    (tmp_path / "kaputt.json").write_text("{}")
    assert "this is no catalogue that is known" in stadthub("catalog", "gaps", "--against", "kaputt.json").stderr
