"""What clients write through CKAN's API is told to harvesters in a form in which the official shapes find nothing."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from ckanapi import RemoteCKAN
from rdflib import RDF, Graph, Namespace

from tests.catalog.test_dcat_shapes import DCAT, findings, shapes
from tests.clients.hubs import Empty, ckanapi, empty

pytestmark = pytest.mark.skipif(not DCAT.is_dir(), reason="no official shapes: set SHARED_DIR to the folder that holds contracts/")

DCAT_WORDS = Namespace("http://www.w3.org/ns/dcat#")

#: A dataset as a careful editor writes it with ckanext-dcat's words.
CAREFUL: dict[str, Any] = {
    "owner_org": "amt",
    "title": "Straßenbäume",
    "notes": "Alle Bäume an Straßen, mit Art und Höhe",
    "license_id": "dl-de-by-2.0",
    "maintainer": "Grünflächenamt",
    "maintainer_email": "gruen@musterstadt.example",
    "url": "https://musterstadt.example/baeume",
    "tags": [{"name": "Baum"}, {"name": "Stadtgrün"}],
    "groups": [{"name": "envi"}],
    "extras": [
        {"key": "spatial", "value": '{"type":"Polygon","coordinates":[[[7,51],[7.5,51],[7.5,51.5],[7,51.5],[7,51]]]}'},
        {"key": "temporal_start", "value": "2020-01-01"},
        {"key": "temporal_end", "value": "2024"},
        {"key": "frequency", "value": "http://publications.europa.eu/resource/authority/frequency/ANNUAL"},
        {"key": "attribution", "value": "Stadt Musterstadt"},
    ],
}
FILES = ("csv", "geojson", "xlsx", "pdf", "zip", "wms", "eigenes")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Empty]:
    """A hub with a dataset for each form of file, one with an uploaded file, and one of which hardly anything is said."""
    with empty(tmp_path_factory.mktemp("hub") / "hub") as one:
        with RemoteCKAN(one.address, apikey=one.token) as site:
            site.action.organization_create(name="amt", title="Amt für Grün", description="Das Amt")
        many = [
            {
                "name": f"mit-{form}",
                **CAREFUL,
                "resources": [{"url": f"https://musterstadt.example/x.{form}", "format": form, "name": form}],
            }
            for form in FILES
        ]
        many += [{"name": "geladen", **CAREFUL}, {"name": "karg", "owner_org": "amt"}]
        ckanapi(one, "batch", said=[{"action": "package_create", "data": said} for said in many])
        httpx.post(
            f"{one.address}/api/action/resource_create",
            data={"package_id": "geladen", "name": "Bäume"},
            files={"upload": ("bäume.csv", b"art,hoehe\nLinde,3\n")},
            headers={"Authorization": one.token},
        ).raise_for_status()
        yield one


def _told(hub: Empty, profile: str) -> Graph:
    return Graph().parse(data=httpx.get(f"{hub.address}/catalog.ttl?profiles={profile}").raise_for_status().content, format="turtle")


def test_the_official_shapes_find_nothing_in_what_clients_wrote(hub: Empty) -> None:
    data = _told(hub, "dcat-ap-de")
    told = {str(data.value(one, DCAT_WORDS.landingPage) or one) for one in data.subjects(RDF.type, DCAT_WORDS.Dataset)}
    assert len(told) >= len(FILES) - 1
    assert findings(data, shapes("dcat-ap-3.0.0", "dcat-ap-de-3.0")) == []


def test_what_is_said_too_little_of_is_not_told_to_others(hub: Empty) -> None:
    names = {str(one) for one in _told(hub, "dcat-ap-de").objects(None, DCAT_WORDS.landingPage)}
    assert not any("karg" in name for name in names)
    with RemoteCKAN(hub.address) as site:
        assert site.action.package_show(id="karg")["name"] == "karg"
