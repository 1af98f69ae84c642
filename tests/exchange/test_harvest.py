"""Other catalogues are taken into ours: every protocol over a real socket, and a ledger that adds up whatever happens."""

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import Graph

from stadthub_catalog.entry import State
from stadthub_catalog.ledger import Outcome
from stadthub_catalog.taking import TooManyGone
from stadthub_pipelines.errands import run_errand
from stadthub_schemas.errors import Conflict, NotFound, SourceError
from tests.catalog.samples import publish
from tests.exchange import payloads
from tests.exchange.hubs import OURS, Home, Other, harvest_of, home
from tests.servers import Answer, Asked, WebServer, running_web_server

SEARCH = "/api/3/action/package_search"


def _serve(web: WebServer, *packages: dict[str, Any]) -> None:
    """Let the server be a CKAN with these packages."""

    def answer(asked: Asked) -> Answer:
        start, rows = (int(re.findall(rf"{name}=(\d+)", asked.path)[0]) for name in ("start", "rows"))
        return Answer(payloads.found(list(packages[start : start + rows]), len(packages)))

    web.answers[SEARCH] = answer


def test_a_ckan_is_taken_page_by_page_and_says_where_it_comes_from(ours: Home, web_server: WebServer) -> None:
    _serve(web_server, *(payloads.package(number) for number in range(5)))
    tally = ours.harvest(web_server.url, more="page_size = 2\nparameters = { fq = 'organization:stadt-nebenan' }\n")
    assert (tally.found, tally.created, tally.before, tally.after) == (5, 5, 0, 5)
    asked = [one.path for one in web_server.asked]
    assert len(asked) == 3
    assert all("fq=organization%3Astadt-nebenan" in path and "sort=id+asc" in path for path in asked)
    entry = ours.catalog.entry("paket-3")
    words = entry.dataset.metadata
    assert (words.license, words.themes, words.update_frequency) == ("dl-de-by-2.0", ("TRAN",), "DAILY")
    assert words.publisher.name == "nebenan"
    assert [(one.format, one.url) for one in entry.distributions] == [("csv", "https://nebenan.example/3.csv")]
    extras = ours.extras("paket-3")
    assert extras["harvest_source_title"] == "Stadt Nebenan"
    assert extras["harvest_object_id"] == payloads.package(3)["id"] == extras["identifier"]
    assert extras["publisher_name"] == "Stadt Nebenan"
    assert extras["harvest_url"] == f"{web_server.url}/dataset/paket-3"


def test_what_stays_the_same_is_not_written_again_and_what_changed_is(ours: Home, web_server: WebServer) -> None:
    _serve(web_server, payloads.package(1), payloads.package(2))
    ours.harvest(web_server.url)
    before = ours.catalog.entry("paket-1")
    _serve(web_server, payloads.package(1, tracking_summary={"total": 7}), payloads.package(2, title="Neuer Titel"))
    tally = ours.harvest(web_server.url)
    assert (tally.unchanged, tally.updated, tally.created) == (1, 1, 0)
    assert ours.catalog.entry("paket-1") == before
    assert ours.catalog.entry("paket-2").dataset.metadata.title == "Neuer Titel"


def test_what_is_listed_no_more_is_withdrawn_and_comes_back_under_its_id(ours: Home, web_server: WebServer) -> None:
    packages = [payloads.package(number) for number in range(10)]
    _serve(web_server, *packages)
    ours.harvest(web_server.url)
    key = ours.catalog.entry("paket-9").id
    _serve(web_server, *packages[:9])
    tally = ours.harvest(web_server.url)
    assert (tally.withdrawn, tally.before, tally.after) == (1, 10, 9)
    with pytest.raises(NotFound):
        ours.catalog.entry("paket-9")
    assert ours.catalog.shelf.hidden("paket-9").state is State.WITHDRAWN
    _serve(web_server, *packages)
    assert ours.harvest(web_server.url).created == 1
    assert ours.catalog.entry("paket-9").id == key


def test_either_database_keeps_a_harvest_and_its_ledger(database_url: str, tmp_path: Path, web_server: WebServer) -> None:
    packages = [payloads.package(number) for number in range(10)]
    with home(tmp_path, database_url) as hub:
        _serve(web_server, *packages)
        assert hub.harvest(web_server.url).created == 10
        _serve(web_server, *packages[1:], payloads.package(11, id="ä" * 3000, name="lang"))
        tally = hub.harvest(web_server.url)
        assert (tally.created, tally.withdrawn, tally.unchanged, tally.after) == (1, 1, 9, 10)
        assert hub.catalog.harvests() == {"nebenan": 10}
        assert hub.catalog.entry("lang")


def test_when_too_much_is_gone_nothing_is_withdrawn_and_an_operator_is_told(ours: Home, web_server: WebServer) -> None:
    packages = [payloads.package(number) for number in range(10)]
    _serve(web_server, *packages)
    ours.harvest(web_server.url)
    _serve(web_server, *packages[:6])
    with pytest.raises(TooManyGone, match="4 of 10 datasets are missing"):
        ours.harvest(web_server.url)
    assert [one.kind for one in ours.catalog.findings("nebenan")] == ["harvest_gone"]
    assert ours.catalog.tallies("nebenan", 1)[0].spared == 4
    assert ours.catalog.entry("paket-9")
    assert ours.harvest(web_server.url, more="threshold = 1.0\n").withdrawn == 4
    assert ours.catalog.findings("nebenan") == []


def test_an_empty_catalogue_empties_nothing(ours: Home, web_server: WebServer) -> None:
    _serve(web_server, payloads.package(1))
    ours.harvest(web_server.url)
    _serve(web_server)
    with pytest.raises(TooManyGone):
        ours.harvest(web_server.url)
    assert ours.catalog.entry("paket-1")


def test_one_broken_dataset_stops_no_other(ours: Home, web_server: WebServer) -> None:
    broken = payloads.package(2, title="", name="")
    _serve(web_server, payloads.package(1), broken, {"title": "ohne id"}, payloads.package(3))
    tally = ours.harvest(web_server.url)
    assert (tally.found, tally.created, tally.failed) == (4, 2, 2)
    assert ours.outcomes()[broken["id"]] == (Outcome.FAILED, "it has no title")


def test_a_page_that_fails_ends_the_run_and_keeps_what_is_there(ours: Home, web_server: WebServer) -> None:
    packages = [payloads.package(number) for number in range(4)]
    _serve(web_server, *packages)
    ours.harvest(web_server.url)
    pages = [Answer(payloads.found(packages[:2], 4)), Answer(b"oops", 500)]
    web_server.answers[SEARCH] = pages
    with pytest.raises(SourceError, match="500"):
        ours.harvest(web_server.url, more="page_size = 2\n")
    tally = ours.catalog.tallies("nebenan", 1)[0]
    assert (tally.found, tally.spared, tally.withdrawn) == (2, 2, 0)
    assert ours.catalog.feed("nebenan").error is not None


def test_a_far_side_that_fails_again_is_told_until_it_answers(ours: Home, web_server: WebServer) -> None:
    web_server.answers[SEARCH] = Answer(b"", 503)
    for times in (0, 1):
        with pytest.raises(SourceError):
            ours.harvest(web_server.url)
        assert [one.kind for one in ours.catalog.findings("nebenan")] == ["source_error"] * times
    _serve(web_server, *(payloads.package(number, **({"title": "", "name": ""} if number > 9 else {})) for number in range(40)))
    ours.harvest(web_server.url)
    [finding] = ours.catalog.findings("nebenan")
    assert (finding.kind, finding.details) == ("rejects", {"received": 40, "rejected": 30})
    _serve(web_server, *(payloads.package(number) for number in range(40)))
    ours.harvest(web_server.url)
    assert ours.catalog.findings("nebenan") == []


def test_a_harvest_that_is_under_way_is_not_run_twice(ours: Home, web_server: WebServer) -> None:
    refused = []

    def answer(_: Asked) -> Answer:
        try:
            run_errand(harvest_of(web_server.url), ours.ground)
        except Conflict as error:
            refused.append(str(error))
        return Answer(payloads.found([payloads.package(1)]))

    web_server.answers[SEARCH] = answer
    assert ours.harvest(web_server.url).created == 1
    assert len(refused) == 1
    assert "nebenan is under way" in refused[0]


def test_pages_that_turn_in_a_circle_come_to_an_end(ours: Home, web_server: WebServer) -> None:
    web_server.answers[SEARCH] = Answer(payloads.found([payloads.package(1)], 99))
    with pytest.raises(SourceError, match="again and again"):
        ours.harvest(web_server.url)
    rounds = iter(range(100))
    web_server.answers[SEARCH] = lambda _: Answer(payloads.found([payloads.package(1, version=str(next(rounds)))], 99))
    with pytest.raises(SourceError, match="again and again"):
        ours.harvest(web_server.url)


def test_a_name_of_ours_is_never_taken(ours: Home, web_server: WebServer) -> None:
    publish(ours.catalog, "paket-1")
    mine = ours.catalog.entry("paket-1")
    _serve(web_server, payloads.package(1), payloads.package(2, name="paket-1"))
    assert ours.harvest(web_server.url).created == 2
    assert ours.catalog.entry("paket-1") == mine
    named = [one.name for one in ours.catalog.entries()]
    assert "paket-1-nebenan" in named
    assert len(named) == 3


def test_what_was_deleted_here_by_hand_stays_away(ours: Home, web_server: WebServer) -> None:
    _serve(web_server, payloads.package(1), payloads.package(2))
    ours.harvest(web_server.url)
    ours.catalog.purge(ours.catalog.entry("paket-1").id)
    _serve(web_server, payloads.package(1, title="Anders"), payloads.package(2))
    assert ours.harvest(web_server.url).skipped == 1
    assert [one.name for one in ours.catalog.entries()] == ["paket-2"]


def test_what_went_out_from_here_does_not_come_back(ours: Home, web_server: WebServer) -> None:
    pushed = payloads.package(1, extras=[{"key": "stadthub_url", "value": OURS}, {"key": "stadthub_id", "value": "x"}])
    harvested = payloads.package(2, extras=[{"key": "harvest_source_url", "value": f"{OURS}/"}])
    third = payloads.package(
        3, extras=[{"key": "harvest_source_url", "value": "https://dritte.example"}, {"key": "harvest_source_title", "value": "Dritte"}]
    )
    _serve(web_server, pushed, harvested, third)
    tally = ours.harvest(web_server.url)
    assert (tally.skipped, tally.created) == (2, 1)
    assert ours.extras("paket-3")["harvest_origin_title"] == "Dritte"


def test_a_catalogue_may_be_kept_for_comparison_only(ours: Home, web_server: WebServer) -> None:
    _serve(web_server, payloads.package(1))
    assert ours.harvest(web_server.url, more='purpose = "compare"\n').created == 1
    assert ours.catalog.entries() == []
    assert [one.title for one in ours.catalog.harvested("nebenan")] == ["Paket 1"]
    assert ours.harvest(web_server.url, more='purpose = "compare"\n').unchanged == 1


def test_a_data_json_of_a_dkan(ours: Home, web_server: WebServer) -> None:
    hidden = {**payloads.DKAN, "identifier": "geheim", "accessLevel": "restricted public"}
    web_server.answers["/data.json"] = Answer(payloads.data_json(payloads.DKAN, hidden))
    tally = ours.harvest(web_server.url, "data_json")
    assert (tally.created, tally.failed) == (1, 1)
    entry = ours.catalog.entry("wahlergebnisse-2019")
    words = entry.dataset.metadata
    assert (words.description, words.license, words.themes, words.update_frequency) == (
        "Zahlen der Wahlen",
        "dl-de-by-2.0",
        ("GOVE",),
        "ANNUAL",
    )
    assert entry.extent.bbox == (10.4, 52.2, 10.6, 52.3)
    assert (entry.extent.first_time, entry.extent.last_time) == ("2019-01-01", "2019-12-31")
    assert [one.format for one in entry.distributions] == ["csv", "HTML"]
    assert words.keywords == ("Statistik Zahlen", "Wahlen")


def test_an_arcgis_hub(ours: Home, web_server: WebServer) -> None:
    web_server.answers["/api/feed/dcat-us/1.1.json"] = Answer(payloads.data_json(payloads.ARCGIS))
    assert ours.harvest(web_server.url, "arcgis_hub").created == 1
    entry = ours.catalog.entry("spielplaetze")
    assert entry.dataset.metadata.license == "cc-by-4.0"
    assert [one.format for one in entry.distributions] == ["API", "geojson"]


def test_an_opendatasoft(ours: Home, web_server: WebServer) -> None:
    pages = [payloads.ods("alt", "bau", total=3), payloads.ods("cafe", total=3)]
    web_server.answers["/api/explore/v2.1/catalog/datasets"] = lambda asked: Answer(pages["offset=2" in asked.path])
    assert ours.harvest(web_server.url, "opendatasoft", "page_size = 2\n").created == 3
    entry = ours.catalog.entry("bau")
    words = entry.dataset.metadata
    assert (words.title, words.description, words.themes) == ("Zählung bau", "Passanten je Stunde\n\nSeit 2019", ("TRAN",))
    assert [one.format for one in entry.distributions] == ["csv", "json", "parquet", "geojson"]
    assert entry.distributions[0].url == f"{web_server.url}/api/explore/v2.1/catalog/datasets/bau/exports/csv"
    assert ours.extras("bau")["harvest_url"] == f"{web_server.url}/explore/dataset/bau/"


@pytest.mark.parametrize("scrolls", [True, False])
def test_a_piveau(ours: Home, web_server: WebServer, scrolls: bool) -> None:
    second = {**payloads.HUB_SEARCH, "id": "zwei", "resource": "https://open.land.example/set/data/zwei"}
    if scrolls:
        web_server.answers["/api/hub/search/search"] = Answer(payloads.hub_search(payloads.HUB_SEARCH, scroll="s1", count=2))
        web_server.answers["/api/hub/search/scroll"] = [
            Answer(payloads.hub_search(second, scroll="s1", count=2)),
            Answer(payloads.hub_search(scroll="s1", count=2)),
        ]
    else:
        web_server.answers["/api/hub/search/search"] = lambda asked: Answer(
            payloads.hub_search(second if "page=1" in asked.path else payloads.HUB_SEARCH, count=2)
        )
    assert ours.harvest(web_server.url, "hub_search", "page_size = 1\n").created == 2
    entry = ours.catalog.entry("kita-plaetze")
    words = entry.dataset.metadata
    assert (words.title, words.title_en, words.license, words.themes) == ("Kita-Plätze", "Day care places", "dl-de-by-2.0", ("EDUC",))
    assert [one.format for one in entry.distributions] == ["XLSX"]


@pytest.mark.parametrize("form", ["turtle", "xml", "json-ld"])
def test_dcat_in_every_form_page_by_page(ours: Home, web_server: WebServer, form: str) -> None:
    def page(number: int) -> bytes:
        onwards = (
            f"<{web_server.url}/catalog?page={number}> a hydra:PagedCollection ; hydra:next <{web_server.url}/catalog?page={number + 1}> ."
        )
        text = payloads.PREFIXES + payloads.turtle(number) + (onwards if number < 3 else "")
        written: str = Graph().parse(data=text, format="turtle").serialize(format=form)
        return written.encode()

    web_server.answers["/catalog"] = lambda asked: Answer(page(int(asked.path.partition("page=")[2] or 1)))
    assert ours.harvest(f"{web_server.url}/catalog", "dcat").created == 3
    entry = ours.catalog.entry("messung-2")
    words = entry.dataset.metadata
    assert (words.title, words.title_en, words.license, words.themes) == ("Messung 2", "Measurement 2", "dl-de-zero-2.0", ("ENVI",))
    assert words.contact is not None
    assert words.contact.email == "luft@nebenan.example"
    assert (entry.extent.bbox, entry.extent.first_time) == ((7.0, 51.0, 8.0, 52.0), "2020-01-01")
    assert ours.extras("messung-2")["identifier"] == "luft-2"
    assert ours.extras("messung-2")["harvest_object_id"] == "https://nebenan.example/set/2"
    assert [(one.format, one.title) for one in entry.distributions] == [("csv", "Stundenwerte")]


def test_a_secret_goes_to_no_other_site(ours: Home, web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEED_KEY", "geheim")
    with running_web_server() as elsewhere:
        onwards = f"<{web_server.url}/catalog> a hydra:PagedCollection ; hydra:next <{elsewhere.url}/catalog> ."
        web_server.answers["/catalog"] = Answer((payloads.PREFIXES + payloads.turtle(1) + onwards).encode())
        elsewhere.answers["/catalog"] = Answer((payloads.PREFIXES + payloads.turtle(2)).encode())
        assert ours.harvest(f"{web_server.url}/catalog", "dcat", 'auth = { value = "Bearer ${FEED_KEY}" }\n').created == 2
        assert [one.headers.get("authorization") for one in web_server.asked] == ["Bearer geheim"]
        assert [one.headers.get("authorization") for one in elsewhere.asked] == [None]


BOMB = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&b;</rdf:RDF>'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BOMB, "document type declaration"),
        (BOMB.decode().encode("utf-16"), "document type declaration"),
        (b'{"@context": "http://127.0.0.1:1/context", "@graph": []}', "a context elsewhere"),
        (b'{"@graph": [{"@context": ["http://127.0.0.1:1/x"]}]}', "a context elsewhere"),
        (b"<html>keine Daten</html>", "no readable"),
        (b"[" * 200_000, "no readable"),
        (b"<a> <b> " + b"[ <c> " * 100_000, "no readable"),
        (b"\xff\xfe\x00", "no readable"),
    ],
)
def test_hostile_rdf_is_refused_in_a_sentence(ours: Home, web_server: WebServer, body: bytes, reason: str) -> None:
    web_server.answers["/catalog"] = Answer(body)
    with pytest.raises(SourceError, match=reason):
        ours.harvest(f"{web_server.url}/catalog", "dcat")
    assert ours.catalog.tallies("nebenan", 1)[0].found == 0


def test_a_page_that_is_too_big_is_not_read(ours: Home, web_server: WebServer) -> None:
    _serve(web_server, payloads.package(1, notes="x" * 5000))
    with pytest.raises(SourceError, match="bigger"):
        ours.harvest(web_server.url, more="max_bytes = 1000\n")


def test_a_private_address_is_out_of_reach_unless_allowed(ours: Home) -> None:
    with pytest.raises(SourceError, match="private"):
        ours.harvest("http://10.1.2.3/")


@pytest.mark.parametrize("way", [lambda there: ("stadthub", there), lambda there: ("dcat", f"{there}/catalog.ttl")], ids=["ckan", "dcat"])
def test_another_stadthub(ours: Home, neighbour: Other, way: Callable[[str], tuple[str, str]]) -> None:
    publish(neighbour.catalog)
    publish(neighbour.catalog, "parken", themes=("TRAN",), title="Parkhäuser", keywords=("Parken",))
    protocol, url = way(neighbour.address)
    tally = ours.harvest(url, protocol)
    assert (tally.found, tally.created) == (2, 2)
    [entry] = [one for one in ours.catalog.entries() if one.dataset.metadata.title == "Parkhäuser"]
    words = entry.dataset.metadata
    assert (words.license, words.themes, words.keywords) == ("dl-de-by-2.0", ("TRAN",), ("Parken",))
    assert {one.format for one in entry.distributions} >= {"csv", "geojson"}
    assert ours.extras(entry.name)["identifier"] == str(neighbour.catalog.entry("parken").id)
    assert ours.harvest(url, protocol).unchanged == 2


_STEP = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["gut", "anders", "kaputt", "doppelt", "unser"])), max_size=14
)  # which packages are listed, and how each is


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, min_size=1, max_size=4))
def test_whatever_is_listed_the_ledger_adds_up(ours: Home, web_server: WebServer, steps: list[list[tuple[int, str]]]) -> None:
    there = {one.key for one in ours.catalog.harvested("nebenan")}
    for step in steps:
        listed: list[dict[str, Any]] = []
        for number, how in step:
            words: dict[str, Any] = {"anders": {"title": "Anders"}, "kaputt": {"title": "", "name": ""}}.get(how, {})
            if how == "unser":
                words = {"extras": [{"key": "stadthub_url", "value": OURS}]}
            listed += [payloads.package(number, **words)] * (2 if how == "doppelt" else 1)
        _serve(web_server, *listed)
        with contextlib.suppress(TooManyGone):
            ours.harvest(web_server.url)
        [tally] = ours.catalog.tallies("nebenan", 1)
        assert tally.found == len(listed)
        assert tally.before == len(there)
        there = {one.key for one in ours.catalog.harvested("nebenan")}
        assert tally.after == len(there)
        shown = [one for one in ours.catalog.entries() if one.document is not None]
        assert len(shown) == len(there)
