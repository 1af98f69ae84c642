"""What a real CKAN 2.12.0 answered once about the DataStore, asked of the hub: the words are the contract."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.clients.conftest import Hub
from tests.clients.test_ckan_recorded import _FILE

#: The recorded table: its resource, what it was made of.
_KEY = "841b08eb-7525-4321-b87b-f6c6956392c3"
_FIELDS = [{"id": "a", "type": "int4"}, {"id": "b b", "type": "text"}]
_RECORDS = [{"a": 1, "b b": "x"}, {"a": 2}]

#: What the hub tells beside it, because clients of older CKANs page with it.
_MORE = ("_links",)


def lines() -> list[dict[str, Any]]:
    """The recorded questions to the DataStore; none where there is no recording."""
    if not _FILE.is_file():
        return []
    return [one for one in map(json.loads, _FILE.read_text("utf-8").splitlines()) if "datastore" in one["path"]]


def prepare(hub: Hub, client: httpx.Client) -> None:
    """Make the dataset of the recorded table."""
    for action, said in (
        ("organization_create", {"name": "ds", "title": "DS"}),
        ("package_create", {"name": "ds", "owner_org": "ds"}),
        ("resource_create", {"package_id": "ds", "url": "https://elsewhere.example/a.csv", "id": _KEY}),
    ):
        answer = client.post(f"/api/3/action/{action}", json=said, headers={"Authorization": hub.token})
        assert answer.status_code == 200, answer.text


def asked(recorded: dict[str, Any], hub: Hub, client: httpx.Client) -> httpx.Response:
    """The answer to a recorded question, with the recorded table as it was at first."""
    rights = {"Authorization": hub.token}
    client.post("/api/3/action/datastore_delete", json={"resource_id": _KEY, "force": True}, headers=rights)
    made = {"resource_id": _KEY, "fields": _FIELDS, "records": _RECORDS, "primary_key": "a", "force": True}
    assert client.post("/api/3/action/datastore_create", json=made, headers=rights).status_code == 200
    said = recorded["req"].get("json")
    if recorded["auth"] and said is not None:
        said = {**said, "force": True}
    headers = rights if recorded["auth"] else {}
    return client.request(recorded["method"], recorded["path"], params=recorded["req"].get("query_string"), json=said, headers=headers)


def check(recorded: dict[str, Any], answer: httpx.Response) -> None:
    """The answer is CKAN's."""
    assert answer.status_code == recorded["status"], answer.text
    if recorded["path"].startswith("/datastore/dump/"):
        assert answer.content.decode() == recorded["body"]
        assert answer.headers["content-disposition"] == recorded["headers"]["Content-disposition"]
        return
    ours, theirs = answer.json(), json.loads(recorded["body"])
    if theirs["success"]:
        told = {key: value for key, value in ours["result"].items() if key not in _MORE}
        assert told == theirs["result"]
        assert list(told) == list(theirs["result"])
    elif "info" in theirs["error"]:  # CKAN gives its SQL away there
        assert list(ours["error"]) == list(theirs["error"])
        assert ours["error"]["query"] == theirs["error"]["query"]
        assert "SELECT" not in answer.text
    else:
        assert json.dumps(ours["error"]) == json.dumps(theirs["error"])


@pytest.fixture(scope="module")
def client(hub: Hub) -> Iterator[httpx.Client]:
    """A client of a hub with the dataset of the recorded table."""
    with httpx.Client(base_url=hub.address, timeout=60) as client:
        prepare(hub, client)
        yield client


@pytest.mark.skipif(not lines(), reason="no recorded answers: set SHARED_DIR to the folder with contracts/")
@pytest.mark.parametrize("recorded", lines(), ids=lambda one: one["label"])
def test_the_datastore_answers_as_ckan_did(recorded: dict[str, Any], hub: Hub, client: httpx.Client) -> None:
    check(recorded, asked(recorded, hub, client))
