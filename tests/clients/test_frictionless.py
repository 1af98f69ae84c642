"""frictionless, as its users write a data package into a CKAN, read it back, and read what others have there."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ckanapi import RemoteCKAN

from tests.clients import frictionless_user
from tests.clients.hubs import Empty, empty

CSV = "id,strasse,anzahl\n1,Größe Allee,3\n2,Markt,\n"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Empty]:
    """A hub with the organisation `amt`, its group `thema`, and in it a dataset with an uploaded table."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "parken.csv").write_text(CSV, "utf-8")
    with empty(folder / "hub") as one:
        with RemoteCKAN(one.address, apikey=one.token) as site, (folder / "parken.csv").open("rb") as file:
            site.action.organization_create(name="amt", title="Amt")
            site.action.group_create(name="thema", title="Thema")
            site.action.package_create(name="parken", owner_org="amt", groups=[{"name": "thema"}])
            site.action.resource_create(package_id="parken", name="belegung", upload=file)
        yield one


def _done(hub: Empty, what: str, *arguments: str) -> Any:
    command = [sys.executable, "-W", "ignore", frictionless_user.__file__, what, hub.address, hub.token, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def published(hub: Empty, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a data package with one table that was published."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "liste.csv").write_text(CSV, "utf-8")
    address, key = _done(hub, "publish", str(folder), "baeume")
    assert address == f"{hub.address}/dataset/baeume"
    return str(key)


def test_a_package_is_published_with_its_files_and_its_description(hub: Empty, published: str) -> None:
    with RemoteCKAN(hub.address) as site:
        shown = site.action.package_show(id=published)
    assert (shown["title"], shown["notes"], shown["license_id"], shown["isopen"]) == ("Bäume", "Alle Bäume", "cc-by-4.0", True)
    assert [tag["name"] for tag in shown["tags"]] == ["Baum", "Straße"]
    assert [one["name"] for one in shown["resources"]] == ["liste", "datapackage"]
    table, description = shown["resources"]
    assert (table["format"].lower(), httpx.get(table["url"]).text) == ("csv", CSV)
    assert httpx.get(description["url"]).json()["resources"][0]["schema"]["fields"][1] == {"name": "strasse", "type": "string"}
    assert httpx.get(f"{hub.address}/dataset/baeume", follow_redirects=True).status_code == 200


def test_the_description_of_a_published_package_is_read_back(hub: Empty, published: str) -> None:
    read = _done(hub, "read", published)
    assert (read["name"], read["title"], sorted(read["keywords"])) == ("baeume", "Bäume", ["Baum", "Straße"])
    assert [field["type"] for field in read["resources"][0]["schema"]["fields"]] == ["integer", "string", "integer"]


def test_the_rows_of_an_uploaded_table_are_read(hub: Empty) -> None:
    assert _done(hub, "rows", "parken", "belegung") == [
        {"id": 1, "strasse": "Größe Allee", "anzahl": 3},
        {"id": 2, "strasse": "Markt", "anzahl": None},
    ]


def test_many_datasets_are_a_catalogue(hub: Empty, published: str) -> None:
    assert published
    named: list[tuple[dict[str, Any], list[str]]] = [
        ({"organization_name": "amt"}, ["baeume", "parken"]),
        ({"group_id": "thema"}, ["parken"]),
        ({"search": {"q": "baum"}}, ["baeume"]),
        ({"num_packages": 1, "results_offset": 1, "search": {"q": "*:*", "sort": "name asc"}}, ["parken"]),
    ]
    assert _done(hub, "catalogues", json.dumps([control for control, _ in named])) == [names for _, names in named]


def test_what_is_refused_is_told(hub: Empty, published: str, tmp_path: Path) -> None:
    assert published
    (tmp_path / "a.csv").write_text(CSV, "utf-8")
    assert "That URL is already in use." in _done(hub, "publish", str(tmp_path), "baeume")["error"]
