"""CKAN's read actions, called at the room's door: what is found by queries in Solr's language, and what lists hold."""

from typing import Any

import pytest

from stadthub_catalog import Catalog, Site
from stadthub_catalog.actions import READING, call
from stadthub_catalog.refusals import Invalid, Missing, NotAuthorized, Refusal, SearchError, SearchQueryError, UnknownAction
from stadthub_schemas.access import ANYBODY, Principal, Role
from stadthub_schemas.dataset import AccessClass, Publisher
from tests.catalog.samples import publish

SITE = Site(title="Daten Musterstadt", url="https://daten.musterstadt.example", version="1")
ADMIN = Principal("admin", Role.ADMIN)


@pytest.fixture
def filled(quick_catalog: Catalog) -> Catalog:
    """Two public datasets of two publishers and an internal one."""
    publish(quick_catalog, keywords=("Baum", "Feinstaub PM10"))
    publish(
        quick_catalog,
        "parken",
        title="Parkhäuser",
        title_en="Car parks",
        description="Freie Plätze",
        themes=("TRAN", "ENVI"),
        license="cc0-1.0",
        keywords=("Parken",),
        publisher=Publisher(name="stadtwerke", title="Stadtwerke"),
    )
    publish(quick_catalog, "intern", access=AccessClass.INTERNAL, keywords=("geheim",), themes=("JUST",))
    return quick_catalog


def _names(catalog: Catalog, principal: Principal = ANYBODY, **parameters: Any) -> set[str]:
    return {one["name"] for one in call(catalog, "package_search", parameters, principal, SITE)["results"]}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("*:*", {"baeume", "parken"}),
        ("", {"baeume", "parken"}),
        ("*", {"baeume", "parken"}),
        ("parkhaeuser", {"parken"}),
        ("Car parks", {"parken"}),
        ("nix", set()),
        ('"freie plätze"', {"parken"}),
        ('"plätze freie"', set()),
        ("title:Parkhäuser OR title:bäume", {"baeume", "parken"}),
        ("title:(bäume OR nix)", {"baeume"}),
        ("title:park*", {"parken"}),
        ("title:par", set()),
        ("notes:freie AND title:car", {"parken"}),
        ("bäume OR parkhäuser", {"baeume", "parken"}),
        ("NOT parkhäuser", {"baeume"}),
        ("-name:parken", {"baeume"}),
        ("+alle +straßen", {"baeume"}),
        ('tags:"Feinstaub PM10"', {"baeume"}),
        ("tags:Fein*", {"baeume"}),
        ("tags:[Parken TO *]", {"parken"}),
        ("tags:{Parken TO *}", set()),
        ("groups:tran", {"parken"}),
        ("organization:musterstadt OR organization:stadtwerke", {"baeume", "parken"}),
        ("-organization:(musterstadt)", {"parken"}),
        ("license_id:cc0-1.0", {"parken"}),
        ("res_format:GeoJSON", {"baeume", "parken"}),
        ("extras_kind:features kind:features", {"baeume", "parken"}),
        ("metadata_modified:[NOW-7DAYS TO NOW]", {"baeume", "parken"}),
        ("metadata_created:[* TO NOW/DAY-1YEAR]", set()),
        ("metadata_created:[2026-01-01T00:00:00Z TO *]", {"baeume", "parken"}),
        ("capacity:private", set()),
        ("title:bäume^2 title:stadt~1", {"baeume"}),
        ("name:intern", set()),
        ("unknown_field:x", set()),
        ("(title:bäume AND (notes:alle OR notes:nix)) OR name:parken", {"baeume", "parken"}),
    ],
)
def test_queries_as_people_send_them_find_what_they_mean(filled: Catalog, query: str, names: set[str]) -> None:
    assert _names(filled, q=query) == names
    assert _names(filled, fq=query) == names
    assert _names(filled, fq_list=[query, "state:active"]) == names


@pytest.mark.parametrize(
    "query",
    [
        "title:(a",
        "name:a)",
        'title:"open',
        "title:",
        "name:a AND",
        "name:a OR",
        "x:[1 TO",
        "metadata_modified:[yesterday TO *]",
        "((" * 40 + "x:y",
    ],
)
def test_a_query_that_cannot_be_read_is_a_search_error(filled: Catalog, query: str) -> None:
    with pytest.raises(SearchError):
        _names(filled, q=query)


@pytest.mark.parametrize("query", ["parkhäuser)", '"parkhäuser', "parkhäuser OR", "(parkhäuser", "parkhäuser ~"])
def test_without_a_field_signs_that_make_no_sense_are_just_signs(filled: Catalog, query: str) -> None:
    assert _names(filled, q=query) == {"parken"}


def test_a_search_is_sorted_paged_and_counted(filled: Catalog) -> None:
    found = call(
        filled,
        "package_search",
        {"sort": "title_string asc", "rows": "1", "start": 1, "facet.field": ["organization", "license_id"], "facet.limit": 1},
        ANYBODY,
        SITE,
    )
    assert (found["count"], [one["name"] for one in found["results"]], found["sort"]) == (2, ["parken"], "title_string asc")
    assert found["facets"]["organization"] == {"musterstadt": 1}
    assert found["search_facets"]["organization"]["items"] == [{"name": "musterstadt", "display_name": "Stadt Musterstadt", "count": 1}]


def test_include_private_shows_only_what_the_caller_may_see(filled: Catalog) -> None:
    assert _names(filled, ADMIN) == {"baeume", "parken"}
    assert _names(filled, ADMIN, include_private="true") == {"baeume", "parken", "intern"}
    assert _names(filled, include_private="true") == {"baeume", "parken"}


@pytest.mark.parametrize(
    ("action", "parameters", "refusal"),
    [
        ("package_search", {"foo": "1"}, SearchQueryError),
        ("package_search", {"facet.field": "tags"}, Invalid),
        ("package_search", {"q": "{!knn f=x}a"}, SearchError),
        ("package_show", {}, Invalid),
        ("package_show", {"id": "nope"}, Missing),
        ("package_show", {"id": "intern"}, NotAuthorized),
        ("resource_show", {"id": "nope"}, Missing),
        ("organization_show", {"id": "nope"}, Missing),
        ("organization_list", {"sort": "zz"}, Invalid),
        ("group_show", {"id": "nope"}, Missing),
        ("tag_show", {"id": "geheim"}, Missing),
        ("tag_list", {"vocabulary_id": "x"}, Missing),
        ("package_list", {"limit": "x"}, Invalid),
        ("current_package_list_with_resources", {"page": "0"}, Invalid),
        ("help_show", {"name": "nope"}, Missing),
    ],
)
def test_what_cannot_be_answered_is_refused_in_the_words_of_ckan(
    filled: Catalog, action: str, parameters: dict[str, Any], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        call(filled, action, parameters, ANYBODY, SITE)


def test_an_action_that_there_is_not_is_told_apart(filled: Catalog) -> None:
    with pytest.raises(UnknownAction, match="Action name not known: site_read"):
        call(filled, "site_read", {}, ANYBODY, SITE)


#: What actions that list or complete are asked with: something that fits nearly everything.
ASKED = {"all_fields": "true", "q": "e", "query": "e", "include_private": "true", "include_drafts": "true", "include_deleted": "true"}


@pytest.mark.parametrize("action", sorted(READING.keys() - {"help_show"}))
def test_nothing_internal_shows_in_any_answer(filled: Catalog, action: str) -> None:
    for asked in ({}, ASKED, {"id": "musterstadt"}, {"id": "just"}, {"id": "geheim"}, {"query": "name:e"}):
        unknown = action == "package_search" and "query" in asked
        try:
            said = str(call(filled, action, {} if unknown else asked, ANYBODY, SITE))
        except Refusal:
            continue
        assert "intern" not in said
        assert "geheim" not in said


def test_organisations_and_themes_are_listed_with_their_counts(filled: Catalog) -> None:
    assert call(filled, "organization_list", {"sort": "package_count desc"}, ADMIN, SITE) == ["musterstadt", "stadtwerke"]
    groups = call(filled, "group_list", {"all_fields": True, "include_extras": "1"}, ANYBODY, SITE)
    assert {group["name"]: group["package_count"] for group in groups} == {"envi": 2, "tran": 1}
    assert groups[0]["extras"] == []
    shown = call(filled, "group_show", {"id": "tran", "include_datasets": "true"}, ANYBODY, SITE)
    assert [one["name"] for one in shown["packages"]] == ["parken"]
    tag = call(filled, "tag_show", {"id": "Parken", "include_datasets": True}, ANYBODY, SITE)
    assert [one["name"] for one in tag["packages"]] == ["parken"]
    assert call(filled, "tag_show", {"id": tag["id"]}, ANYBODY, SITE)["name"] == "Parken"


def test_a_package_says_what_the_entry_knows(filled: Catalog) -> None:
    package = call(filled, "package_show", {"id": "baeume"}, ANYBODY, SITE)
    extras = {one["key"]: one["value"] for one in package["extras"]}
    assert extras["temporal_start"] == "2026-01-01T00:00:00Z"
    assert '"Polygon"' in extras["spatial"]
    assert package["resources"][1]["mimetype"] == "application/geo+json"
    assert package["resources"][1]["url"].startswith(SITE.url + "/")
    assert package["isopen"] is True
    assert all(isinstance(value, str) for value in extras.values())
    assert [one["name"] for one in call(filled, "current_package_list_with_resources", {"limit": 1, "page": 2}, ANYBODY, SITE)] == [
        "baeume"
    ]
    assert {one["id"] for one in call(filled, "license_list", {}, ANYBODY, SITE)} >= {"cc0-1.0", "dl-de-by-2.0"}
