"""The search: words in two languages, umlauts in three spellings, facets, and nothing that the asker may not know of."""

from contextlib import closing
from pathlib import Path

import pytest

from stadthub_catalog import Catalog
from stadthub_schemas.access import ANYBODY, Principal, Role
from stadthub_schemas.dataset import AccessClass, Column, ColumnType, ColumnWords, Extent, Kind, Publisher
from stadthub_schemas.errors import QueryError, SettingsError
from tests.catalog.samples import dataset, publish, rows

ANALYST = Principal("ana", Role.ANALYST)


@pytest.fixture
def filled(quick_catalog: Catalog) -> Catalog:
    """A catalogue with three public datasets and an internal one."""
    publish(quick_catalog)
    publish(
        quick_catalog,
        "luft",
        title="Luftqualität",
        title_en="Air quality",
        description="Feinstaub an Straßen, stündlich",
        keywords=("Feinstaub PM10",),
        themes=("ENVI", "HEAL"),
    )
    publish(
        quick_catalog,
        "parken",
        title="Parkhäuser",
        description="Freie Plätze bei den Bäumen",
        themes=("TRAN",),
        license="cc0-1.0",
        keywords=(),
        publisher=Publisher(name="stadtwerke", title="Stadtwerke"),
    )
    publish(quick_catalog, "intern", title="Baustellenplanung der Bäume", access=AccessClass.INTERNAL, keywords=("geheim",))
    return quick_catalog


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("bäume", {"baeume", "luft", "parken"}),  # each has a column Baumart
        ("BAEUME", {"baeume", "luft", "parken"}),
        ("baume", {"baeume", "luft", "parken"}),
        ("straß", {"baeume", "luft"}),
        ("strassen", {"baeume", "luft"}),
        ("air quality", {"luft"}),
        ("qualität", {"luft"}),
        ("luft parkhaus", set()),
        ("feinstaub pm10", {"luft"}),
        ("stadtwerke", {"parken"}),
        ("species", {"baeume", "luft", "parken"}),
        ("gesundheit", {"luft"}),
        ("geheim", set()),
        ("", {"baeume", "luft", "parken"}),
        ("  ", {"baeume", "luft", "parken"}),
        ("...", set()),
    ],
)
def test_words_are_found_however_they_are_spelled(filled: Catalog, text: str, names: set[str]) -> None:
    assert {entry.name for entry in filled.search(text, principal=ANYBODY).entries} == names


def test_a_column_that_is_not_for_everybody_is_not_found_by_its_words(quick_catalog: Catalog) -> None:
    columns = (Column(name="halter", type=ColumnType.TEXT, title="Fahrzeughalter", access=AccessClass.INTERNAL),)
    quick_catalog.publish(dataset(), columns, Extent(), (), "baeume")
    assert quick_catalog.search("fahrzeughalter", principal=ANYBODY).total == 0
    assert quick_catalog.search("halter", principal=ANYBODY).total == 0


def test_a_title_says_more_than_a_description(filled: Catalog) -> None:
    assert [entry.name for entry in filled.search("bäume", principal=ANYBODY).entries] == ["baeume", "parken", "luft"]


def test_an_internal_dataset_is_found_and_counted_by_those_who_may_see_it(filled: Catalog) -> None:
    assert filled.search("bäume", principal=ANALYST).total == 4
    assert "geheim" in filled.search(principal=ANALYST).facets["keyword"]
    assert "geheim" not in filled.search(principal=ANYBODY).facets["keyword"]


def test_facets_count_what_there_would_be_without_their_own_filter(filled: Catalog) -> None:
    found = filled.search(principal=ANYBODY, facets={"theme": ["TRAN"]})
    assert [entry.name for entry in found.entries] == ["parken"]
    assert found.facets["theme"] == {"ENVI": 2, "HEAL": 1, "TRAN": 1}
    assert found.facets["publisher"] == {"stadtwerke": 1}
    assert found.facets["license"] == {"cc0-1.0": 1}
    assert found.facets["format"] == {"csv": 1, "geojson": 1}
    assert found.facets["kind"] == {"features": 1}
    assert filled.search(principal=ANYBODY, facets={"theme": ["TRAN", "HEAL"], "publisher": ["musterstadt"]}).total == 1


def test_results_come_sorted_and_in_pages(filled: Catalog) -> None:
    publish(filled, "luft", title="Zuletzt")
    assert [entry.name for entry in filled.search(principal=ANYBODY, sort="modified").entries] == ["luft", "parken", "baeume"]
    page = filled.search(principal=ANYBODY, sort="title", limit=1, offset=1)
    assert (page.total, [entry.name for entry in page.entries]) == (3, ["parken"])


def test_a_changed_or_withdrawn_dataset_is_found_by_its_new_words_only(filled: Catalog) -> None:
    publish(filled, "luft", title="Lärm", title_en=None, description="Schall", keywords=())
    assert filled.search("feinstaub", principal=ANYBODY).total == 0
    assert filled.search("lärm", principal=ANYBODY).total == 1
    filled.withdraw("luft")
    assert filled.search("lärm", principal=ANYBODY).total == 0


def test_a_search_that_makes_no_sense_is_told_so(filled: Catalog) -> None:
    with pytest.raises(QueryError, match="no facet 'colour': use one of publisher"):
        filled.search(principal=ANYBODY, facets={"colour": ["x"]})
    with pytest.raises(QueryError, match="sort 'size'"):
        filled.search(principal=ANYBODY, sort="size")
    with pytest.raises(QueryError, match="not be negative"):
        filled.search(principal=ANYBODY, limit=-1)
    with pytest.raises(QueryError, match="not be negative"):
        filled.search(principal=ANYBODY, offset=-1)


@pytest.mark.parametrize("text", ["Lufttemperatur", "air temperature", "°C", "Cel", "Temperatur", "celsius"])
def test_what_the_datastreams_observe_is_found_in_both_languages_and_by_its_unit(quick_catalog: Catalog, text: str) -> None:
    words = dataset("messung", title="Messnetz", description="Stationen")
    quick_catalog.remember("messung", rows(1))
    quick_catalog.publish(words.model_copy(update={"kind": Kind.TIMESERIES}), (), Extent(datastreams=1), (), "messung")
    assert quick_catalog.search(text, principal=ANYBODY).total == 1
    assert quick_catalog.search("Luftdruck", principal=ANYBODY).total == 0


def test_what_a_new_datastream_observes_is_found_too(quick_catalog: Catalog) -> None:
    words = dataset("messung").model_copy(update={"kind": Kind.TIMESERIES})
    quick_catalog.publish(words, (), Extent(), (), "messung")
    assert quick_catalog.search("Lufttemperatur", principal=ANYBODY).total == 0
    quick_catalog.remember("messung", rows(1))
    quick_catalog.publish(words, (), Extent(datastreams=1), (), "messung")
    assert quick_catalog.search("Lufttemperatur", principal=ANYBODY).total == 1


def test_what_is_observed_is_not_found_where_it_is_not_for_everybody(quick_catalog: Catalog) -> None:
    hidden = {"observed_property": ColumnWords(access=AccessClass.INTERNAL)}
    words = dataset("messung", title="Messnetz", columns=hidden).model_copy(update={"kind": Kind.TIMESERIES})
    quick_catalog.remember("messung", rows(1))
    quick_catalog.publish(words, (), Extent(datastreams=1), (), "messung")
    assert quick_catalog.search("Lufttemperatur", principal=ANYBODY).total == 0
    assert quick_catalog.search("Messnetz", principal=ANYBODY).total == 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Parkhaeusser", {"parken"}),  # a slip of the hand
        ("Straßenbaum", {"baeume"}),
        ("Feinstaub Hintertupfingen", {"luft"}),
        ("m Höhe", {"baeume", "luft", "parken"}),
        ("Stellplätze", {"parken"}),
        ("der die das", set()),
    ],
)
def test_compounds_slips_and_words_for_the_same_are_understood(filled: Catalog, text: str, names: set[str]) -> None:
    assert {entry.name for entry in filled.search(text, principal=ANYBODY).entries} >= names


def test_a_word_that_no_dataset_has_is_left_out_and_named(filled: Catalog) -> None:
    assert filled.search("Feinstaub Hintertupfingen", principal=ANYBODY).unknown == ("hintertupfingen",)
    assert filled.search("Hintertupfingen", principal=ANYBODY).total == 0


def test_where_nothing_is_found_a_proposal_finds_something(filled: Catalog) -> None:
    assert filled.search("Luftqalitet", principal=ANYBODY).entries[0].name == "luft"
    assert filled.search("Fienstaubb", principal=ANYBODY).total == 1
    assert filled.search("Gehsuntheyt", principal=ANYBODY).total == 0
    assert filled.proposals("Gehsuntheyt", ANYBODY) == ["gesundheit"]
    assert "Luftqualität" in filled.proposals("Luftqualität Parkhäuser", ANYBODY)
    assert filled.proposals("xyzzyxyz", ANYBODY) == []


def test_short_words_are_not_taken_for_slips_of_words_that_only_look_a_little_alike(sqlite_url: str) -> None:
    with closing(Catalog(sqlite_url)) as opened:
        opened.migrate()
        publish(opened, "luft", title="Werte der Luft", description="Weitere Werte, data of the city, it is open", keywords=())
        assert opened.search("Wetter", principal=ANYBODY).total == 0, "the stems wett, weit and wert are one letter apart"
        assert opened.search("Wertte", principal=ANYBODY).total == 1
        assert opened.proposals("Kita", ANYBODY) == []


def test_an_operators_synonyms_are_used_and_a_bad_line_is_named(sqlite_url: str, tmp_path: Path) -> None:
    own = tmp_path / "synonyms.txt"
    own.write_text("# unsere\nstinkbombe, feinstaub\nelbe => pegel, luft\n", "utf-8")
    opened = Catalog(sqlite_url, own)
    opened.migrate()
    publish(opened, "luft", title="Feinstaub in der Luft", keywords=())
    assert opened.search("Stinkbomben", principal=ANYBODY).total == 1
    assert opened.search("Elbe", principal=ANYBODY).total == 1
    opened.close()
    own.write_text("einsam\n", "utf-8")
    with pytest.raises(SettingsError, match=r"synonyms.txt: line 1 is neither .*'einsam'"):
        Catalog(sqlite_url, own)
