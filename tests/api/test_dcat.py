"""The catalogue over HTTP: every form under its address, what a harvester may be told, and that every address answers."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from rdflib import RDF, Graph, Namespace

from stadthub_api.app import create_app
from stadthub_catalog import Catalog, Distribution
from stadthub_schemas.dataset import AccessClass, Contact, Extent
from stadthub_schemas.settings import Settings
from tests.api.city import BUDGET, INTERNAL_NOISE, PUBLIC_AIR, RESTRICTED_CAMERAS, TREES, City, served
from tests.catalog.samples import dataset, publish

DCAT = Namespace("http://www.w3.org/ns/dcat#")
MEDIA = {
    "ttl": "text/turtle; charset=utf-8",
    "rdf": "application/rdf+xml",
    "xml": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "nt": "application/n-triples",
    "n3": "text/n3; charset=utf-8",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A served hub with two public datasets and one that is not."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("shop"), site_contact="daten@musterstadt.example", geocoding="05515000")
    catalog = Catalog(settings.database)
    catalog.migrate()
    publish(catalog, title_en="Trees", description_en="All trees")
    publish(catalog, "parken", title="Parkhäuser </script><b>", themes=("TRAN",))
    publish(catalog, INTERNAL_NOISE, access=AccessClass.INTERNAL)
    catalog.close()
    with served(create_app(settings)) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.mark.parametrize("ending", MEDIA)
def test_every_form_has_an_address(shop: httpx.Client, ending: str) -> None:
    for path in (f"/catalog.{ending}", f"/dataset/baeume.{ending}"):
        answer = shop.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA[ending])
        assert answer.headers["access-control-allow-origin"] == "*"
        again = shop.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert shop.head(path).status_code == 200
        assert INTERNAL_NOISE not in answer.text


@pytest.mark.parametrize(
    ("accept", "ending"),
    [
        ("text/turtle", "ttl"),
        ("application/rdf+xml;q=0.9, text/turtle;q=0.3", "rdf"),
        ("application/ld+json, */*;q=0.1", "jsonld"),
        ("application/n-triples", "nt"),
    ],
)
def test_who_asks_for_a_form_gets_it(shop: httpx.Client, accept: str, ending: str) -> None:
    key = str(next(iter(_datasets(shop)))).rpartition("/")[2]
    for path in ("/catalog", f"/dataset/{key}"):
        answer = shop.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{path}.{ending}")
        assert "Accept" in answer.headers["vary"]
    page = shop.get(f"/dataset/{key}", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["location"].startswith("/datasets/")
    assert shop.get("/catalog?profiles=dcat-ap-3").headers["location"] == "/catalog.ttl?profiles=dcat-ap-3"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/catalog.foo", 404, "use one of ttl"),
        ("/catalog.ttl?page=0", 400, "page"),
        ("/catalog.ttl?page=2", 404, "page: the last one is 1"),
        ("/catalog.ttl?page=99999999999", 400, "page"),
        ("/catalog.ttl?profiles=schemaorg", 400, "dcat-ap-de, dcat-ap-3, dcat-ap-2"),
        ("/catalog.ttl?q=gibtesnicht", 404, "q: no dataset fits"),
        ("/catalog.ttl?fq=organization:(", 400, "Cannot parse"),
        ("/catalog.ttl?q={!lucene}a", 400, "Local parameters"),
        ("/catalog.ttl?modified_since=gestern", 400, "modified_since"),
        ("/catalog.ttl?modified_since=2999-01-01", 404, "modified_since"),
        ("/dataset/nichts.ttl", 404, "there is no dataset 'nichts'"),
        (f"/dataset/{INTERNAL_NOISE}.ttl", 404, f"there is no dataset '{INTERNAL_NOISE}'"),
        ("/dataset/nichts/croissant.jsonld", 404, "there is no dataset"),
        (f"/dataset/{INTERNAL_NOISE}/datapackage.json", 404, "there is no dataset"),
    ],
)
def test_what_is_not_there_is_told_as_it_is(shop: httpx.Client, path: str, status: int, words: str) -> None:
    answer = shop.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_a_search_narrows_the_catalogue_and_its_pages(shop: httpx.Client) -> None:
    assert _datasets(shop, "?q=baum&fq=organization:musterstadt") == _datasets(shop)
    assert shop.get("/catalog.ttl?q=baum&fq=-organization:musterstadt").status_code == 404
    assert "q=baum&fq=organization%3A" in shop.get("/catalog.ttl?q=baum&fq=organization:musterstadt").text


def test_a_profile_is_asked_for_by_its_name_or_that_of_ckan(shop: httpx.Client) -> None:
    ours, ckans = shop.get("/dataset/baeume.ttl?profiles=dcat-ap-3").text, shop.get("/dataset/baeume.ttl?profiles=euro_dcat_ap_3").text
    assert ours == ckans
    assert "authority/licence/DLDE_BY_2_0" in ours
    assert "dcatde:politicalGeocodingLevelURI" not in ours
    assert "dcatde:politicalGeocodingLevelURI" in shop.get("/dataset/baeume.ttl").text


def test_a_hub_without_datasets_asks_harvesters_to_come_again(tmp_path: Path) -> None:
    with served(create_app(Settings(data_dir=tmp_path))) as address:
        answer = httpx.get(f"{address}/catalog.rdf")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "no dataset is published yet" in answer.json()["detail"]


def test_croissant_names_files_and_columns(shop: httpx.Client) -> None:
    told = shop.get("/dataset/baeume/croissant.jsonld").json()
    assert told["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    files = {one["@id"]: one for one in told["distribution"]}
    assert {one["encodingFormat"] for one in files.values()} == {"text/csv", "application/geo+json"}
    fields = told["recordSet"][0]["field"]
    assert [(one["name"], one["dataType"]) for one in fields] == [("art", "sc:Text"), ("hoehe", "sc:Float")]
    assert all(files[one["source"]["fileObject"]["@id"]]["sha256"] == "a" * 64 for one in fields)


def test_a_data_package_names_files_and_columns(shop: httpx.Client) -> None:
    told = shop.get("/dataset/baeume/datapackage.json").json()
    assert told["licenses"][0]["name"] == "dl-de-by-2.0"
    table, features = told["resources"]
    assert (table["bytes"], table["hash"], table["format"]) == (100, "sha256:" + "a" * 64, "csv")
    assert [(one["name"], one["type"]) for one in table["schema"]["fields"]] == [("art", "string"), ("hoehe", "number")]
    assert "schema" not in features


def test_the_page_describes_its_dataset_for_search_engines(shop: httpx.Client) -> None:
    page = shop.get("/datasets/parken").text
    begin = page.index('<script type="application/ld+json">') + len('<script type="application/ld+json">')
    told = orjson.loads(page[begin : page.index("</script>", begin)])
    assert (told["@type"], told["name"]) == ("Dataset", "Parkhäuser </script><b>")
    assert {one["encodingFormat"] for one in told["distribution"]} == {"text/csv", "application/geo+json"}
    assert told["spatialCoverage"]["geo"]["box"] == "51.0 7.0 51.5 7.5"
    assert orjson.loads(_linked(shop.get("/en/datasets/baeume").text))["name"] == "Trees"
    assert f'href="/dataset/{told["@id"].rpartition("/")[2]}.ttl"' in page


def test_the_page_says_how_good_the_description_is(shop: httpx.Client) -> None:
    assert "405 von 405 Punkten" in shop.get("/datasets/baeume").text
    assert "405 of 405 points" in shop.get("/en/datasets/baeume").text


def _linked(page: str) -> str:
    begin = page.index('<script type="application/ld+json">') + len('<script type="application/ld+json">')
    return page[begin : page.index("</script>", begin)]


def _datasets(client: httpx.Client, query: str = "") -> set[object]:
    return set(Graph().parse(data=client.get(f"/catalog.ttl{query}").text).subjects(RDF.type, DCAT.Dataset))


@pytest.mark.parametrize("name", [PUBLIC_AIR, TREES, BUDGET])
def test_every_address_of_a_dataset_answers_head(anybody: httpx.Client, city: City, name: str) -> None:
    graph = Graph().parse(data=anybody.get(f"/dataset/{name}.ttl").text)
    words = (DCAT.accessURL, DCAT.downloadURL, DCAT.endpointURL, DCAT.endpointDescription, DCAT.landingPage)
    found = {str(one).removeprefix(city.settings.url) for word in words for one in graph.objects(None, word)}
    assert len(found) >= 3
    assert {path: anybody.head(path).status_code for path in found} == dict.fromkeys(found, 200)


def test_sizes_and_digests_are_those_of_the_files(anybody: httpx.Client) -> None:
    told = anybody.get(f"/dataset/{PUBLIC_AIR}/datapackage.json").json()["resources"][0]
    body = anybody.get(told["path"].partition("example")[2]).content
    assert told["bytes"] == len(body)


def test_a_dataset_that_is_not_public_is_described_to_those_who_may_see_it(tokened: httpx.Client) -> None:
    answer = tokened.get(f"/dataset/{INTERNAL_NOISE}.ttl")
    assert answer.status_code == 200
    assert "access-right/RESTRICTED" in answer.text
    assert "private" in answer.headers["cache-control"]
    assert tokened.get(f"/dataset/{RESTRICTED_CAMERAS}.ttl").status_code == 404


@pytest.fixture
def tokened(city: City, anybody: httpx.Client) -> Iterator[httpx.Client]:
    """An analyst of the city."""
    with httpx.Client(base_url=anybody.base_url, headers={"Authorization": city.tokens["analyst"]}, timeout=30) as client:
        yield client


def test_a_dataset_below_the_bound_stays_in_the_portal_but_is_not_told(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    catalog = Catalog(settings.database)
    catalog.migrate()
    publish(catalog)
    poor = dataset("arm", contact=Contact(name="Amt"))
    catalog.publish(poor, (), Extent(), [Distribution("parquet", "/distributions/arm/arm.parquet", size=1)], "arm")
    catalog.close()
    with served(create_app(settings)) as address, httpx.Client(base_url=address, timeout=30) as client:
        assert len(_datasets(client)) == 1
        page = client.get("/datasets/arm").text
    assert "Anderen Katalogen nicht gemeldet" in page
    assert "Eine Ansprechstelle mit E-Mail oder Adresse angeben" in page
