"""The freshness badge: words and colour say the same, a screen reader hears it, and nobody sees one of what is not public."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from stadthub_api.portal.views.badge import COLOURS, LEFT
from stadthub_schemas.dataset import Extent
from stadthub_schemas.freshness import Freshness, freshness
from tests.portal.city import AIR, EMPTY, HIDDEN, HOURS, City

SVG = "{http://www.w3.org/2000/svg}"
Look = Callable[..., Any]


@pytest.fixture
def anybody(portal_address: str) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=portal_address, timeout=30) as one:
        yield one


@pytest.mark.parametrize(("language", "word"), [("", "noch ohne Daten"), ("/en", "no data yet")])
def test_a_badge_says_in_words_how_fresh_a_dataset_is(anybody: httpx.Client, language: str, word: str) -> None:
    answer = anybody.get(f"{language}/datasets/{EMPTY}/badge.svg")
    assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
    assert "max-age=60" in answer.headers["cache-control"]
    picture = ET.fromstring(answer.text)
    assert picture.get("role") == "img"
    title = picture.findtext(f"{SVG}title")
    assert title is not None
    assert title.endswith(f": {word}")
    assert picture.get("aria-label") == title
    assert "style" not in answer.text
    assert anybody.get(f"{language}/datasets/{EMPTY}/badge.svg", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_the_json_is_what_shields_takes_and_says_the_same(anybody: httpx.Client) -> None:
    answer = anybody.get(f"/datasets/{AIR}/badge.json")
    told = answer.json()
    assert told.keys() == {"schemaVersion", "label", "message", "color", "cacheSeconds"}
    assert told["schemaVersion"] == 1
    assert told["color"] in COLOURS.values()
    assert f"{told['label']}: {told['message']}" in anybody.get(f"/datasets/{AIR}/badge.svg").text
    assert answer.headers["access-control-allow-origin"] == "*"


def test_what_has_no_rhythm_is_neither_late_nor_silent(anybody: httpx.Client) -> None:
    assert anybody.get(f"/datasets/{HOURS}/badge.json").json()["message"] == "ohne festen Rhythmus"


@pytest.mark.parametrize("form", ["svg", "json"])
def test_there_is_no_badge_of_what_is_not_public_or_not_there(anybody: httpx.Client, portal_city: City, form: str) -> None:
    assert anybody.get(f"/datasets/{HIDDEN}/badge.{form}").status_code == 404
    assert anybody.get(f"/datasets/nowhere/badge.{form}").status_code == 404
    anybody.headers["Authorization"] = f"Bearer {portal_city.token}"
    answer = anybody.get(f"/datasets/{HIDDEN}/badge.{form}")
    assert answer.status_code == 200
    assert "private" in answer.headers["cache-control"]


def test_a_badge_can_be_read_by_those_who_see_little(anybody: httpx.Client) -> None:
    for colour in (*COLOURS.values(), LEFT):
        shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in shares)
        assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5, colour


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(minutes=80), Freshness.FRESH),
        (timedelta(minutes=119), Freshness.FRESH),  # a count of 10:00 to 11:00, when that of 11:00 to 12:00 is about to come
        (timedelta(hours=3), Freshness.LATE),
        (timedelta(hours=8), Freshness.STALE),
    ],
)
def test_late_is_half_a_rhythm_after_the_interval_that_a_time_begins_and_silent_four_times_that(
    age: timedelta, expected: Freshness
) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    assert freshness(Extent(rows=1, last_time=(now - age).isoformat()), "HOURLY", now) is expected


def test_the_page_of_a_dataset_shows_how_to_embed_its_badge(visit: Look) -> None:
    with visit() as seen:
        page = seen.go(f"/datasets/{AIR}").page
        assert f'/datasets/{AIR}/badge.svg" alt="Aktualität: ' in page.locator("#badge").inner_text()
        assert page.locator(f'img[src="/datasets/{AIR}/badge.svg"]').evaluate("picture => picture.naturalWidth") > 100
        assert seen.complaints == []
