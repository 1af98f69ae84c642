"""Packages as chance makes them, over a real socket: what is kept comes back the same in all of the hub's faces, what is not is refused."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import Graph

from stadthub_catalog.actions import WRITING
from tests.clients.hubs import empty

WORDS = st.text(max_size=30)
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
#: What breaks documents that are not written with care.
HOSTILE = st.sampled_from(
    [
        '"""',
        "\\",
        "]]>",
        "<script>alert(1)</script>",
        "&amp;",
        "\x0b\x1f\x7f",
        "\u2028",
        "￾",
        "${x}",
        "{{ x }}",
        "'; --",
        "\ud7ff\ue000",
        "a" * 3000,
    ]
)
TEXT = LINES | HOSTILE
URL = st.sampled_from(
    [
        "https://musterstadt.example/a b.csv",
        'https://musterstadt.example/ä?x=<y>&z="1"',
        "musterstadt.example",
        "https://musterstadt.example/%zz|^`{}",
        "http://[broken",
        "[",
        "ftp://x",
        "urn:x:y",
        "//x",
    ]
) | LINES.filter(lambda text: not text.strip().lower().startswith(("javascript", "data", "vbscript", "blob", "file")))
TAG = st.from_regex(r"[a-zäöüß0-9 _.-]{2,20}", fullmatch=True)
TIME = TEXT | st.sampled_from(
    ["0", "0001-01-01", "9999-12-31T23:59:59", "2020", "2020-02", "2020-02-30", "2020-02-29T10:00+05:00", "NOW-1DAY"]
)
SPATIAL = st.sampled_from(
    ['{"type":"Point","coordinates":[7.5,51.2]}', '{"type":"Polygon","coordinates":[]}', "POINT(1 2)", "[1,2", "null"]
)
PACKAGE = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXT,
        "notes": TEXT,
        "author": TEXT,
        "author_email": st.just("amt@musterstadt.example"),
        "maintainer": TEXT,
        "url": URL,
        "version": TEXT.filter(lambda text: len(text) <= 100),
        "license_id": TEXT | st.sampled_from(["dl-de-by-2.0", "cc-by-4.0", "notspecified"]),
        "state": st.sampled_from(["active", "draft"]),
        "private": st.booleans(),
        "groups": st.lists(st.sampled_from(["envi", "tran", "thema"]), max_size=3).map(lambda names: [{"name": name} for name in names]),
        "tags": st.lists(TAG, max_size=3, unique=True).map(lambda names: [{"name": name} for name in names]),
        "extras": st.fixed_dictionaries(
            {},
            optional={
                "spatial": SPATIAL | TEXT,
                "temporal_start": TIME,
                "temporal_end": TIME,
                "frequency": TEXT,
                "title_en": TEXT,
                "theme": TEXT,
                "x": TEXT,
            },
        ).map(lambda pairs: [{"key": key, "value": value} for key, value in pairs.items()]),
        "resources": st.lists(
            st.fixed_dictionaries(
                {"url": URL},
                optional={
                    "name": TEXT,
                    "format": TEXT | st.sampled_from(["csv", "GeoJSON", "WMS"]),
                    "description": TEXT,
                    "mimetype": TEXT,
                    "hash": TEXT,
                    "size": st.integers(0, 2**62),
                    "last_modified": st.datetimes().map(lambda time: time.isoformat()),
                    "own": st.recursive(TEXT | st.none() | st.booleans() | st.integers(-(2**53), 2**53), st.lists, max_leaves=3),
                },
            ),
            max_size=3,
        ),
    },
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | HOSTILE | st.uuids().map(str),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "key", "value", "url", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_FIELDS = """id name owner_org title notes tags tag_string extras groups resources state private type url version license_id users capacity role
object object_type package_id resource_id order datasets org_id match update filter include update__resources__0__url
update__resources__extend vocabulary_id view_type subject comment metadata_modified metadata_created creator_user_id username user_id
organization_id upload image_url email fullname about sysadmin created format size"""
FIELDS = _FIELDS.split()
#: What would end the test's own rights.
_SPARED = {"user_delete", "api_token_revoke", "api_token_create"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a hub with the organisation `amt`, the group `thema` and the dataset `da`."""
    said: dict[str, Any] = {"name": "da", "owner_org": "amt", "resources": [{"url": "https://e.x/a.csv"}]}
    with empty(tmp_path_factory.mktemp("hub") / "hub") as one, httpx.Client(base_url=one.address, timeout=60) as client:
        client.headers["Authorization"] = one.token
        _call(client, "organization_create", {"name": "amt"})
        _call(client, "group_create", {"name": "thema"})
        _call(client, "package_create", said)
        yield client


def _call(hub: httpx.Client, action: str, said: Any) -> dict[str, Any]:
    answer = hub.post(f"/api/action/{action}", content=json.dumps(said))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(said=PACKAGE)
def test_whatever_is_written_comes_back_the_same_and_breaks_no_face(hub: httpx.Client, said: dict[str, Any]) -> None:
    name = f"p{uuid4().hex}"
    made = _call(hub, "package_create", {**said, "name": name, "owner_org": "amt"})["result"]
    shown = _call(hub, "package_show", {"id": name})["result"]
    assert shown == made
    again = _call(hub, "package_update", shown)
    assert again["result"] == shown
    assert "changed_entities" not in again
    for key in ("notes", "author", "maintainer", "url", "version", "license_id"):
        assert shown[key] == said.get(key)
    if shown["state"] == "active":
        _read_everywhere(hub, shown)
    _call(hub, "dataset_purge", {"id": name})


def _read_everywhere(hub: httpx.Client, shown: dict[str, Any]) -> None:
    """No face of the dataset is broken by what it holds."""
    key, name = UUID(shown["id"]), shown["name"]
    graphs = []
    for ending, form in (("ttl", "turtle"), ("rdf", "xml")):
        answer = hub.get(f"/dataset/{key}.{ending}")
        assert answer.status_code == 200, answer.text
        graphs.append(Graph().parse(data=answer.content, format=form))
    assert len(graphs[0]) == len(graphs[1]) > 5
    assert json.loads(hub.get(f"/dataset/{key}.jsonld").content)["@graph"]
    found = _call(hub, "package_search", {"q": f"name:{name}", "include_private": True})["result"]
    assert found["results"] == [shown]
    ET.fromstring(hub.get(f"/feeds/custom.atom?q=name:{name}").raise_for_status().content)
    page = hub.get(f"/datasets/{name}", headers={"Accept": "text/html", "Authorization": f"Bearer {hub.headers['Authorization']}"})
    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(action=st.sampled_from(sorted(set(WRITING) - _SPARED)), said=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=6))
def test_whatever_is_said_is_answered_and_never_breaks_the_hub(hub: httpx.Client, action: str, said: dict[str, Any]) -> None:
    known = (
        {"id": "da"} if "package" in action else {"id": "amt"} if "organization" in action else {"id": "thema"} if "group" in action else {}
    )
    for asked in (said, {**said, **known}):
        answer = hub.post(f"/api/action/{action}", content=json.dumps(asked))
        assert answer.status_code in (200, 400, 403, 404, 409), (asked, answer.text)
        if answer.status_code != 200 and isinstance(told := answer.json(), dict):
            assert told["error"]["__type"]
            assert "SELECT" not in answer.text
    hub.post("/api/action/organization_patch", json={"id": "amt", "name": "amt", "state": "active"})
