"""The official shapes of DCAT-AP.de, DCAT-AP and of the high-value datasets, over a dataset of each kind, and the official word lists."""

import os
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import RDF, RDFS, Graph, Namespace, URIRef

from stadthub_catalog import Catalog
from stadthub_catalog.dcat_catalog import Page
from stadthub_catalog.dcat_words import PROFILES
from stadthub_catalog.mqa import METRICS, MOST
from stadthub_catalog.publication import Publication
from stadthub_schemas.authorities import EU_LICENSES, HVD_CATEGORIES, HVD_IRI
from stadthub_schemas.filetypes import FILE_TYPES
from stadthub_schemas.vocabularies import FILE_TYPE_IRI, FREQUENCIES, FREQUENCY_IRI, LICENSES, THEME_IRI, THEMES
from tests.catalog.test_dcat import SITE, fill

DCAT = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared") / "contracts" / "dcat"
SH = Namespace("http://www.w3.org/ns/shacl#")
DCT = Namespace("http://purl.org/dc/terms/")

pytestmark = pytest.mark.skipif(not DCAT.is_dir(), reason="no official shapes: set SHARED_DIR to the folder that holds contracts/")

#: DCAT-AP 2.1.1 warns of every publisher that is no body of the EU and of every place that is no country or town of its lists.
UNAVOIDABLE = {"dcat-ap-2": {DCT.publisher, DCT.spatial}}
#: Newer than the copy of the list that is here.
NEWER_FILE_TYPES = {"PARQUET", "GEOTIFF", "GTFS", "YAML"}


def shapes(*folders: str) -> Graph:
    """The shapes of these folders as one graph."""
    graph = Graph()
    for folder in folders:
        for file in sorted((DCAT / folder).glob("*.ttl")):
            graph.parse(file)
    # 3.0.1 names two shapes of properties that it does not have
    for shape, one in list(graph.subject_objects(SH.property)):
        if isinstance(one, URIRef) and graph.value(one, SH.path) is None:
            graph.remove((shape, SH.property, one))
    return graph


def findings(data: Graph, official: Graph) -> list[tuple[str, URIRef, str]]:
    """What the shapes find: how bad, about which word, at what."""
    for one in {term for triple in data for term in triple if isinstance(term, URIRef)}:
        data.add((one, RDF.type, RDFS.Resource))  # as RDFS says of everything
    _, report, _ = validate(data, shacl_graph=official, advanced=True, inference="none")
    assert isinstance(report, Graph)
    return [
        (
            str(report.value(one, SH.resultSeverity)).partition("#")[2],
            URIRef(str(report.value(one, SH.resultPath))),
            str(report.value(one, SH.focusNode)),
        )
        for one in report.objects(None, SH.result)
    ]


@pytest.fixture
def publication(quick_catalog: Catalog) -> Publication:
    """A filled catalogue as others read it."""
    fill(quick_catalog)
    return Publication(quick_catalog, SITE)


@pytest.mark.parametrize(
    ("profile", "folders"),
    [("dcat-ap-de", ("dcat-ap-3.0.0", "dcat-ap-de-3.0")), ("dcat-ap-3", ("dcat-ap-3.0.1",)), ("dcat-ap-2", ("dcat-ap-2.1.1",))],
)
def test_the_official_shapes_find_nothing(publication: Publication, profile: str, folders: tuple[str, ...]) -> None:
    data = Graph().parse(data=publication.page(Page("ttl", 1, 0), PROFILES[profile]), format="turtle")
    found = findings(data, shapes(*folders))
    avoidable = [one for one in found if not (one[0] == "Warning" and one[1] in UNAVOIDABLE.get(profile, ()))]
    assert avoidable == []


def test_the_shapes_see_what_is_wrong(publication: Publication) -> None:
    data = Graph().parse(data=publication.page(Page("ttl", 1, 0), PROFILES["dcat-ap-de"]), format="turtle")
    data.remove((None, DCT.license, None))
    assert ("Violation", DCT.license) in {one[:2] for one in findings(data, shapes("dcat-ap-3.0.0", "dcat-ap-de-3.0"))}


@pytest.mark.parametrize("profile", ["dcat-ap-de", "dcat-ap-3"])
def test_a_high_value_dataset_has_what_the_regulation_wants(quick_catalog: Catalog, publication: Publication, profile: str) -> None:
    entry = quick_catalog.entry("baeume")
    data = Graph().parse(data=publication.document(entry, PROFILES[profile], "ttl"), format="turtle")
    assert findings(data, shapes("dcat-ap-hvd-3.0.0")) == []


def test_govdata_finds_keywords_contributor_publisher_and_licences(quick_catalog: Catalog, publication: Publication) -> None:
    official = shapes("govdata-dashboard")
    for file in ("dcat-ap-de-contributors.rdf", "dcat-ap-de-licenses-open.rdf"):
        official.parse(DCAT / "govdata-dashboard" / file)
    entry = quick_catalog.entry("baeume")
    data = Graph().parse(data=publication.document(entry, PROFILES["dcat-ap-de"], "ttl"), format="turtle")
    for file in ("dcat-ap-de-contributors.rdf", "dcat-ap-de-licenses-open.rdf"):
        data.parse(DCAT / "govdata-dashboard" / file)
    # those that begin with count only say how many there are
    assert [one for one in findings(data, official) if not one[0].startswith("count")] == []


def words(file: str, begin: str) -> set[str]:
    """The addresses of a list that begin so."""
    graph = Graph().parse(DCAT / "vocabularies" / file, format="turtle")
    return {str(one) for one in graph.subjects() if str(one).startswith(begin)}


def test_our_words_stand_in_the_official_lists() -> None:
    assert {THEME_IRI + one for one in THEMES} <= words("data-theme.ttl", THEME_IRI)
    assert {FREQUENCY_IRI + one for one in FREQUENCIES} <= words("frequencies.ttl", FREQUENCY_IRI)
    assert {FILE_TYPE_IRI + one for one in FILE_TYPES if one not in NEWER_FILE_TYPES} <= words("filetypes.ttl", FILE_TYPE_IRI)
    assert set(EU_LICENSES.values()) <= words("licences.ttl", "http://publications.europa.eu/resource/authority/licence/")
    assert {HVD_IRI + one for one in HVD_CATEGORIES} <= words("high-value-categories.ttl", HVD_IRI)
    named = Graph().parse(DCAT / "govdata-dashboard" / "dcat-ap-de-licenses-open.rdf")
    assert {*EU_LICENSES, *(one.iri for one in LICENSES.values())} <= {str(one) for one in named.subjects()}


def test_the_points_are_those_of_the_quality_check() -> None:
    told = Graph().parse(DCAT / "vocabularies" / "piveau-dqv-vocabulary.ttl")
    known = Namespace("https://piveau.eu/ns/voc#")
    points = {str(metric).partition("#")[2]: int(str(score)) for metric, score in told.subject_objects(known.trueScore)}
    ours = {one.name: one.points for one in METRICS}
    assert ours == points
    assert sum(ours.values()) == MOST
