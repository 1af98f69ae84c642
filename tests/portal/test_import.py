"""The portal's form for files: uploaded, looked at, types corrected, loaded; by plain forms and in a browser, in both languages."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from stadthub_api.app import create_app
from stadthub_catalog.catalog import Catalog
from stadthub_pipelines.worker import Worker
from stadthub_schemas.access import Role
from stadthub_schemas.feed import load_feed
from stadthub_schemas.settings import Settings
from tests.api.city import served
from tests.pipelines.filesmade import FILES, csv
from tests.portal.city import City
from tests.portal.test_every_page import violations
from tests.portal.test_wizard import FORM, WORDS, fields

Look = Callable[..., Any]
NEW = "/operator/import"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[httpx.Client, Settings]]:
    """A hub with its worker, and an operator who has signed in."""
    settings = Settings(data_dir=tmp_path / "hub", min_free_mb=0, upload_mb=1)
    worker = Worker(settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    catalog = Catalog(settings.database)
    token = catalog.create_token("operator", Role.OPERATOR)
    catalog.close()
    try:
        with served(create_app(settings)) as address, httpx.Client(base_url=address, timeout=60, headers=FORM) as client:
            client.cookies.set("stadthub_session", token)
            yield client, settings
    finally:
        worker.stop()
        thread.join()


def uploaded(client: httpx.Client, name: str, body: bytes) -> httpx.Response:
    """The answer to a file."""
    return client.post(f"{NEW}/file", files={"file": (name, body)})


def kept(settings: Settings) -> list[str]:
    """The names of the files that were uploaded and are there."""
    return [path.name for path in (settings.data_dir / "uploads").rglob("*") if path.is_file() and not path.name.startswith(".")]


def rows(client: httpx.Client, dataset: str, number: int) -> list[dict[str, Any]]:
    """The rows of the dataset, once there are so many."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = client.get(f"/api/v1/datasets/{dataset}/rows?limit=1000")
        if answer.status_code == 200 and len(answer.json()["rows"]) == number:
            return list(answer.json()["rows"])
        time.sleep(0.1)
    raise AssertionError(f"{dataset} has not {number} rows: {answer.text[:500]}")


def test_a_file_becomes_a_dataset_by_plain_forms_with_corrected_types_and_its_original(
    hub: tuple[httpx.Client, Settings], tmp_path: Path
) -> None:
    client, settings = hub
    looked = uploaded(client, "Bäume 2026.csv", csv(tmp_path))
    assert looked.status_code == 200, looked.text
    assert "Ganzzahl" in looked.text
    said = fields(looked.text)
    number = next(key for key, value in said.items() if key.startswith("name-") and value == "nr")
    tried = client.post(f"{NEW}/try", data={**said, "id": "baeume", "title": "Bäume", number.replace("name", "type"): "text"})
    assert tried.status_code == 200, tried.text
    reviewed = client.post("/operator/feeds/new/review", data={**fields(tried.text), **WORDS, "themes": ["ENVI"]})
    saved = client.post("/operator/feeds/new/save", data={"toml": fields(reviewed.text)["toml"]})
    assert (saved.status_code, saved.headers.get("location")) == (303, "/datasets/baeume"), saved.text
    found = rows(client, "baeume", 30)
    assert found[0]["nr"] == "0"
    assert found[0]["plz"] == "01067"
    feed = load_feed(settings.feeds / "baeume.toml")
    assert feed.source.type == "upload"
    original = client.get("/distributions/baeume/original/baume-2026.csv")
    assert original.content == csv(tmp_path)
    page = client.get("/datasets/baeume")
    assert "/distributions/baeume/original/" in page.text
    assert client.get("/operator/feeds/baeume").status_code == 200
    _new_version(client, settings)


def _new_version(client: httpx.Client, settings: Settings) -> None:
    """A file with other columns takes the place of the first, if somebody says so."""
    said = {**fields(uploaded(client, "b.csv", b"Nr,Name\nA1,Linde\nA2,Eiche\n").text), "id": "baeume"}
    refused = client.post(f"{NEW}/try", data=said)
    assert refused.status_code == 422
    assert "there is a dataset of this name" in refused.text
    tried = client.post(f"{NEW}/try", data={**said, "over": "yes"})
    reviewed = client.post("/operator/feeds/new/review", data={**fields(tried.text), **WORDS, "themes": ["ENVI"]})
    saved = client.post("/operator/feeds/new/save", data={"toml": fields(reviewed.text)["toml"]})
    assert saved.status_code == 303, saved.text
    assert rows(client, "baeume", 2)[0].keys() == {"nr", "name"}
    assert kept(settings) == ["b.csv"]


def test_another_kind_has_another_mapping_and_english_is_spoken(hub: tuple[httpx.Client, Settings], tmp_path: Path) -> None:
    client, _ = hub
    looked = client.post(f"/en{NEW}/file", files={"file": ("a.csv", csv(tmp_path))})
    assert "Whole number" in looked.text or "integer" in looked.text.lower()
    again = client.post(f"/en{NEW}/schema", data={**fields(looked.text), "kind": "timeseries"})
    assert again.status_code == 200
    assert "key of the thing" in again.text


@pytest.mark.parametrize("name", ["leer.csv", "gross.csv", "bild.csv"])
def test_what_can_not_be_read_is_told_and_not_kept(name: str, hub: tuple[httpx.Client, Settings]) -> None:
    client, settings = hub
    body = {"leer.csv": b" ", "gross.csv": b"a,b\n" * 500_000, "bild.csv": b"\x89PNG\r\n\x1a\n" + b"\0" * 100}[name]
    refused = uploaded(client, name, body)
    assert refused.status_code == 422
    assert kept(settings) == []


def test_columns_on_people_need_a_purpose_and_are_left_out_of_the_original(hub: tuple[httpx.Client, Settings]) -> None:
    client, settings = hub
    body = b"Nr;Art;E-Mail\n" + b"".join(b"%d;Linde;erika%d@example.org\n" % (n, n) for n in range(20))
    looked = uploaded(client, "melder.csv", body)
    assert "erika" not in looked.text
    said = fields(looked.text)
    mail = next(key for key, value in said.items() if key.startswith("becomes-") and value == "drop")
    refused = client.post(f"{NEW}/try", data={**said, "id": "melder", mail: "property"})
    assert refused.status_code == 422
    tried = client.post(f"{NEW}/try", data={**said, "id": "melder"})
    reviewed = client.post("/operator/feeds/new/review", data={**fields(tried.text), **WORDS, "themes": ["ENVI"]})
    assert client.post("/operator/feeds/new/save", data={"toml": fields(reviewed.text)["toml"]}).status_code == 303
    assert len(rows(client, "melder", 20)) == 20
    assert b"erika" not in client.get("/distributions/melder/original/melder.csv").content
    assert not any(b"erika" in path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file())


def test_nobody_else_may_upload_or_name_a_file_of_others(hub: tuple[httpx.Client, Settings], tmp_path: Path) -> None:
    client, settings = hub
    with httpx.Client(base_url=client.base_url, headers=FORM) as stranger:
        assert stranger.post(f"{NEW}/file", files={"file": ("a.csv", b"a,b\n1,2\n")}).status_code in (401, 403, 303)
    assert kept(settings) == []
    looked = uploaded(client, "a.csv", csv(tmp_path))
    for wrong in ("../../state.sqlite", "0" * 36 + "/a.csv", ""):
        assert client.post(f"{NEW}/try", data={**fields(looked.text), "upload": wrong}).status_code == 422


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_steps_are_accessible_and_fit_a_telephone(language: str, visit: Look, axe: str, portal_city: City, tmp_path: Path) -> None:
    make, _ = FILES["baeume.geojson"]
    (tmp_path / "baeume.geojson").write_bytes(make(tmp_path))
    with visit(portal_city.token) as seen:
        seen.go(("/en" if language == "en" else "") + NEW)
        page = seen.page
        page.locator("input[type=file]").set_input_files(tmp_path / "baeume.geojson")
        page.locator("main form button").first.click()
        expect(page.locator("select[name='type-0']")).to_be_visible()
        assert violations(page, axe) == []
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert seen.complaints == []
