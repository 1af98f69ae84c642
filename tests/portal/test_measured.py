"""What is measured here: in words for everybody and as data, of all datasets, of one and of one thing; nothing that may not be seen."""

from collections.abc import Iterator

import httpx
import pytest

from tests.portal.city import AIR, EMPTY, HIDDEN, LINKS, SECRET, TREES, VEILED, WLAN

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def reader(portal_address: str) -> Iterator[httpx.Client]:
    """Somebody without a token."""
    with httpx.Client(base_url=portal_address, timeout=60) as one:
        yield one


def test_every_dataset_stands_there_with_what_where_how_often_since_when_and_how_long(reader: httpx.Client) -> None:
    answer = reader.get("/api/v1/measured").json()
    found = {one["name"]: one for one in answer["datasets"]}
    assert answer["total"] == len(found)
    assert {AIR, EMPTY, TREES, VEILED, WLAN} <= set(found)
    assert not {HIDDEN, LINKS} & set(found)
    air = found[AIR]
    assert [one["observed_property"] for one in air["observed"]] == ["air_temperature", "pm10"]
    assert (air["observed"][1]["title"], air["observed"][1]["unit"]) == ("Feinstaub PM10", "ug/m3")
    assert (air["things"], air["update_frequency"]["title_en"], air["kept_for"]) == (24, "every 15 minutes", None)
    assert air["bbox"][0] == pytest.approx(10.0)
    assert air["first_time"] < air["last_time"]
    assert air["contact"] == {"name": "Geodatenstelle", "email": "daten@musterstadt.example"}
    assert {"column": "height", "title": "height", "title_en": None, "unit": None} in found[TREES]["observed"]
    assert found[WLAN]["kept_for"] == "P365D"
    assert found[VEILED]["bbox"] is None


def test_where_people_are_counted_it_says_why_and_what_is_never_kept(reader: httpx.Client) -> None:
    privacy = reader.get(f"/api/v1/datasets/{WLAN}/measured").json()["privacy"]
    assert (privacy["purpose"], privacy["legal_basis"], privacy["k"], privacy["bucket"]) == (
        "Auslastung planen",
        "Art. 6 (1) e DSGVO",
        5,
        "PT15M",
    )
    assert any(one["title_en"] == "IP addresses" for one in privacy["never_kept"])
    german, english = (reader.get(path, headers=PAGE).text for path in ("/measured", "/en/measured"))
    for text in ("Auslastung planen", "Art. 6 (1) e DSGVO", "IP-Adressen", "https://musterstadt.example/dsfa", "365 Tage", "15 Minuten"):
        assert text in german
    for text in ("Planning for load", "number of connected devices", "IP addresses", "365 days", "smaller counts are shown to the city"):
        assert text in english
    assert f'href="/measured#people-{WLAN}"'.replace("#", "#") in reader.get(f"/datasets/{WLAN}", headers=PAGE).text.replace(
        '"/measured"', '"/measured"'
    )


def test_a_thing_has_a_page_for_its_sign_and_the_same_as_data(reader: httpx.Client) -> None:
    page = reader.get(f"/en/datasets/{AIR}/things/luft-00", headers=PAGE).text
    for text in (
        "Musterstraße 1",
        "Air temperature",
        "µg/m³",
        f"/datasets/{AIR}/things/luft-00",
        "Geodatenstelle",
        "What does this sensor measure?",
    ):
        assert text in page
    told = reader.get(f"/api/v1/datasets/{AIR}/things/luft-00").json()
    assert (told["thing"], told["thing_name"], told["longitude"]) == ("luft-00", "Musterstraße 1", 10.0)
    assert [row["observed_property"] for row in told["latest"]] == ["air_temperature", "pm10"]
    assert told["links"]["html"].endswith(f"/datasets/{AIR}/things/luft-00")


def test_a_name_with_blanks_and_slashes_is_an_address_too(reader: httpx.Client) -> None:
    told = reader.get(f"/api/v1/datasets/{WLAN}/things/Rathaus%200/EG").json()
    assert told["latest"][0]["result"] == 23
    page = reader.get(f"/datasets/{WLAN}", headers=PAGE).text
    assert f'href="/datasets/{WLAN}/things/Rathaus%200/EG"' in page
    assert reader.get(told["links"]["html"].partition("8000")[2], headers=PAGE).status_code == 200


def test_a_small_count_is_no_number_on_the_page_of_its_thing(reader: httpx.Client) -> None:
    told = reader.get(f"/api/v1/datasets/{WLAN}/things/Rathaus 1/EG").json()
    assert (told["latest"][0]["result"], told["latest"][0]["quality"]) == (None, "suppressed")
    assert "zu klein, um gezeigt zu werden" in reader.get(f"/datasets/{WLAN}/things/Rathaus 1/EG", headers=PAGE).text


def test_what_may_not_be_seen_is_not_told_of_a_thing(reader: httpx.Client) -> None:
    for path in (f"/api/v1/datasets/{VEILED}/things/zaehler-1", f"/datasets/{VEILED}/things/zaehler-1"):
        answer = reader.get(path)
        assert answer.status_code == 200
        assert SECRET not in answer.text
        assert "8.12345" not in answer.text.replace(",", ".")


@pytest.mark.parametrize("path", [f"/datasets/{AIR}/things/nirgends", f"/datasets/{TREES}/things/B0001", f"/datasets/{HIDDEN}/things/x"])
def test_a_thing_that_is_not_there_is_not_found(reader: httpx.Client, path: str) -> None:
    assert [reader.get(prefix + path).status_code for prefix in ("", "/en", "/api/v1")] == [404, 404, 404]


def test_pages_of_what_is_measured_follow_one_another(reader: httpx.Client) -> None:
    names, following = [], "/api/v1/measured?limit=3"
    while following:
        answer = reader.get(following).json()
        names += [one["name"] for one in answer["datasets"]]
        following = answer["next"]
    assert len(names) == len(set(names)) == reader.get("/api/v1/measured").json()["total"]
    assert reader.get("/api/v1/measured?limt=3").status_code == 400


def test_every_page_leads_there(reader: httpx.Client) -> None:
    for path in ("/", "/datasets", f"/datasets/{AIR}", "/datenschutz"):
        assert 'href="/measured"' in reader.get(path, headers=PAGE).text
