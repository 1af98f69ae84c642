"""Writing over HTTP as real clients do it: ckanapi, forms with files, and the addresses under which files are served."""

import io
from typing import Any

import httpx
import pytest
from ckanapi import NotAuthorized, RemoteCKAN, ValidationError

from tests.clients.conftest import Hub


@pytest.fixture(scope="module")
def site(hub: Hub) -> RemoteCKAN:
    """The hub with the organisation `amt`, as its administrator sees it."""
    remote = RemoteCKAN(hub.address, apikey=hub.token)
    remote.action.organization_create(name="amt", title="Amt")
    return remote


def _upload(hub: Hub, package: str, name: str, content: bytes, **fields: str) -> dict[str, Any]:
    answer = httpx.post(
        f"{hub.address}/api/3/action/resource_create",
        data={"package_id": package, **fields},
        files={"upload": (name, content)},
        headers={"Authorization": hub.token},
    )
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


def _local(hub: Hub, url: str) -> str:
    return url.replace("https://daten.musterstadt.example", hub.address)


def test_ckanapi_writes_and_takes_away(hub: Hub, site: RemoteCKAN) -> None:
    made = site.action.package_create(name="gaerten", owner_org="amt", title="Gärten", tags=[{"name": "Garten"}])
    assert site.action.package_show(id="gaerten") == made
    assert site.call_action("package_patch", {"id": "gaerten", "notes": "neu"})["notes"] == "neu"
    file = io.BytesIO(b"a,b\n1,2\n")
    resource = site.call_action("resource_create", {"package_id": "gaerten", "name": "up"}, files={"upload": ("Alle.csv", file)})
    assert httpx.get(_local(hub, resource["url"])).content == b"a,b\n1,2\n"
    with pytest.raises(ValidationError) as caught:
        site.action.package_create(name="gaerten", owner_org="amt")
    assert caught.value.error_dict["name"] == ["That URL is already in use."]
    with pytest.raises(NotAuthorized), RemoteCKAN(hub.address) as stranger:
        stranger.action.package_delete(id="gaerten")
    site.action.dataset_purge(id="gaerten")
    assert "gaerten" not in site.action.package_list()
    assert httpx.get(_local(hub, resource["url"])).status_code == 404


def test_an_uploaded_file_is_served_in_parts_and_only_when_new(hub: Hub, site: RemoteCKAN) -> None:
    site.action.package_create(name="dateien", owner_org="amt")
    made = _upload(hub, "dateien", "Größe A.csv", b"0123456789")
    url = _local(hub, made["url"])
    whole = httpx.get(url)
    assert (whole.content, whole.headers["content-disposition"]) == (b"0123456789", "inline; filename=grosse-a.csv")
    assert whole.headers["content-type"].startswith("text/csv")
    assert "last-modified" in whole.headers
    assert httpx.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    part = httpx.get(url, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    head = httpx.head(url)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "10", b"")
    assert httpx.get(url.rpartition("/")[0]).content == b"0123456789"
    for wrong in (f"{url}x", url.replace("/dataset/", "/dataset/x"), f"{hub.address}/dataset/dateien/resource/nope/download/a.csv"):
        assert httpx.get(wrong).status_code == 404
    page = _upload(hub, "dateien", "seite.html", b"<script>alert(1)</script>")
    assert "sandbox" in httpx.get(_local(hub, page["url"])).headers["content-security-policy"]


def test_a_link_leads_to_its_address_and_a_private_file_to_its_members(hub: Hub, site: RemoteCKAN) -> None:
    made = site.action.package_create(
        name="links", owner_org="amt", resources=[{"url": "https://elsewhere.example/a.csv"}, {"url": "data.csv", "url_type": "odd"}]
    )
    there, odd = (f"{hub.address}/dataset/links/resource/{one['id']}/download/a.csv" for one in made["resources"])
    answer = httpx.get(there)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://elsewhere.example/a.csv")
    assert httpx.get(odd).status_code == 404
    site.action.package_create(name="geheim", owner_org="amt", private=True)
    url = _local(hub, _upload(hub, "geheim", "a.csv", b"geheim")["url"])
    assert httpx.get(url).status_code == 404
    mine = httpx.get(url, headers={"Authorization": f"Bearer {hub.token}"})
    assert (mine.content, "private" in mine.headers["cache-control"]) == (b"geheim", True)
    site.action.package_patch(id="geheim", private=False, state="draft")
    assert httpx.get(url).status_code == 404


def test_a_body_may_be_larger_for_those_with_a_token(hub: Hub, site: RemoteCKAN) -> None:
    large = {"name": "gross", "owner_org": "amt", "notes": "x" * 2_000_000}
    assert site.call_action("package_create", large)["name"] == "gross"
    refused = httpx.post(f"{hub.address}/api/3/action/package_create", json=large)
    assert refused.status_code == 413


def test_what_changes_something_needs_a_post(hub: Hub) -> None:
    answer = httpx.get(f"{hub.address}/api/3/action/package_delete", params={"id": "baeume"}, headers={"Authorization": hub.token})
    assert (answer.status_code, answer.json()) == (
        400,
        "Bad request: JSON Error: Invalid request. Please use POST method for your request",
    )
    assert httpx.get(f"{hub.address}/api/3/action/package_delete?id=baeume&callback=f").status_code == 400


@pytest.mark.parametrize("header", ["Authorization", "X-CKAN-API-Key"])
def test_forms_and_queries_write_too(hub: Hub, site: RemoteCKAN, header: str) -> None:
    name = header.lower()
    form = {"name": name, "owner_org": "amt", "tags": '[{"name": "Garten"}]', "extras": '[{"key": "a", "value": "1"}]'}
    answer = httpx.post(f"{hub.address}/api/action/package_create", data=form, headers={header: hub.token})
    assert answer.status_code == 200, answer.text
    assert "changed_entities" not in answer.json()
    query = {"id": name, "title": "Neu"}
    changed = httpx.post(f"{hub.address}/api/action/package_patch", params=query, headers={header: f"Bearer {hub.token}"}).json()
    assert (changed["result"]["title"], len(changed["result"]["tags"])) == ("Neu", 1)
    assert changed["changed_entities"] == {"packages": [changed["result"]["id"]]}
    assert site.action.package_show(id=name)["title"] == "Neu"
