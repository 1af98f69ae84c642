"""What must be true of every page, in both languages, light and dark: accessible, narrow enough, from here alone."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.portal.city import AIR, EMPTY, HOURS, LINKS, TREES, WLAN, City
from tests.portal.harvest_city import NEIGHBOUR, TAKEN

PAGES = (
    "/",
    "/datasets",
    "/datasets?theme=ENVI&sort=title",
    "/datasets?q=gibtesnicht",
    "/datasets?q=Luft+gibtesnicht",
    "/datasets?q=Luhftqalitet",
    f"/datasets/{AIR}?chart_property=pm10&chart_thing=luft-00&chart_compare=luft-01",
    f"/datasets/{TREES}?species__contains=Linde",
    f"/datasets/{HOURS}?office__contains=nirgends",
    f"/datasets/{EMPTY}",
    f"/datasets/{LINKS}",
    f"/datasets/{TAKEN}",
    f"/operator/feeds/{NEIGHBOUR}",
    "/operator/gaps",
    "/measured",
    "/measured?page=99",
    f"/datasets/{AIR}/things/luft-00",
    f"/datasets/{WLAN}/things/Rathaus%201/EG",
    "/wlan",
    "/datasets/wlan-use",
    "/entwickler",
    "/barrierefreiheit",
    "/impressum",
    "/datenschutz",
    "/gibt-es-nicht",
    "/operator/sign-in",
    "/operator",
    "/operator/privacy",
    "/operator/feeds/air",
    "/operator/feeds/parking",
    "/operator/feeds/opening-hours",
    "/operator/feeds/opening-hours/quarantine/2",
    "/operator/feeds/new",
    "/operator/feeds/new?template=sensorthings",
    "/operator/import",
)
#: Answers that are errors on purpose; the browser says so in its console.
MISSING = ("/gibt-es-nicht",)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

Look = Callable[..., Any]


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_light_and_dark_narrow_and_asks_nobody_else(
    path: str, language: str, visit: Look, axe: str, portal_city: City
) -> None:
    with visit(portal_city.token if "/operator" in path else None) as seen:
        seen.go(("/en" if language == "en" else "") + path)
        assert seen.page.locator("html").get_attribute("lang") == language
        seen.page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        for look in ("light", "dark"):
            seen.page.emulate_media(color_scheme=look)
            assert violations(seen.page, axe) == [], look
        seen.page.set_viewport_size({"width": 320, "height": 640})
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 320
        expected = [text for text in seen.complaints if path in MISSING and "404" in text]
        assert [text for text in seen.complaints if text not in expected] == []
        assert seen.foreign == []


def test_the_page_of_the_api_asks_nobody_else_and_breaks_no_policy(visit: Look) -> None:
    with visit() as seen:
        page = seen.go("/api/docs").page
        page.locator(".opblock").first.wait_for()
        assert seen.complaints == []
        assert seen.foreign == []


def violations(page: Any, axe: str) -> list[str]:
    """What axe finds wrong on the page, one line each."""
    page.evaluate(axe)
    found = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", TAGS)
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}" for one in found["violations"] for node in one["nodes"]]
