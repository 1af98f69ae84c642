"""The operator's pages: only with a token, orders only from our own pages, trouble in words."""

from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import expect

from stadthub_catalog.catalog import Catalog
from tests.portal.city import City

Look = Callable[..., Any]
FORM = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


def test_signing_in_leads_to_the_feeds_and_signing_out_away_from_them(visit: Look, portal_city: City) -> None:
    with visit() as seen:
        page = seen.go("/operator").page
        page.get_by_label("Zugangsschlüssel").fill(portal_city.token)
        page.get_by_role("button", name="Anmelden").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Betrieb")
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)
        page.get_by_role("button", name="Abmelden").click()
        assert page.context.cookies() == []
        seen.go("/operator")
        expect(page.get_by_role("heading", level=1)).to_have_text("Anmelden")


def test_trouble_is_told_in_words(visit: Look, portal_city: City) -> None:
    with visit(portal_city.token) as seen:
        page = seen.go("/operator").page
        expect(page.get_by_role("alert")).to_contain_text("3 Datenquellen brauchen Hilfe.")
        expect(page.get_by_text("parking.toml: sorce: there is no such key: did you mean source?")).to_be_visible()
        expect(page.get_by_role("row", name="Lärm")).to_contain_text("stimmt nicht")
        page.get_by_role("link", name="Luftmessnetz").click()
        expect(page.get_by_text("970 empfangen, 30 unterwegs verloren (3 %)")).to_be_visible()
        reject = page.get_by_role("listitem").filter(has_text="2 × result: 900 liegt außerhalb von 0 bis 500 (Feinstaub PM10)")
        reject.locator("summary").click()
        expect(reject.get_by_text('"thing": "luft-99"')).to_have_count(2)
        expect(reject.get_by_text('"thing": "luft-99"').first).to_be_visible()


def test_a_feed_is_paused_resumed_and_asked_to_run(visit: Look, portal_city: City) -> None:
    catalog = Catalog(portal_city.settings.database)
    with visit(portal_city.token) as seen:
        page = seen.go("/operator/feeds/trees").page
        page.get_by_role("button", name="Anhalten").click()
        page.get_by_role("button", name="Fortsetzen").wait_for()
        assert catalog.feed("trees").paused
        page.get_by_role("button", name="Fortsetzen").click()
        page.get_by_role("button", name="Anhalten").wait_for()
        assert not catalog.feed("trees").paused
        page.get_by_role("button", name="Jetzt abrufen").click()
        page.wait_for_load_state()
        assert catalog.feed("trees").wanted_run is not None
    catalog.close()


def test_nobody_gets_in_with_a_wrong_or_a_weak_token(portal_address: str, portal_city: City) -> None:
    with httpx.Client(base_url=portal_address, timeout=30) as client:
        assert client.get("/operator", headers={"Accept": "text/html"}).status_code == 401
        for token in ("", "sth_wrong", portal_city.reader_token):
            answer = client.post("/operator/sign-in", data={"token": token}, headers=FORM)
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers


def test_a_foreign_page_can_neither_sign_in_nor_give_orders(portal_address: str, portal_city: City) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example", "Accept": "text/html"}
    with httpx.Client(base_url=portal_address, timeout=30) as client:
        assert client.post("/operator/sign-in", data={"token": portal_city.token}, headers=foreign).status_code == 403
        client.cookies.set("stadthub_session", portal_city.token)
        assert client.post("/operator/feeds/air/pause", headers=foreign).status_code == 403
        assert client.post("/operator/feeds/air/pause", headers={"Accept": "text/html"}).status_code == 403


def test_after_signing_in_nobody_is_led_to_another_site(portal_address: str, portal_city: City) -> None:
    with httpx.Client(base_url=portal_address, timeout=30) as client:
        for after in ("https://elsewhere.example/operator", "//elsewhere.example/operator", "/\\elsewhere.example"):
            answer = client.post("/operator/sign-in", data={"token": portal_city.token, "after": after}, headers=FORM)
            assert (answer.status_code, answer.headers["location"]) == (303, "/operator")


def test_what_is_broken_stands_first_with_since_when_and_what_was_told(visit: Look, portal_city: City) -> None:
    with visit(portal_city.token) as seen:
        page = seen.go("/operator").page
        noticed = page.get_by_role("region", name="Was jetzt auffällt")
        rows = noticed.get_by_role("row")
        expect(rows.nth(1)).to_contain_text(
            "zaehler.example antwortet nicht, wie es soll: https://zaehler.example/: keine Antwort in der gesetzten Zeit"
        )
        expect(noticed).to_contain_text("60 von 300 Zeilen abgelehnt")
        expect(noticed).to_contain_text("nur 900 MB frei")
        page.locator("summary", has_text="Zuletzt behoben").click()
        expect(page.get_by_role("region", name="Was zuletzt behoben war")).to_contain_text("erwartet alle 10 Minuten")
        alarms = page.get_by_role("region", name="Die letzten Alarme und ob sie angekommen sind")
        expect(alarms).to_contain_text("noch nicht: 1: E-Mail did not take the message")
        expect(page.get_by_text("12 von 30")).to_be_visible()
        expect(page.get_by_text("Die Annahme von Daten läuft nicht auf diesem Rechner.")).to_be_visible()
        page = seen.go("/en/operator").page
        expect(page.get_by_text("60 of 300 rows rejected")).to_be_visible()


def test_a_feed_is_silenced_by_a_button_and_loud_again(visit: Look, portal_city: City) -> None:
    catalog = Catalog(portal_city.settings.database)
    with visit(portal_city.token) as seen:
        page = seen.go("/operator/feeds/trees").page
        page.get_by_role("button", name="Zwei Stunden nicht alarmieren").click()
        expect(page.get_by_text("Wartung: kein Alarm bis")).to_be_visible()
        assert catalog.feed("trees").silent_until is not None
        page.get_by_role("button", name="Wieder alarmieren").click()
        page.get_by_role("button", name="Zwei Stunden nicht alarmieren").wait_for()
        assert catalog.feed("trees").silent_until is None
    catalog.close()


def test_a_harvest_shows_its_ledger_and_leads_to_what_is_missing_here(visit: Look, portal_city: City) -> None:
    with visit(portal_city.token) as seen:
        page = seen.go("/operator/feeds/nachbarstadt").page
        expect(page.get_by_role("heading", name="Kassenbuch")).to_be_visible()
        expect(page.get_by_role("row", name="it has no title")).to_contain_text("gescheitert")
        page.get_by_role("link", name="Was dort steht und hier fehlt").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Was andere veröffentlichen")
        expect(page.get_by_role("row", name="Spielplätze")).to_contain_text("Grünamt Nachbarstadt")
        seen.go("/datasets?q=Spielplatz")
        expect(page.get_by_role("article").filter(has_text="Spielplätze")).to_contain_text("übernommen")
        seen.go("/datasets/spielplaetze")
        expect(page.get_by_text("Übernommen von Offene Daten Nachbarstadt")).to_be_visible()
        expect(page.get_by_text("Herausgeber dort: Grünamt Nachbarstadt.")).to_be_visible()
