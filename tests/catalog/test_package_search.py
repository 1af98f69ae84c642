"""`package_search` beyond words: boxes, times, drafts, facets and pages, and nothing that the caller may not know of."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_catalog import Catalog
from stadthub_catalog.actions import call
from stadthub_catalog.entry import State
from stadthub_catalog.refusals import SearchError
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY, Capacity, Membership, Principal, Role
from tests.catalog.written import bulk

SITE = Site(title="Test", url="https://hub.example")
ANALYST, PUBLISHER = Principal("ana", Role.ANALYST), Principal("pub", Role.PUBLISHER)
EDITOR = Principal("ed", Role.PUBLISHER, memberships=frozenset({Membership("organization", "stadt", Capacity.EDITOR)}))
BONN = '{"type":"Polygon","coordinates":[[[7.0,50.6],[7.2,50.6],[7.2,50.8],[7.0,50.8],[7.0,50.6]]]}'
FIJI = '{"type":"Point","coordinates":[179.9,-17]}'


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """Public, private, draft and deleted datasets."""
    opened = Catalog(f"sqlite:///{tmp_path_factory.mktemp('search') / 'state.sqlite'}")
    opened.migrate()
    bulk(
        opened,
        {"name": "bonn", "title": "Brücken in Bonn", "extras": {"spatial": BONN, "bridges": "9", "city:code": "x y"}, "groups": ["tran"]},
        {"name": "fiji", "title": "Inseln", "extras": {"spatial": FIJI, "bridges": "10"}, "tags": ["Reise", "Brücke"]},
        {
            "name": "jahr",
            "title": "Jahresbericht",
            "extras": {"temporal_start": "2024-01-01", "temporal_end": "2024-12-31", "bridges": "100"},
        },
        {"name": "privat", "title": "Gehaltsliste Brückenbau", "private": True, "tags": ["Geheimnis"], "groups": ["econ"]},
        {"name": "entwurf", "title": "Entwurf der Brücken", "state": State.DRAFT, "tags": ["Vorläufig"]},
        {"name": "geloescht", "title": "Gelöschte Brücken", "state": State.DELETED},
    )
    yield opened
    opened.close()


def _search(catalog: Catalog, principal: Principal = ANYBODY, /, **parameters: Any) -> dict[str, Any]:
    found = call(catalog, "package_search", parameters, principal, SITE)
    assert isinstance(found, dict)
    return found


def _names(catalog: Catalog, principal: Principal = ANYBODY, /, **parameters: Any) -> set[str]:
    return {one["name"] for one in _search(catalog, principal, **parameters)["results"]}


@pytest.mark.parametrize(
    ("box", "names"),
    [
        ("7.1,50.7,7.3,50.9", {"bonn"}),
        ("7.2,50.8,8,51", {"bonn"}),
        ("8,50,9,51", set()),
        ("179,-20,-179,-10", {"fiji"}),
        ("-180,-90,180,90", {"bonn", "fiji"}),
    ],
)
def test_a_box_finds_the_datasets_that_touch_it(filled: Catalog, box: str, names: set[str]) -> None:
    assert _names(filled, ext_bbox=box) == names


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "0,50,1,40", "nan,0,1,1", "0,-100,1,1"])
def test_a_box_that_is_none_is_refused(filled: Catalog, box: str) -> None:
    with pytest.raises(SearchError, match="Wrong bounding box provided"):
        _names(filled, ext_bbox=box)


@pytest.mark.parametrize(
    ("first", "last", "names"),
    [
        ("2024", "", {"jahr"}),
        ("", "2024-01-01", {"jahr"}),
        ("2024-12-31", "2030", {"jahr"}),
        ("2025", "", set()),
        ("", "2023-12", set()),
    ],
)
def test_a_time_finds_the_datasets_whose_data_are_of_it(filled: Catalog, first: str, last: str, names: set[str]) -> None:
    assert _names(filled, ext_startdate=first, ext_enddate=last) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("bridges:[9 TO 10]", {"bonn", "fiji"}),
        ("bridges:{10 TO *]", {"jahr"}),
        ("extras_bridges:100", {"jahr"}),
        (r'city\:code:"x y"', {"bonn"}),
        ("name:b?nn OR name:*ij*", {"bonn", "fiji"}),
        (r"name:b\?nn", set()),
        ("title:br*", {"bonn"}),
        ("title:Brucken~", {"bonn"}),
        ("title:Jahresbericth~", {"jahr"}),
        ("title: Inseln", {"fiji"}),
        ("bridges:*", {"bonn", "fiji", "jahr"}),
        ("-bridges:*", set()),
        ("metadata_created:[NOW-1HOUR TO NOW+1HOUR] AND title_string:{A TO J]", {"bonn", "fiji"}),
        ("metadata_modified:[NOW/YEAR TO *] NOT tags:Reise", {"bonn", "jahr"}),
        ("metadata_modified:[* TO NOW-1MONTH/DAY]", set()),
        ("metadata_modified:[2020 TO 2020-06]", set()),
        ('"Brücken in Bonn" title:bonn', {"bonn"}),
        ('"Bonn in Brücken" title:bonn', set()),
        ("(tags:Reise) || (groups:tran)", {"bonn", "fiji"}),
        ("title:inseln - & reise", {"fiji"}),
    ],
)
def test_queries_find_what_they_mean_in_every_field(filled: Catalog, query: str, names: set[str]) -> None:
    assert _names(filled, q=query) == names
    assert _names(filled, fq=query) == names


def test_a_long_list_of_alternatives_is_no_trick_but_two_thousand_clauses_are(filled: Catalog) -> None:
    many = " OR ".join(f"name:n{number}" for number in range(1000))
    assert _names(filled, fq=f"{many} OR name:bonn") == {"bonn"}
    with pytest.raises(SearchError, match="parts at most"):
        _names(filled, fq=f"{many} OR {many}")
    with pytest.raises(SearchError, match="words at most"):
        _names(filled, fq=" OR ".join(f"title:wort{number}" for number in range(300)))
    with pytest.raises(SearchError, match="words at most"):
        _names(filled, fq=" OR ".join(f"name:*{number}*" for number in range(300)))


@pytest.mark.parametrize(
    ("principal", "parameters", "more"),
    [
        (ANYBODY, {"include_private": "true", "include_drafts": True, "include_deleted": "1"}, set()),
        (ANALYST, {}, set()),
        (ANALYST, {"include_private": "true", "include_drafts": True}, {"privat"}),
        (PUBLISHER, {"include_drafts": "true", "include_deleted": "true"}, set()),
        (EDITOR, {"include_drafts": "true"}, {"entwurf"}),
        (EDITOR, {"include_deleted": "true", "include_private": "true"}, {"geloescht", "privat"}),
    ],
)
def test_what_is_not_public_is_found_by_those_who_may_and_ask_for_it(
    filled: Catalog, principal: Principal, parameters: dict[str, Any], more: set[str]
) -> None:
    assert _names(filled, principal, **parameters) == {"bonn", "fiji", "jahr"} | more
    assert _names(filled, principal, q="brücken", **parameters) == {"bonn", "fiji"} | more


def test_nothing_private_shows_in_counts_facets_orders_or_proposals(filled: Catalog, tmp_path_factory: pytest.TempPathFactory) -> None:
    bare = Catalog(f"sqlite:///{tmp_path_factory.mktemp('bare') / 'state.sqlite'}")
    bare.migrate()
    bulk(
        bare,
        {"name": "bonn", "title": "Brücken in Bonn", "extras": {"spatial": BONN, "bridges": "9", "city:code": "x y"}, "groups": ["tran"]},
        {"name": "fiji", "title": "Inseln", "extras": {"spatial": FIJI, "bridges": "10"}, "tags": ["Reise", "Brücke"]},
        {
            "name": "jahr",
            "title": "Jahresbericht",
            "extras": {"temporal_start": "2024-01-01", "temporal_end": "2024-12-31", "bridges": "100"},
        },
    )
    facets = '["tags","groups","organization","state","capacity","name"]'
    for query in (
        "*:*",
        "brücken",
        "gehaltsliste",
        "gehaltsliste bonn",
        "gehalt",
        "geheimniss",
        "capacity:private",
        "state:draft",
        "title:ge*",
    ):
        with_private, without = (_search(one, q=query, **{"facet.field": facets}) for one in (filled, bare))
        assert [one["name"] for one in with_private["results"]] == [one["name"] for one in without["results"]], query
        for key in ("count", "facets", "search_facets"):
            assert with_private[key] == without[key], query
        here, there = (one.search(query, principal=ANYBODY) for one in (filled, bare))
        assert (here.total, here.facets, here.unknown) == (there.total, there.facets, there.unknown), query
        assert filled.proposals(query, ANYBODY) == bare.proposals(query, ANYBODY), query
    bare.close()


def test_pages_are_complete_and_without_repeats_while_datasets_change(quick_catalog: Catalog) -> None:
    made = [{"name": f"n{number:03}", "title": f"Titel {number}", "tags": ["alt"]} for number in range(90)]
    bulk(quick_catalog, *made)
    for sort in ("id asc", "name asc", "metadata_created desc"):
        seen: list[str] = []
        while page := _search(quick_catalog, sort=sort, rows=20, start=len(seen))["results"]:
            seen += [one["name"] for one in page]
            bulk(quick_catalog, *({**made[number], "title": f"Neu {len(seen)}"} for number in range(0, 90, 7)))
        assert sorted(seen) == [one["name"] for one in made]


def test_many_changes_leave_nothing_behind(quick_catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stadthub_catalog.index._MOST_GONE", 5)
    for turn in range(6):
        bulk(quick_catalog, *({"name": f"n{number}", "title": f"Stand{turn} Brücke", "tags": [f"t{turn}"]} for number in range(9)))
        found = _search(quick_catalog, q=f"stand{turn}", **{"facet.field": '["tags"]'})
        assert (found["count"], found["facets"]) == (9, {"tags": {f"t{turn}": 9}})
        assert _search(quick_catalog, q=f"title:stand{turn - 1}")["count"] == 0


_SIGNS = st.sampled_from(
    [*' ()[]{}"*?:^~\\+-!&|/', "TO", "AND", "OR", "NOT", "title:", "name:", "NOW-1DAY", "metadata_modified:[", "Brücke", "9"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_SIGNS | st.text(max_size=3), max_size=25).map("".join))
def test_any_text_is_a_query_or_a_search_error(filled: Catalog, query: str) -> None:
    for name in ("q", "fq"):
        with suppress(SearchError):
            assert _search(filled, **{name: query})["count"] in range(4)


def test_a_licence_is_one_choice_whichever_way_its_address_is_written(tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{tmp_path / 'state.sqlite'}")
    catalog.migrate()
    listed = "dcat-ap.de/def/licenses/"
    ways = ("cc-by-4.0", f"http://{listed}cc-by/4.0", f"https://{listed}cc-by/4.0", f"https://www.{listed}cc-by/4.0/")
    others = {f"http://{listed}cc-by-sa/4.0": "cc-by-sa-4.0", f"https://{listed}geonutz/20130319/": f"http://{listed}geonutz/20130319"}
    bulk(catalog, *({"name": f"d{number}", "license_id": way} for number, way in enumerate((*ways, *others))))
    counted = {"cc-by-4.0": 4, **dict.fromkeys(others.values(), 1)}
    assert catalog.search(principal=ANYBODY).facets["license"] == counted
    found = _search(catalog, **{"facet.field": '["license_id", "isopen"]', "rows": 10})
    assert found["facets"]["license_id"] == counted
    assert found["facets"]["isopen"]["true"] == 4
    for way in ways:
        assert catalog.search(principal=ANYBODY, facets={"license": [way]}).total == 4
        assert _names(catalog, fq=f'license_id:"{way}"') == {"d0", "d1", "d2", "d3"}
    told = {one["name"]: (one["license_id"], one["license_title"], one["isopen"]) for one in found["results"]}
    title = "Creative Commons Namensnennung 4.0 International (CC BY 4.0)"
    assert [told[f"d{number}"] for number in range(4)] == [(way, title, True) for way in ways], "the id stays as its writer said it"
    catalog.close()
