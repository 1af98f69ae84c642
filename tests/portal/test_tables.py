"""Tables, periods and refusals as readers meet them: units once, keys without signs, days on the clock, and their own language."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import shapely

from stadthub_api.portal.cells import cell
from stadthub_api.portal.language import Writing
from stadthub_schemas.dataset import Column, ColumnType
from tests.portal.city import City

GERMAN, ENGLISH = Writing("de", ZoneInfo("Europe/Berlin")), Writing("en", ZoneInfo("Europe/Berlin"))
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
POLYGON = {"type": "Polygon", "coordinates": [[[7, 51], [8, 51], [8, 52], [7, 51]]]}


@pytest.mark.parametrize(
    ("title", "code", "shown"),
    [
        ("Fläche in m²", "m2", ""),
        ("Fläche (m²)", "m2", ""),
        ("Fläche in m2", "m2", ""),
        ("flaeche_m2", "m2", ""),
        ("Anteil in %", "%", ""),
        ("Anteil in Prozent", "%", ""),
        ("Fläche", "m2", "m²"),
        ("Höhe je Baum", "m", "m"),
        ("Fläche in m²", "m", "m"),
        ("Stammumfang", None, ""),
        ("Anzahl", "{count}", ""),
    ],
)
def test_a_unit_stands_beside_a_title_unless_the_title_says_it(title: str, code: str | None, shown: str) -> None:
    assert GERMAN.unit_beside(title, code) == shown


@pytest.mark.parametrize(
    ("name", "kind", "value", "german", "english"),
    [
        ("pflanzjahr", ColumnType.INTEGER, 1990, "1990", "1990"),
        ("Baujahr", ColumnType.NUMBER, 1990.0, "1990", "1990"),
        ("year", ColumnType.INTEGER, 2026, "2026", "2026"),
        ("plz", ColumnType.INTEGER, 48143, "48143", "48143"),
        ("OBJECTID", ColumnType.INTEGER, 12345, "12345", "12345"),
        ("baum_id", ColumnType.INTEGER, 12345, "12345", "12345"),
        ("lfd. Nr.", ColumnType.INTEGER, 12345, "12345", "12345"),
        ("einwohner", ColumnType.INTEGER, 12345, "12.345", "12,345"),
        ("anzahl_je_plz", ColumnType.INTEGER, 12345, "12.345", "12,345"),
        ("kfz_je_jahr", ColumnType.INTEGER, 12345, "12.345", "12,345"),
        ("stand", ColumnType.DATE, "2024-05-03", "03.05.2024", "03/05/2024"),
        ("stand", ColumnType.DATE, date(2024, 5, 3), "03.05.2024", "03/05/2024"),
        ("zeit", ColumnType.TIME, "2024-05-03T10:00:00+00:00", "03.05.2024 12:00:00 MESZ", "03/05/2024 12:00:00 CEST"),
        ("zeit", ColumnType.TIME, datetime(2024, 1, 3, 10, tzinfo=UTC), "03.01.2024 11:00:00 MEZ", "03/01/2024 11:00:00 CET"),
        ("zeit", ColumnType.TIME, "2024-05-03T10:00:00", "03.05.2024 10:00:00", "03/05/2024 10:00:00"),
        ("ort", ColumnType.GEOMETRY, shapely.to_wkb(shapely.Point(7.6236, 51.9607)), "Punkt 7.6236, 51.9607", "Point 7.6236, 51.9607"),
        ("ort", ColumnType.JSON, POLYGON, "Polygon, 4 Punkte", "Polygon, 4 points"),
        ("mehr", ColumnType.JSON, {"type": "x"}, '{"type":"x"}', '{"type":"x"}'),
        ("quality", ColumnType.TEXT, "suppressed", "zu klein, um gezeigt zu werden", "too small to be shown"),
        ("offen", ColumnType.BOOLEAN, True, "ja", "yes"),
        ("offen", ColumnType.BOOLEAN, None, "–", "–"),
    ],
)
def test_a_value_is_written_as_its_reader_writes_it(name: str, kind: ColumnType, value: Any, german: str, english: str) -> None:
    column = Column(name=name, type=kind)
    assert (cell(column, value, GERMAN), cell(column, value, ENGLISH)) == (german, english)


@pytest.mark.parametrize(
    ("first", "last", "written"),
    [
        ("2024-01-01", "2024-12-31", ("1. Jan. 2024", "31. Dez. 2024")),
        ("2024-06-30T22:00:00Z", "2024-12-31", ("1. Juli 2024", "31. Dez. 2024")),
        ("2026-10-01T00:00:00Z", "2026-11-26T20:45:00Z", ("1. Okt. 2026, 02:00 MESZ", "26. Nov. 2026, 21:45 MEZ")),
        ("2024-01-01", None, ("1. Jan. 2024", "")),
        (None, None, ("", "")),
    ],
)
def test_both_ends_of_a_period_have_one_form(first: str | None, last: str | None, written: tuple[str, str]) -> None:
    assert GERMAN.period(first, last) == written


@pytest.mark.parametrize(
    ("path", "title", "told"),
    [
        ("/datasets/gibtesnicht", "Nicht gefunden", "Den Datensatz &#39;gibtesnicht&#39; gibt es nicht"),
        ("/de/gibtesnicht", "Nicht gefunden", "Unter /de/gibtesnicht gibt es nichts"),
        ("/dataset/gibtesnicht", "Nicht gefunden", "Den Datensatz &#39;gibtesnicht&#39; gibt es nicht"),
        ("/en/datasets/gibtesnicht", "Not found", "there is no dataset &#39;gibtesnicht&#39;"),
        ("/en/gibtesnicht", "Not found", "nothing is at /en/gibtesnicht"),
    ],
)
def test_a_browser_is_told_in_its_language_what_is_not_there_and_a_client_as_problem_details(
    portal_address: str, path: str, title: str, told: str
) -> None:
    page = httpx.get(portal_address + path, headers=BROWSER, timeout=60, follow_redirects=True)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert f"<h1>{title}</h1>" in page.text
    assert f'<p class="muted">{told}</p>' in page.text
    client = httpx.get(portal_address + path, timeout=60, follow_redirects=True)
    assert (client.status_code, client.headers["content-type"]) == (404, "application/problem+json")


def test_the_page_of_a_feed_speaks_german_to_germans_and_english_to_others(portal_address: str, portal_city: City) -> None:
    with httpx.Client(base_url=portal_address, cookies={"stadthub_session": portal_city.token}, headers=BROWSER, timeout=60) as client:
        german, english = client.get("/operator/feeds/air").text, client.get("/en/operator/feeds/air").text
    assert "result: 900 liegt außerhalb von 0 bis 500 (Feinstaub PM10)" in german
    assert "result: 900 is outside 0..500 (pm10)" in english
    assert 'lang="en">result' not in german + english
    assert "<dd>MQTT</dd>" in german
    assert "2 × phenomenon_time: … liegt 2 Tage in der Zukunft" in german, "rejects that only name other moments stand together"
