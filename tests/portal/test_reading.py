"""What a reader does: sort, filter and page without scripts; draw, compare and refresh with them; get along by keyboard alone."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import expect

from tests.portal.city import AIR, DISTRICTS, EMPTY, HIDDEN, HOURS, SECRET, TREES, VEILED, City

Look = Callable[..., Any]
FIRST_CELLS = "#table tbody tr td:first-child"


def test_without_scripts_the_table_sorts_filters_and_pages(visit: Look) -> None:
    with visit(java_script_enabled=False) as seen:
        page = seen.go(f"/datasets/{TREES}").page
        page.get_by_role("link", name="height").click()
        page.get_by_role("link", name="height").click()
        heights = [int(text) for text in page.locator("#table tbody td:nth-child(3)").all_inner_texts()]
        assert len(heights) == 25
        assert heights == sorted(heights, reverse=True)
        page.locator("#filters summary").click()
        page.get_by_label("species enthält").fill("Eich")
        page.get_by_label("height bis").fill("9")
        page.get_by_role("button", name="Anwenden").click()
        assert {"species__contains": ["Eich"], "height__le": ["9"], "sort": ["-height"]}.items() <= parse_qs(
            urlsplit(page.url).query
        ).items()
        assert set(page.locator("#table tbody td:nth-child(2)").all_inner_texts()) == {"Eiche"}
        assert (
            page.get_by_role("link", name="CSV").get_attribute("href")
            == f"/api/v1/datasets/{TREES}/exports/csv?species__contains=Eich&height__le=9"
        )
        before = page.locator(FIRST_CELLS).all_inner_texts()
        page.goto(f"{seen.address}/datasets/{TREES}")
        page.get_by_role("link", name="Weitere Zeilen").click()
        assert not set(before) & set(page.locator(FIRST_CELLS).all_inner_texts()[:1])
        expect(page.get_by_role("link", name="Zum Anfang")).to_be_visible()


def test_without_scripts_the_chart_is_a_drawing_a_sentence_and_a_table(visit: Look) -> None:
    with visit(java_script_enabled=False) as seen:
        page = seen.go(f"/datasets/{AIR}?chart_property=pm10&chart_thing=luft-00&chart_compare=luft-02&chart_span=day").page
        expect(page.locator("svg.plain-chart polyline.line-2")).not_to_have_count(0)
        expect(page.locator("#chart-summary")).to_contain_text(re.compile(r"Musterstraße 1: im Mittel [\d,]+ µg/m³.*Musterstraße 3"))
        page.get_by_text("Dieselben Werte als Tabelle").click()
        assert page.locator("#chart tbody tr").count() > 20


def test_data_that_are_a_moment_old_are_drawn(visit: Look) -> None:
    with visit() as seen:
        page = seen.go(f"/datasets/{VEILED}").page
        expect(page.locator("#chart canvas")).to_be_visible()
    with visit(java_script_enabled=False) as seen:
        points = seen.go(f"/datasets/{VEILED}").page.locator("svg.plain-chart polyline").first.get_attribute("points") or ""
        assert len(points.split()) >= 2


def test_the_chart_follows_the_choice_without_leaving_the_page(visit: Look) -> None:
    with visit() as seen:
        page = seen.go(f"/datasets/{AIR}").page
        expect(page.locator("#chart canvas")).to_be_visible()
        page.evaluate("window.stayed = true")
        page.locator("#chart").get_by_label("Messgröße").select_option("air_temperature")
        expect(page.locator("#chart-summary")).to_contain_text("°C")
        expect(page.locator("#chart canvas")).to_be_visible()
        assert page.evaluate("window.stayed")
        assert "chart_property=air_temperature" in page.url
        assert seen.complaints == []


def test_sorting_with_scripts_swaps_the_table_alone_and_keeps_the_address(visit: Look) -> None:
    with visit() as seen:
        page = seen.go(f"/datasets/{HOURS}").page
        page.evaluate("window.stayed = true")
        page.get_by_role("link", name="hours").click()
        expect(page.locator("th[aria-sort=ascending]")).to_contain_text("hours")
        assert page.evaluate("window.stayed")
        assert "sort=hours" in page.url
        expect(page.locator("#table tbody tr").first).to_contain_text("4,5")
        assert seen.complaints == []


def test_the_live_values_refresh_only_while_they_are_not_paused(visit: Look) -> None:
    with visit(reduced_motion="no-preference") as seen:
        page = seen.go("/").page
        with page.expect_response("**/live"):
            page.evaluate("document.querySelector('stadthub-live').refresh()")
        expect(page.locator("#live-values li").first).to_be_visible()
        page.get_by_role("button", name="Anhalten").click()
        asked = len([url for url in seen.asked if url.endswith("/live")])
        page.evaluate("document.querySelector('stadthub-live').refresh()")
        expect(page.get_by_role("button", name="Fortsetzen")).to_be_visible()
        assert len([url for url in seen.asked if url.endswith("/live")]) == asked
        assert seen.complaints == []


def test_what_the_map_shows_is_told_at_a_button_of_the_table(visit: Look) -> None:
    with visit() as seen:
        page = seen.go(f"/datasets/{TREES}").page
        page.get_by_role("button", name=re.compile("Zeigen.*B0003")).press("Enter")
        popup = page.locator(".maplibregl-popup")
        expect(popup).to_contain_text("Kastanie")
        popup.get_by_role("button", name="Schließen").press("Enter")
        expect(popup).to_have_count(0)
        assert seen.complaints == []


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(visit: Look) -> None:
    with visit() as seen:
        page = seen.go(f"/datasets/{AIR}").page
        page.keyboard.press("Tab")
        skip = page.locator(".skip")
        expect(skip).to_be_focused()
        assert skip.bounding_box()["y"] >= 0
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.closest('section[id]')?.id ?? ''"))
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'"), page.evaluate(
                "document.activeElement.outerHTML"
            )
        assert {"about", "chart", "map", "table"} <= reached


def test_the_look_stays_chosen_without_a_cookie(visit: Look) -> None:
    with visit(color_scheme="light") as seen:
        page = seen.go("/impressum").page
        page.get_by_role("button", name="Dunkle Ansicht").click()
        page.reload()
        assert page.locator("html").get_attribute("data-kern-theme") == "dark"
        assert page.context.cookies() == []


def test_the_language_switch_keeps_the_page_and_its_filter(visit: Look) -> None:
    with visit() as seen:
        page = seen.go(f"/datasets/{HOURS}?office__contains=Amt&sort=hours").page
        page.get_by_role("link", name="English").click()
        assert page.url == f"{seen.address}/en/datasets/{HOURS}?office__contains=Amt&sort=hours"
        expect(page.get_by_role("heading", level=1)).to_have_text("Opening hours")
        page.get_by_role("link", name="Deutsch", exact=True).click()
        assert page.url == f"{seen.address}/datasets/{HOURS}?office__contains=Amt&sort=hours"


def test_every_link_of_the_pages_leads_somewhere(portal_address: str) -> None:
    seen: set[str] = set()
    with httpx.Client(base_url=portal_address, follow_redirects=True, timeout=30, headers={"Accept": "text/html"}) as client:
        for path in (
            "/",
            "/en/",
            "/datasets",
            f"/datasets/{TREES}",
            f"/en/datasets/{AIR}",
            f"/datasets/{DISTRICTS}",
            "/entwickler",
            "/impressum",
        ):
            seen.update(re.findall(r'(?:href|src)="(/[^"#]*)', client.get(path).text.replace("&amp;", "&")))
        wrong = {url: client.get(url).status_code for url in sorted(seen) if not url.startswith("/distributions/")}
    assert {url: status for url, status in wrong.items() if status not in (200, 401)} == {}


def test_what_nobody_may_see_is_nowhere(portal_address: str, portal_city: City) -> None:
    with httpx.Client(base_url=portal_address, timeout=30, headers={"Accept": "text/html"}) as client:
        assert client.get(f"/datasets/{HIDDEN}").status_code == 404
        assert "Kameras" not in client.get("/datasets").text + client.get("/").text
        assert client.get(f"/datasets/{HIDDEN}", headers={"Authorization": f"Bearer {portal_city.token}"}).status_code == 200


def test_a_hidden_column_is_on_no_page_and_on_no_map(portal_address: str) -> None:
    with httpx.Client(base_url=portal_address, timeout=30) as client:
        for path in (
            "/",
            "/live",
            "/map.geojson",
            f"/datasets/{VEILED}",
            f"/datasets/{VEILED}/map.geojson",
            f"/datasets/{VEILED}?chart_span=day",
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert SECRET not in answer.text, path
            assert re.search(r"8[.,]12", answer.text) is None, path
        assert client.get(f"/datasets/{VEILED}?thing_name__contains=s").status_code == 400
        assert "zaehler-1" in client.get("/live").text


def test_freshness_is_told_from_the_data(portal_address: str) -> None:
    with httpx.Client(base_url=portal_address, timeout=30) as client:
        assert "aktuell" in client.get(f"/datasets/{AIR}").text
        assert "noch ohne Daten" in client.get(f"/datasets/{EMPTY}").text


def test_a_filter_that_makes_no_sense_is_a_page_with_the_sentence(portal_address: str) -> None:
    with httpx.Client(base_url=portal_address, timeout=30, headers={"Accept": "text/html"}) as client:
        answers = {language: client.get(f"{language}/datasets/{TREES}?hight__ge=3") for language in ("", "/en")}
    assert {answer.status_code for answer in answers.values()} == {400}
    assert "ist height gemeint?" in answers[""].text
    assert "did you mean height?" in answers["/en"].text
    assert "<main" in answers[""].text


def test_who_released_the_data_stands_on_the_page_and_in_the_api(visit: Look, portal_address: str) -> None:
    with visit() as seen:
        facts = seen.go(f"/en/datasets/{AIR}").page.locator(".facts")
        expect(facts).to_contain_text("Leitung Umweltamt, 2 January 2026")
        expect(facts).to_contain_text("§ 12a EGovG · UA-17/2026")
    told = httpx.get(f"{portal_address}/api/v1/datasets/{AIR}", timeout=30).json()["release"]
    assert told == {"by": "Leitung Umweltamt", "date": "2026-01-02", "legal_basis": "§ 12a EGovG", "reference": "UA-17/2026"}


def test_a_search_without_results_proposes_what_has_some_and_says_which_word_it_left_out(visit: Look, portal_address: str) -> None:
    with visit(java_script_enabled=False) as seen:
        page = seen.go("/datasets?q=Luhftqalitet").page
        expect(page.get_by_text("Meinten Sie:")).to_be_visible()
        page.get_by_role("link", name="Luftqualität", exact=True).click()
        expect(page.get_by_role("link", name="Luftqualität").first).to_be_visible()
        expect(page.get_by_text("Meinten Sie:")).to_have_count(0)
        expect(seen.go("/en/datasets?q=Luhftqalitet").page.get_by_text("Did you mean:")).to_be_visible()
        expect(seen.go("/datasets?q=Luft+gibtesnicht").page.get_by_text("Kein Datensatz passt zu „gibtesnicht“")).to_be_visible()
    said = httpx.get(f"{portal_address}/api/v1/datasets", params={"q": "Luhftqalitet"}).json()
    assert (said["total"], said["proposals"][0], said["unknown"]) == (0, "Luftqualität", [])
    assert httpx.get(f"{portal_address}/api/v1/datasets", params={"q": "Luft gibtesnicht"}).json()["unknown"] == ["gibtesnicht"]
