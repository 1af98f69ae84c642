"""The page of the public WLAN: load, the week, outages, worth; small counts say so; and it is in the menu only where it shows something."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stadthub_api.app import create_app
from stadthub_schemas.settings import Settings
from tests.api.city import client, served
from tests.portal.city import City
from tests.portal.test_every_page import violations

Look = Callable[..., Any]
HTML = {"Accept": "text/html"}
#: How the small counts of the city would be written.
SMALL = ("3,25", "3.25", "6,5", "6.5")


def test_without_scripts_anybody_reads_load_week_and_outages_and_small_counts_say_so(visit: Look) -> None:
    with visit(java_script_enabled=False) as seen:
        page = seen.go("/wlan").page
        assert page.locator("nav.site-nav a[href='/wlan']").get_attribute("aria-current") == "page"
        week = page.locator("table", has=page.locator("#week-caption"))
        assert week.locator("tbody tr").count() == 7
        cells = week.locator("tbody tr").first.locator("td").all_text_contents()
        assert (cells[3], cells[8], cells[19]) == ("unter 5", "18,5", "29,5")
        assert page.locator(".heat-strip > div > svg rect").count() == 168
        assert page.locator(".heat-strip > div > svg rect.heat-0").count() == 7 * 12
        sites = page.locator("table", has=page.locator("#sites-caption")).locator("tbody tr").all_text_contents()
        assert any("Waldbad" in row and row.count("unter 5") == 2 for row in sites)
        assert any(
            "Linie" in row or "Markt" in row for row in page.locator("table", has=page.locator("#lines-caption")).all_text_contents()
        )
        outages = page.locator("table", has=page.locator("#outages-caption")).locator("tbody tr").all_text_contents()
        assert "dauert an" in outages[0]
        assert "meldet sich als abgeschaltet" in outages[1]
        assert page.locator("#worth").count() == 0, "what it costs is for the city's own people"
        assert not [text for text in SMALL if f">{text}<" in page.content()]


def test_a_site_can_be_chosen_without_scripts(visit: Look) -> None:
    with visit(java_script_enabled=False) as seen:
        page = seen.go("/en/wlan").page
        page.get_by_label("Site", exact=True).select_option("Waldbad")
        page.locator("#week form button").click()
        assert "site=Waldbad" in page.url
        assert set(page.locator("table", has=page.locator("#week-caption")).locator("td").all_text_contents()) == {"below 5"}


def test_an_operator_sees_exact_counts_and_which_access_points_are_worth_keeping(visit: Look, portal_city: City, axe: str) -> None:
    for language in ("", "/en"):
        with visit(portal_city.token) as seen:
            page = seen.go(f"{language}/wlan").page
            page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
            rows = page.locator("#worth tbody tr").all_text_contents()
            assert ["Rathaus 1" in rows[0], "Waldbad 1" in rows[1], "Museum 1" in rows[2]] == [True, True, True]
            assert ("nicht bekannt" if language == "" else "not known") in rows[2]
            assert page.locator("table", has=page.locator("#week-caption")).locator("td").first.text_content() in ("6,5", "6.5")
            assert violations(page, axe) == []
            page.get_by_label("Monat" if language == "" else "Month", exact=True).select_option("2026-10")
            page.locator("#worth form button").click()
            assert page.locator("#worth tbody tr").count() == 1


def test_the_map_tells_load_and_hides_small_counts(portal_address: str, portal_city: City) -> None:
    with client(portal_address) as anybody, client(portal_address, portal_city.token) as city:
        shown = {one["properties"]["_title"]: one["properties"] for one in anybody.get("/wlan/map.geojson").json()["features"]}
        assert shown["Rathaus"]["_load"] == 1.0
        assert (shown["Waldbad"]["Geräte im Mittel"], shown["Waldbad"]["_load"]) == ("unter 5", 0.0)
        assert shown["Markt"]["Art"] == "Haltestelle"
        exact = {one["properties"]["_title"]: one["properties"] for one in city.get("/wlan/map.geojson").json()["features"]}
        assert exact["Waldbad"]["Geräte im Mittel"] == "3,25"


def test_lineage_is_shown_as_far_as_the_reader_may_know_it(portal_address: str, portal_city: City) -> None:
    with client(portal_address) as anybody, client(portal_address, portal_city.token) as city:
        page = anybody.get("/datasets/wlan-use", headers=HTML).text
        assert 'href="/datasets/air-quality"' in page
        assert "SELECT 1 AS one" in page
        inside = city.get("/datasets/wlan-worth", headers=HTML).text
        assert 'href="/datasets/cameras"' in inside
        assert "SELECT 1 AS one" not in inside, "an input that is not there hides the SQL"
        assert anybody.get("/datasets/wlan-worth", headers=HTML).status_code == 404


@pytest.mark.parametrize(
    ("language", "words"), [("", "Noch gibt es keinen Datensatz zum WLAN."), ("/en", "There is no dataset on the WLAN yet.")]
)
def test_a_hub_without_wlan_says_so_and_has_it_not_in_its_menu(tmp_path: Path, language: str, words: str) -> None:
    with served(create_app(Settings(data_dir=tmp_path, min_free_mb=0))) as address, client(address) as anybody:
        page = anybody.get(f"{language}/wlan", headers=HTML)
        assert page.status_code == 200
        assert words in page.text
        assert 'href="/wlan"' not in anybody.get(f"{language}/", headers=HTML).text
