"""The addresses that feed readers, robots and links in other catalogues use."""

from urllib.parse import unquote
from xml.etree import ElementTree as ET

import httpx
import pytest

from stadthub_catalog.packages import theme_id
from tests.clients.conftest import Hub

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def _atom(hub: Hub, path: str) -> ET.Element:
    answer = httpx.get(f"{hub.address}/feeds/{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return ET.fromstring(answer.content)


def _titles(feed: ET.Element) -> list[str | None]:
    return [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]


@pytest.mark.parametrize(
    ("path", "titles"),
    [
        ("dataset.atom", {"Titel", "Parkhäuser"}),
        ("custom.atom?q=parkhaus", {"Parkhäuser"}),
        ("custom.atom?fq=groups:tran", {"Parkhäuser"}),
        ("custom.atom?q=gibtesnicht", set()),
        ("organization/musterstadt.atom", {"Titel", "Parkhäuser"}),
        ("group/envi.atom", {"Titel"}),
        ("tag/Feinstaub%20PM10.atom", {"Titel"}),
    ],
)
def test_a_feed_tells_the_datasets_of_its_list(hub: Hub, path: str, titles: set[str]) -> None:
    feed = _atom(hub, path)
    assert set(_titles(feed)) == titles
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert unquote(str(links["self"])) == unquote(f"https://daten.musterstadt.example/feeds/{path}")
    assert links["first"] == links["last"] == links["self"]
    assert "next" not in links


def test_a_feeds_entry_keeps_its_id_and_names_its_page(hub: Hub) -> None:
    [entry] = _atom(hub, "group/envi.atom").findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == f"https://daten.musterstadt.example/dataset/{hub.baeume}"
    assert {link.get("rel") for link in entry.findall(f"{ATOM}link")} == {"alternate", "via"}
    assert {one.get("term") for one in entry.findall(f"{ATOM}category")} == {"Baum", "Feinstaub PM10"}


def test_a_feed_that_did_not_change_is_not_sent_again(hub: Hub) -> None:
    first = httpx.get(f"{hub.address}/feeds/dataset.atom")
    assert httpx.get(f"{hub.address}/feeds/dataset.atom", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("organization/nobody.atom", 404),
        ("group/nothing.atom", 404),
        ("tag/geheim.atom", 404),
        ("dataset.atom?page=2", 404),
        ("custom.atom?fq=a:(", 400),
    ],
)
def test_a_feed_of_nothing_is_a_clear_error(hub: Hub, path: str, status: int) -> None:
    assert httpx.get(f"{hub.address}/feeds/{path}").status_code == status


def test_the_citys_own_people_get_their_own_feed(hub: Hub) -> None:
    mine = httpx.get(f"{hub.address}/feeds/dataset.atom", headers={"Authorization": hub.token})
    assert b"/datasets/intern" in mine.content
    assert "private" in mine.headers["cache-control"]


def test_robots_are_invited_and_find_all_public_pages(hub: Hub) -> None:
    robots = httpx.get(f"{hub.address}/robots.txt").text
    assert "Sitemap: https://daten.musterstadt.example/sitemap.xml" in robots
    assert "Crawl-Delay" not in robots
    tree = ET.fromstring(httpx.get(f"{hub.address}/sitemap.xml").content)
    found = {place.text for place in tree.iter(f"{SITEMAP}loc")}
    pages = ("/datasets/baeume", "/en/datasets/baeume", "/datasets/parken", "/", "/en")
    assert found >= {f"https://daten.musterstadt.example{page}" for page in pages}
    assert not any("intern" in str(page) or "fort" in str(page) for page in found)
    assert httpx.get(f"{hub.address}/sitemap.xml?page=2").status_code == 404


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("tag/autocomplete?incomplete=fein", {"ResultSet": {"Result": [{"Name": "Feinstaub PM10"}]}}),
        ("tag/autocomplete?incomplete=geheim", {"ResultSet": {"Result": []}}),
        ("organization/autocomplete?q=muster", [{"name": "musterstadt", "title": "Stadt Musterstadt"}]),
        ("group/autocomplete?q=verk", [{"name": "tran", "title": "Verkehr"}]),
        ("resource/format_autocomplete?incomplete=geo", {"ResultSet": {"Result": [{"Format": "geojson"}]}}),
        ("user/autocomplete?q=admin", []),
    ],
)
def test_what_is_begun_is_completed_from_what_the_caller_may_see(hub: Hub, path: str, answer: object) -> None:
    assert httpx.get(f"{hub.address}/api/2/util/{path}").json() == answer


def test_a_dataset_is_completed_by_title_and_name(hub: Hub) -> None:
    found = httpx.get(f"{hub.address}/api/2/util/dataset/autocomplete?incomplete=park").json()["ResultSet"]["Result"]
    assert found == [{"match_field": "title", "match_displayed": "Parkhäuser (parken)", "name": "parken", "title": "Parkhäuser"}]


def test_a_group_that_was_made_here_has_its_page_its_feed_and_its_place_among_the_facets(hub: Hub) -> None:
    for action, said in (
        ("group_create", {"name": "stadtgruen", "title": "Stadtgrün"}),
        ("organization_create", {"name": "gruen"}),
        ("package_create", {"name": "hecken", "title": "Hecken", "owner_org": "gruen", "groups": [{"name": "stadtgruen"}]}),
    ):
        made = httpx.post(f"{hub.address}/api/action/{action}", json=said, headers={"Authorization": hub.token})
        assert made.status_code == 200, made.text
    answer = httpx.get(f"{hub.address}/group/stadtgruen")
    assert answer.headers["location"] == "/datasets?group=stadtgruen"
    for prefix, word in (("", "Gruppe"), ("/en", "Group")):
        page = httpx.get(f"{hub.address}{prefix}/datasets?group=stadtgruen", headers={"Accept": "text/html"}).text
        assert "Hecken" in page
        assert "Parkhäuser" not in page
        assert word in page
        assert "Stadtgrün" in page
    assert _titles(_atom(hub, "group/stadtgruen.atom")) == ["Hecken"]
    found = httpx.get(f"{hub.address}/api/v1/datasets?group=stadtgruen").json()
    assert found["facets"]["group"] == {"stadtgruen": 1}
    begun = httpx.get(f"{hub.address}/api/2/util/group/autocomplete?q=stadt").json()
    assert begun == [{"name": "stadtgruen", "title": "Stadtgrün"}]
    for action, key in (("dataset_purge", "hecken"), ("group_purge", "stadtgruen"), ("organization_purge", "gruen")):
        httpx.post(f"{hub.address}/api/action/{action}", json={"id": key}, headers={"Authorization": hub.token}).raise_for_status()


def test_ckans_addresses_lead_to_the_portals_pages(hub: Hub) -> None:
    ways = {
        "/dataset/": "/datasets",
        "/dataset/baeume": "/datasets/baeume",
        f"/dataset/{hub.baeume}": "/datasets/baeume",
        f"/dataset/{hub.baeume}/resource/{hub.csv}": "/datasets/baeume#download",
        "/organization/musterstadt": "/datasets?publisher=musterstadt",
        "/group/envi": "/datasets?theme=ENVI",
        f"/group/{theme_id('ENVI')}": "/datasets?theme=ENVI",
    }
    for path, there in ways.items():
        answer = httpx.get(hub.address + path)
        assert answer.is_redirect, path
        assert answer.headers["location"] == there
        assert httpx.get(hub.address + there, headers={"Accept": "text/html"}).status_code == 200
    for path in (
        "/dataset/intern",
        "/dataset/nope",
        f"/dataset/parken/resource/{hub.csv}",
        "/organization/nope",
        "/api/util/status",
        "/api/2/util/x/autocomplete",
    ):
        assert httpx.get(hub.address + path).status_code == 404, path
