"""A file that comes with a resource through CKAN's API: its rows are in the lake soon, and the resource says how that went."""

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ckanapi import NotFound, RemoteCKAN
from ckanapi.errors import CKANAPIError

from stadthub_api.app import create_app
from stadthub_catalog.catalog import Catalog
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.worker import Worker
from stadthub_schemas.access import Role
from stadthub_schemas.settings import Settings
from tests.api.city import served
from tests.pipelines.filesmade import FILES, csv


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RemoteCKAN, Settings]]:
    """A hub with its worker, as its administrator sees it through CKAN's API, with one dataset."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("loads") / "hub", min_free_mb=0)
    worker = Worker(settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    catalog = Catalog(settings.database)
    token = catalog.create_token("admin", Role.ADMIN)
    catalog.close()
    try:
        with served(create_app(settings)) as address:
            remote = RemoteCKAN(address, apikey=token)
            remote.action.organization_create(name="amt", title="Amt")
            remote.action.package_create(name="dateien", owner_org="amt")
            yield remote, settings
    finally:
        worker.stop()
        thread.join()


def _put(remote: RemoteCKAN, action: str, name: str, body: bytes, **fields: str) -> str:
    """The id of the resource with this file."""
    answer = httpx.post(
        f"{remote.address}/api/3/action/{action}", data=fields, files={"upload": (name, body)}, headers={"Authorization": remote.apikey}, timeout=60
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return str(answer.json()["result"]["id"])


def _settled(remote: RemoteCKAN, resource: str, *states: str) -> dict[str, Any]:
    """The resource, once its file is in one of these states."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = remote.action.resource_show(id=resource)
        if found.get("load_state") in states:
            return dict(found)
        time.sleep(0.1)
    raise AssertionError(f"it is {found}")


@pytest.mark.parametrize("name", ["baeume.tsv", "baeume.gpkg"])
def test_the_rows_of_an_uploaded_file_are_loaded(name: str, site: tuple[RemoteCKAN, Settings], tmp_path: Path) -> None:
    remote, settings = site
    make, kind = FILES[name]
    resource = _put(remote, "resource_create", name, make(tmp_path), package_id="dateien", description="Bäume")
    found = _settled(remote, resource, "loaded", "failed")
    assert (found["load_state"], found["datastore_active"]) == ("loaded", True), found
    assert "30 stored" in found["load_message"]
    renamed = remote.action.resource_update(id=resource, name="Straßenbäume")
    assert (renamed["load_state"], renamed["datastore_active"]) == ("loaded", True), "its file stays, and so do its rows"
    snapshot = Reader(settings.lake, settings.data_dir).snapshot(f"ds-{resource}")
    assert (snapshot.rows, snapshot.kind) == (30, kind)
    found = remote.action.datastore_search(resource_id=resource, limit=2)
    assert (found["total"], len(found["records"]), found["records"][0]["_id"]) == (30, 2, 1)
    assert remote.action.datastore_search_sql(sql=f'SELECT count(*) AS n FROM "{resource}"')["records"] == [{"n": 30}]
    shown = httpx.get(f"{remote.address}/datasets/dateien", headers={"Accept": "text/html"}, timeout=60).text
    assert "Zeilen aus „Straßenbäume“" in shown
    assert "30 Zeilen, hier die ersten 10" in shown
    assert f"/datastore/dump/{resource}?format=csv" in shown
    assert f"ds-{resource}" not in remote.action.package_list()
    page = httpx.get(f"{remote.address}/operator/feeds/ds-{resource}", cookies={"stadthub_session": remote.apikey}, timeout=60)
    assert page.status_code == 200
    assert httpx.get(f"{remote.address}/api/v1/datasets/ds-{resource}/rows", timeout=60).status_code == 404, (
        "the catalogue decides who sees rows"
    )


def test_another_file_takes_the_place_of_the_first_whatever_its_columns(site: tuple[RemoteCKAN, Settings], tmp_path: Path) -> None:
    remote, settings = site
    resource = _put(remote, "resource_create", "a.csv", csv(tmp_path), package_id="dateien")
    _settled(remote, resource, "loaded")
    _put(remote, "resource_update", "b.csv", b"nr,plz\nA1,2\nB2,3\n", id=resource)
    end = time.monotonic() + 60
    reader = Reader(settings.lake, settings.data_dir)
    while time.monotonic() < end and reader.snapshot(f"ds-{resource}").rows != 2:
        time.sleep(0.1)
    columns = {one.name: one.type for one in reader.columns(f"ds-{resource}")}
    assert columns == {"nr": "text", "plz": "text"}
    remote.action.resource_delete(id=resource)
    end = time.monotonic() + 60
    while time.monotonic() < end and (Path(settings.lake) / f"ds-{resource}").exists():
        time.sleep(0.1)
    assert not (Path(settings.lake) / f"ds-{resource}").exists()


def test_every_row_of_a_file_is_loaded_also_where_what_seems_to_be_its_key_stands_twice(site: tuple[RemoteCKAN, Settings]) -> None:
    remote, _ = site
    body = "nr;hoehe\n" + "".join(f"{number if number != 41_003 else 7};{number % 30}\n" for number in range(100_000))
    resource = _put(remote, "resource_create", "nummern.csv", body.encode(), package_id="dateien")
    found = _settled(remote, resource, "loaded", "failed")
    assert "100000 stored" in found["load_message"]
    assert remote.action.datastore_search(resource_id=resource, filters={"nr": 7})["total"] == 2
    remote.action.resource_delete(id=resource)


def test_a_pushed_table_takes_the_place_of_the_rows_of_a_file_and_a_file_of_a_pushed_table(
    site: tuple[RemoteCKAN, Settings], tmp_path: Path
) -> None:
    remote, _ = site
    resource = _put(remote, "resource_create", "a.csv", csv(tmp_path), package_id="dateien")
    _settled(remote, resource, "loaded")
    with pytest.raises(CKANAPIError, match="come from its file"):
        remote.action.datastore_upsert(resource_id=resource, records=[{"nr": "A"}], method="insert", force=True)
    remote.action.datastore_create(resource_id=resource, records=[{"own": 1}], force=True)
    assert remote.action.datastore_search(resource_id=resource)["records"] == [{"_id": 1, "own": 1}]
    _put(remote, "resource_update", "b.csv", b"nr,plz\nA1,2\nB2,3\n", id=resource)
    end = time.monotonic() + 60
    while time.monotonic() < end and "2 stored" not in remote.action.resource_show(id=resource).get("load_message", ""):
        time.sleep(0.1)
    found = remote.action.datastore_search(resource_id=resource)["records"]
    assert found == [{"_id": 1, "nr": "A1", "plz": "2"}, {"_id": 2, "nr": "B2", "plz": "3"}]
    remote.action.datastore_delete(resource_id=resource, force=True)
    with pytest.raises(NotFound):
        remote.action.datastore_search(resource_id=resource)
    assert remote.action.resource_show(id=resource)["datastore_active"] is False


def test_a_file_that_seems_to_tell_of_people_is_kept_back_until_somebody_says_on_what_ground_it_may_be_published(
    site: tuple[RemoteCKAN, Settings],
) -> None:
    remote, settings = site
    body = b"Nr;E-Mail\n1;amt@example.org\n2;rathaus@example.org\n"
    resource = _put(remote, "resource_create", "aemter.csv", body, package_id="dateien")
    address = _settled(remote, resource, "held")["url"].replace(settings.url, remote.address)
    remote.action.package_update(**remote.action.package_show(id="dateien"))
    shown = {**remote.action.package_show(id="dateien")}
    for one in shown["resources"]:
        one.pop("load_state", None)
    remote.action.package_update(**shown)
    refused = httpx.get(address)
    assert (refused.status_code, "tell of people" in refused.json()["detail"]) == (403, True)
    assert resource not in httpx.get(f"{remote.address}/dataset/dateien.ttl").text
    assert resource not in httpx.get(f"{remote.address}/api/v1/datasets/dateien").text
    page = httpx.get(f"{remote.address}/datasets/dateien", headers={"Accept": "text/html"}, timeout=60).text
    assert ("zurückgehalten" in page, address.removeprefix(remote.address) in page) == (True, False)
    mine = httpx.get(address, headers={"Authorization": remote.apikey})
    assert (mine.content, mine.headers["cache-control"].split(",")[0]) == (body, "private")
    remote.action.resource_patch(id=resource, personal_data_release="addresses of offices, § 3 EGovG")
    _settled(remote, resource, "loaded")
    assert httpx.get(address).content == body
    assert resource in httpx.get(f"{remote.address}/dataset/dateien.ttl").text
    _put(remote, "resource_patch", "leute.csv", b"Nr;E-Mail\n1;erika@example.org\n2;max@example.org\n", id=resource)
    assert "personal_data_release" not in _settled(remote, resource, "held"), "what was said of one file is not said of the next"
    remote.action.resource_delete(id=resource)


PLACES = [
    ({"type": "Point", "coordinates": [7.6236, 51.9607]}, {"Fläche in m²": 1234.5, "PLZ": 48143, "Baujahr": 1999, "Stand": "2024-05-03", "Einwohner": 12345}),
    (
        {"type": "Polygon", "coordinates": [[[7.6, 51.9], [7.7, 51.9], [7.7, 52.0], [7.6, 52.0], [7.6, 51.9]]]},
        {"Fläche in m²": 10, "PLZ": 48145, "Baujahr": 2001, "Stand": "2024-05-04", "Einwohner": 7},
    ),
]  # fmt: skip


def test_the_titles_of_a_file_are_its_data_dictionary_and_its_rows_stand_on_the_page_as_readers_write_them(
    site: tuple[RemoteCKAN, Settings],
) -> None:
    remote, _ = site
    remote.action.package_create(name="anzeige", owner_org="amt")
    features = [{"type": "Feature", "id": number, "geometry": one, "properties": more} for number, (one, more) in enumerate(PLACES)]
    body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    resource = _put(remote, "resource_create", "orte.geojson", body, package_id="anzeige")
    found = _settled(remote, resource, "loaded", "failed")
    assert found["load_state"] == "loaded", found
    fields = {one["id"]: one for one in remote.action.datastore_info(id=resource)["fields"]}
    assert fields["flaeche_in_m2"]["info"] == {"label": "Fläche in m²", "unit": "m2"}
    assert (fields["plz"]["type"], fields["baujahr"]["type"]) == ("text", "int8")
    for language, words in (
        ("", ("Punkt 7.6236, 51.9607", "Polygon, 5 Punkte", "03.05.2024", "12.345", "1.234,5")),
        ("/en", ("Point 7.6236, 51.9607", "Polygon, 5 points", "03/05/2024", "12,345", "1,234.5")),
    ):
        page = httpx.get(f"{remote.address}{language}/datasets/anzeige", headers={"Accept": "text/html"}, timeout=60).text
        cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", page)
        assert set(words) <= {cell.replace("\u00a0m²", "") for cell in cells}
        assert {"48143", "1999", "Fläche in m²"} <= set(cells)


@pytest.mark.parametrize(
    ("name", "body", "state", "words", "german"),
    [
        ("leute.csv", b"Nr;E-Mail\n1;erika@example.org\n2;max@example.org\n", "held", "tell of people", "sagen wohl etwas über Personen"),
        ("bild.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "failed", "PNG", "was hier nicht gelesen werden kann"),
    ],
)
def test_what_can_not_or_must_not_be_loaded_says_why_and_stays_a_file(
    name: str, body: bytes, state: str, words: str, german: str, site: tuple[RemoteCKAN, Settings]
) -> None:
    remote, settings = site
    resource = _put(remote, "resource_create", name, body, package_id="dateien")
    found = _settled(remote, resource, "loaded", "held", "failed")
    assert (found["load_state"], found["datastore_active"]) == (state, False)
    assert words in found["load_message"]
    assert not (Path(settings.lake) / f"ds-{resource}").exists()
    served_file = httpx.get(found["url"].replace(settings.url, remote.address), headers={"Authorization": remote.apikey})
    assert served_file.content == body
    page = f"{remote.address}/datasets/dateien"
    mine = httpx.get(page, headers={"Accept": "text/html", "Authorization": f"Bearer {remote.apikey}"}, timeout=60).text
    assert f'id="rows-{resource}"' in mine
    assert german in mine
    assert f'id="rows-{resource}"' not in httpx.get(page, headers={"Accept": "text/html"}, timeout=60).text
