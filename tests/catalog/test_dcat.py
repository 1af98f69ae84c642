"""What other catalogues read: valid by the official shapes, the same in every form, stable, and never half a catalogue."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from rdflib import RDF, Graph, Namespace, URIRef

from stadthub_catalog import Catalog, Distribution
from stadthub_catalog.datasets import Written
from stadthub_catalog.dcat_catalog import SIZE, Page
from stadthub_catalog.dcat_words import PROFILES
from stadthub_catalog.entry import Entry, State
from stadthub_catalog.publication import BUILDING, Publication, Unfinished
from stadthub_catalog.rdf import FORMS
from stadthub_catalog.site import Site
from stadthub_schemas.dataset import TIMESERIES_COLUMNS, AccessClass, Column, ColumnType, Dataset, Extent, Kind, Lineage
from stadthub_schemas.errors import NotFound
from tests.catalog.samples import COLUMNS, dataset, publish
from tests.catalog.test_documents import DOCUMENT, OWNER, RESOURCE, write

SITE = Site(
    "Daten Musterstadt",
    "https://daten.musterstadt.example",
    "daten@musterstadt.example",
    operator="Stadt Musterstadt\nRathausplatz 1",
    geocoding="05515000",
    contributor="stadtMusterstadt",
)
DE, NEW, OLD = PROFILES.values()
DCAT, DCT = Namespace("http://www.w3.org/ns/dcat#"), Namespace("http://purl.org/dc/terms/")
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
#: What a form has to bring back as it went in.
NASTY = "Äpfel \"rot\" & <grün> \\ 'x' ]]> \u2028 🌳\r\n\tzweite Zeile \x0b\x01 Ende"
FORMATS = {"ttl": "turtle", "n3": "turtle", "rdf": "xml", "xml": "xml", "jsonld": "json-ld", "nt": "nt"}


@pytest.fixture
def catalog(quick_catalog: Catalog) -> Catalog:
    """The descriptions do not depend on the database."""
    return quick_catalog


def file(name: str, format_: str) -> Distribution:
    """A published file."""
    return Distribution(format_, f"/distributions/{name}/{name}.{format_}", f"{name} ({format_})", 1234, "a" * 64)


def fill(catalog: Catalog) -> None:
    """A dataset of each kind: features, a timeseries, a table, a derived one, one of high value, two written through CKAN's API."""
    publish(catalog, title_en="Trees", description_en="All trees", hvd_categories=("c_dd313021",))
    extent = Extent(rows=9, first_time="2026-01-01T00:00:00Z", last_time="2026-02-01T00:00:00Z", bbox=(7.0, 51.0, 7.5, 51.5))
    air = dataset("luft", title=NASTY, keywords=(), attribution="Amt für Luft", simulated=True, update_frequency="15MIN")
    files = [file("luft", "csv"), file("luft", "parquet")]
    catalog.publish(replace_kind(air, Kind.TIMESERIES), TIMESERIES_COLUMNS, extent, files, "luft")
    budget = replace_kind(dataset("haushalt", themes=("GOVE",), license="dl-de-zero-2.0"), Kind.TABLE)
    catalog.publish(budget, [Column(name="summe", type=ColumnType.DECIMAL)], Extent(rows=3), [file("haushalt", "csv")], "haushalt")
    derived = replace_kind(dataset("mittel"), Kind.TABLE).model_copy(update={"lineage": Lineage(inputs=("luft", "intern"), sql="SELECT 1")})
    catalog.publish(derived, COLUMNS, Extent(rows=3), [file("mittel", "csv")], "mittel")
    publish(catalog, "intern", access=AccessClass.INTERNAL)
    write(catalog, "kleingaerten", license_id="cc-by-4.0")
    service = {**RESOURCE, "id": str(uuid4()), "url": "https://geo.example/wms?REQUEST=GetCapabilities&x=a b", "format": "WMS", "hash": ""}
    write(catalog, "dienste", license_id="http://dcat-ap.de/def/licenses/cc-by-sa/4.0", resources=[RESOURCE, service])


def replace_kind(one: Dataset, kind: Kind) -> Dataset:
    """The same words for another kind."""
    return one.model_copy(update={"kind": kind})


@pytest.fixture
def publication(catalog: Catalog) -> Publication:
    """A filled catalogue as others read it."""
    fill(catalog)
    return Publication(catalog, SITE)


def read(body: bytes, ending: str = "ttl") -> Graph:
    """The document as rdflib understands it."""
    return Graph().parse(data=body, format=FORMATS[ending])


def page(publication: Publication, number: int = 1, ending: str = "ttl", since: datetime | None = None) -> Graph:
    """A page of the catalogue."""
    return read(publication.page(Page(ending, number, 0), DE, since), ending)


def told(publication: Publication) -> set[str]:
    """The names of the datasets that are told to others."""
    return {one.name for one in publication.entries()}


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib's own reader of JSON-LD
@pytest.mark.parametrize("profile", PROFILES)
def test_every_form_says_the_same(publication: Publication, profile: str) -> None:
    entry = next(one for one in publication.entries() if one.name == "luft")
    graphs = [read(publication.document(entry, PROFILES[profile], ending), ending) for ending in FORMS]
    assert all(set(one) == set(graphs[0]) for one in graphs)
    assert len(graphs[0]) > 100
    title = NASTY.replace("\x0b", "").replace("\x01", "")
    assert title in {str(one) for one in graphs[0].objects(None, DCT.title)}


def test_nothing_changes_when_nothing_changed(catalog: Catalog, publication: Publication) -> None:
    first = publication.page(Page("rdf", 1, 0), DE)
    for one in catalog.entries():
        if one.document is None:
            catalog.publish(one.dataset, one.columns, one.extent, one.distributions, one.feed)
    assert publication.page(Page("rdf", 1, 0), DE) == first == Publication(catalog, SITE).page(Page("rdf", 1, 0), DE)


def test_new_data_change_the_time_and_a_new_name_keeps_the_address(catalog: Catalog, publication: Publication) -> None:
    before = page(publication)
    trees, garden = catalog.entry("baeume"), catalog.entry("kleingaerten")
    files = [replace(one, sha256="c" * 64, size=7) for one in trees.distributions]
    catalog.publish(trees.dataset, trees.columns, trees.extent, files, "baeume")
    catalog.write(
        Written(garden.id, "gaerten", OWNER.id, State.ACTIVE, DOCUMENT | {"license_id": "cc-by-4.0"}, garden.created, garden.modified)
    )
    after = page(publication)
    assert set(before.subjects(RDF.type, DCAT.Dataset)) == set(after.subjects(RDF.type, DCAT.Dataset))
    assert set(before.subjects(RDF.type, DCAT.Distribution)) == set(after.subjects(RDF.type, DCAT.Distribution))
    changed = {one for one in before.subjects(RDF.type, DCAT.Dataset) if before.value(one, DCT.modified) != after.value(one, DCT.modified)}
    assert changed == {URIRef(f"{SITE.url}/dataset/{trees.id}")}
    sizes = {str(after.value(URIRef(f"{SITE.url}/dataset/{trees.id}/resource/{one.id}"), DCAT.byteSize)) for one in trees.distributions}
    assert sizes == {"7"}


def test_what_is_not_public_is_not_told_and_a_derived_dataset_names_only_public_origins(catalog: Catalog, publication: Publication) -> None:
    body = publication.page(Page("ttl", 1, 0), DE)
    assert str(catalog.entry("intern").id).encode() not in body
    origins = list(read(body).objects(None, URIRef("http://www.w3.org/ns/prov#wasDerivedFrom")))
    assert origins == [URIRef(f"{SITE.url}/dataset/{catalog.entry('luft').id}")]


def test_hidden_places_have_no_box(catalog: Catalog) -> None:
    publish(catalog, columns={"geometry": {"access": "restricted"}})
    body = Publication(catalog, SITE).page(Page("ttl", 1, 0), DE)
    assert b"dcat:bbox" not in body


def test_the_profiles_have_their_own_licences(catalog: Catalog, publication: Publication) -> None:
    german = read(publication.document(catalog.entry("baeume"), DE, "ttl"))
    european = read(publication.document(catalog.entry("baeume"), NEW, "ttl"))
    same = URIRef("http://publications.europa.eu/resource/authority/licence/DLDE_BY_2_0")
    named = URIRef("http://dcat-ap.de/def/licenses/dl-by-de/2.0")
    assert set(german.objects(None, DCT.license)) == {named}
    assert german.value(named, URIRef("http://www.w3.org/2004/02/skos/core#exactMatch")) == same
    assert set(european.objects(None, DCT.license)) == {same}


def test_an_organisation_is_asked_once_for_contact_and_kind(catalog: Catalog) -> None:
    write(catalog, maintainer=None, license_id="cc-by-4.0")
    extras = (("contact_email", "amt@stadt.example"), ("publisher_type", "Company"))
    catalog.write_teams("organization", replace(OWNER, extras=extras))
    body = Publication(catalog, SITE).document(catalog.entry("2026_gaerten"), DE, "ttl")
    assert b"mailto:amt@stadt.example" in body
    assert b"publishertype/Company" in body


def many(catalog: Catalog, count: int, **words: Any) -> None:
    """Datasets of somebody else, each a little younger than the one before."""
    catalog.write_teams("organization", OWNER)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    said = DOCUMENT | {"license_id": "cc-by-4.0"} | words
    catalog.write(
        *(
            Written(uuid4(), f"nr-{number}", OWNER.id, State.ACTIVE, said, begin + timedelta(hours=number), begin + timedelta(hours=number))
            for number in range(count)
        )
    )


def walk(publication: Publication) -> Iterator[tuple[int, Graph]]:
    """The pages as a harvester finds them: from the first on, as long as there is a next one."""
    number = 1
    while True:
        graph = page(publication, number)
        yield number, graph
        following = graph.value(next(graph.subjects(RDF.type, HYDRA.PagedCollection)), HYDRA.next)
        if following is None:
            return
        number = int(str(following).rpartition("page=")[2])


def test_a_walk_finds_every_dataset_once_and_ends(catalog: Catalog) -> None:
    many(catalog, 2 * SIZE + 3)
    publication = Publication(catalog, SITE)
    pages = dict(walk(publication))
    assert list(pages) == [1, 2, 3]
    found = [one for graph in pages.values() for one in graph.subjects(RDF.type, DCAT.Dataset)]
    assert len(found) == len(set(found)) == 2 * SIZE + 3
    for graph in pages.values():
        here = next(graph.subjects(RDF.type, HYDRA.PagedCollection))
        assert str(graph.value(here, HYDRA.totalItems)) == str(2 * SIZE + 3)
        assert str(graph.value(here, HYDRA.lastPage)) == str(graph.value(here, HYDRA.last)) == f"{SITE.url}/catalog.ttl?page=3"
    with pytest.raises(NotFound, match="the last one is 3"):
        page(publication, 4)


def test_a_dataset_that_changes_in_the_middle_of_a_walk_moves_to_no_other_page(catalog: Catalog) -> None:
    many(catalog, SIZE + 5)
    publication = Publication(catalog, SITE)
    steps = walk(publication)
    first = set(next(steps)[1].subjects(RDF.type, DCAT.Dataset))
    last = catalog.entry(f"nr-{SIZE + 2}")
    catalog.write(
        Written(last.id, last.name, OWNER.id, State.ACTIVE, DOCUMENT | {"license_id": "cc0-1.0"}, last.created, datetime.now(UTC))
    )
    second = set(next(steps)[1].subjects(RDF.type, DCAT.Dataset))
    assert len(first | second) == SIZE + 5


def test_only_what_changed_since_a_time_is_told_if_asked_for(catalog: Catalog) -> None:
    many(catalog, 30)
    publication = Publication(catalog, SITE)
    graph = page(publication, since=datetime(2026, 1, 2, tzinfo=UTC))
    assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == 6
    with pytest.raises(NotFound):
        page(publication, since=datetime(2027, 1, 2, tzinfo=UTC))


def test_an_empty_catalogue_is_no_catalogue(catalog: Catalog) -> None:
    publication = Publication(catalog, SITE)
    with pytest.raises(Unfinished):
        publication.page(Page("ttl", 1, 0), DE)
    publish(catalog, access=AccessClass.INTERNAL)
    with pytest.raises(Unfinished):
        publication.page(Page("ttl", 1, 0), DE)


def test_a_catalogue_that_is_being_built_is_no_catalogue(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(catalog)
    publish(catalog, "neu", distributions=())
    publication = Publication(catalog, SITE)
    with pytest.raises(Unfinished, match="neu is still being published"):
        publication.page(Page("ttl", 1, 0), DE)
    monkeypatch.setattr("stadthub_catalog.publication.BUILDING", -BUILDING)  # later nobody waits for it any more
    assert len(set(page(publication).subjects(RDF.type, DCAT.Dataset))) == 1


def test_what_is_badly_described_is_left_out_with_the_list_of_what_is_missing(catalog: Catalog) -> None:
    publish(catalog)
    write(catalog, "schlecht", notes="", license_id=None, tags=[], groups=[], extras=[])
    publication = Publication(catalog, SITE)
    assert told(publication) == {"baeume"}
    score = publication.score(catalog.entry("schlecht"))
    missing = {one.metric.name for one in score.missing}
    assert missing >= {"keywordAvailability", "categoryAvailability", "temporalAvailability", "dcatApCompliance", "licenceAvailability"}
    assert all(one.metric.mend[0] and one.metric.mend[1] for one in score.missing)


def scored(catalog: Catalog, entry: Entry) -> dict[str, int]:
    """What is missing, with the points that there are."""
    return {one.metric.name: one.points for one in Publication(catalog, SITE).score(entry).missing}


def test_every_dataset_of_ours_has_every_point(catalog: Catalog, publication: Publication) -> None:
    assert {one.name: publication.score(one).total for one in catalog.entries()} == dict.fromkeys(
        ("baeume", "dienste", "haushalt", "intern", "kleingaerten", "luft", "mittel"), 405
    )
    assert told(publication) == {"baeume", "dienste", "haushalt", "kleingaerten", "luft", "mittel"}


def test_the_best_file_counts(catalog: Catalog) -> None:
    publish(catalog, distributions=[Distribution("parquet", "/distributions/baeume/baeume.parquet", size=3, sha256="a" * 64)])
    entry = catalog.entry("baeume")
    parquet_only = {"formatMediaTypeNonProprietary": 0, "formatMediaTypeMachineInterpretable": 0}
    assert scored(catalog, entry) == parquet_only
    catalog.publish(entry.dataset, entry.columns, entry.extent, [*entry.distributions, file("baeume", "csv")], "baeume")
    assert scored(catalog, catalog.entry("baeume")) == {}


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"tags": [], "groups": []}, {"keywordAvailability": 0, "categoryAvailability": 0}),
        ({"license_id": None}, {"dcatApCompliance": 0, "licenceAvailability": 0, "knownLicence": 0, "rightsAvailability": 0}),
        ({"license_id": "https://our.example/terms"}, {"knownLicence": 0}),
        ({"notes": ""}, {"dcatApCompliance": 0}),
        ({"extras": []}, {"temporalAvailability": 0}),
        ({"resources": [{**RESOURCE, "size": None}]}, {"byteSizeAvailability": 0}),
        (
            {"resources": [{**RESOURCE, "format": "PDF"}]},
            {"formatMediaTypeNonProprietary": 0, "formatMediaTypeMachineInterpretable": 0},
        ),
        (
            {"resources": [{**RESOURCE, "format": "WMS"}]},
            {"downloadUrlAvailability": 0, "downloadUrlStatusCode": 0},
        ),
    ],
)
def test_each_part_has_its_points(catalog: Catalog, change: dict[str, Any], missing: dict[str, int]) -> None:
    write(catalog, **{"license_id": "cc-by-4.0", "groups": ["envi"], **change})
    assert scored(catalog, catalog.entry("2026_gaerten")) == missing


def test_what_is_written_ahead_is_what_harvesters_get(catalog: Catalog, publication: Publication) -> None:
    ahead = Publication(catalog, SITE)
    ahead.prepare(ahead.entries())
    for ending in ("ttl", "rdf", "jsonld"):
        assert ahead.page(Page(ending, 1, 0), DE) == publication.page(Page(ending, 1, 0), DE)
