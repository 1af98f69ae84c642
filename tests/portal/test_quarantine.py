"""The operator's pages on drift, in a real browser: what differs is seen, mended with one click, and decided on."""

import tomllib
from collections.abc import Callable
from typing import Any

import httpx

from stadthub_catalog.catalog import Catalog
from stadthub_schemas.finding import HeldState
from tests.portal.city import HOURS, City

Look = Callable[..., Any]


def test_a_suggested_rename_is_written_into_the_file_and_the_payload_is_released(visit: Look, portal_city: City) -> None:
    file = portal_city.settings.feeds / f"{HOURS}.toml"
    before = file.read_text("utf-8")
    catalog = Catalog(portal_city.settings.database)
    try:
        with visit(portal_city.token) as seen:
            page = seen.go(f"/operator/feeds/{HOURS}").page
            assert "„Stunden <neu>“ könnte ihr neuer Name sein" in page.inner_text("main")
            page.get_by_role("link", name="Lieferung 2").click()
            assert page.locator("mark").all_inner_texts() == ["≠ Stunden <neu>", "<b>8</b>", "10"]
            assert 'renames = {"Stunden <neu>" = "hours"}' in page.inner_text("main")
            page.get_by_role("button", name="In die Feed-Datei schreiben").click()
            assert tomllib.loads(file.read_text("utf-8"))["renames"] == {"Stunden <neu>": "hours"}
            assert file.read_text("utf-8").startswith("# Amt für Bürgerdienste\n")
            page.get_by_role("button", name="Freigeben", exact=True).click()
            assert "wird noch einmal geprüft" in page.inner_text("main")
            held = catalog.held_payload(HOURS, 2)
            assert (held.state, held.decided_by) == (HeldState.RELEASING, "Leitwarte")
            page.get_by_role("row", name="Ein Name in zwei Schreibweisen").get_by_role("button").click()
            assert "Schreibweisen" not in page.inner_text("main")
            assert seen.complaints == []
    finally:
        file.write_text(before, "utf-8")
        catalog.note_held(HOURS, 2, state=HeldState.HELD.value)
        catalog.close()


def test_the_page_of_the_dataset_says_since_when_newer_data_wait_in_both_languages(visit: Look) -> None:
    with visit() as seen:
        assert "Neuere Daten werden noch geprüft" in seen.go(f"/datasets/{HOURS}").page.inner_text("main")
        text = seen.go(f"/en/datasets/{HOURS}").page.inner_text("main")
        assert "you see the last good state here" in text
        assert "Stunden" not in text


def test_what_waits_is_told_by_the_api_to_operators_and_in_general_words_to_all(portal_address: str, portal_city: City) -> None:
    quality = httpx.get(f"{portal_address}/api/v1/datasets/{HOURS}").json()["quality"]
    assert (quality["state"], quality["payloads"], quality["kinds"]) == ("held_back", 1, ["column_renamed"])
    path = f"{portal_address}/api/v1/feeds/{HOURS}"
    assert httpx.get(f"{path}/quarantine").status_code == 401
    operator = {"Authorization": f"Bearer {portal_city.token}"}
    assert httpx.get(f"{path}/quarantine", headers=operator).json()["quarantine"][0]["position"] == 2
    sentences = {one["kind"]: one["sentence"] for one in httpx.get(f"{path}/findings", headers=operator).json()["findings"]}
    assert sentences["column_renamed"] == "column 'hours' is missing, 'Stunden <neu>' may be its new name"
    assert httpx.post(f"{path}/quarantine/3/discard", headers=operator).status_code == 404
    reader = {"Authorization": f"Bearer {portal_city.reader_token}"}
    assert httpx.post(f"{path}/quarantine/2/discard", headers=reader).status_code == 403
