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


def _cases() -> list[dict[str, Any]]:
    if not _FILE.is_file():
        return []
    lines = [json.loads(line) for line in _FILE.read_text("utf-8").splitlines()]
    return [one for one in lines if "datastore" in one["path"]]


@pytest.fixture(scope="module")
def client(hub: Hub) -> Iterator[httpx.Client]:
    """A client of a hub with the dataset of the recorded table."""
    with httpx.Client(base_url=hub.address, timeout=60) as client:
        for action, said in (
            ("organization_create", {"name": "ds", "title": "DS"}),
            ("package_create", {"name": "ds", "owner_org": "ds"}),
            ("resource_create", {"package_id": "ds", "url": "https://elsewhere.example/a.csv", "id": _KEY}),
        ):
            answer = client.post(f"/api/3/action/{action}", json=said, headers={"Authorization": hub.token})
            assert answer.status_code == 200, answer.text
        yield client


@pytest.fixture
def table(hub: Hub, client: httpx.Client) -> None:
    """The recorded table as it was at first."""
    headers = {"Authorization": hub.token}
    client.post("/api/3/action/datastore_delete", json={"resource_id": _KEY, "force": True}, headers=headers)
    said = {"resource_id": _KEY, "fields": _FIELDS, "records": _RECORDS, "primary_key": "a", "force": True}
    assert client.post("/api/3/action/datastore_create", json=said, headers=headers).status_code == 200


@pytest.mark.skipif(not _cases(), reason="no recorded answers: set SHARED_DIR to the folder with contracts/")
@pytest.mark.parametrize("recorded", _cases(), ids=lambda one: one["label"])
@pytest.mark.usefixtures("table")
def test_the_datastore_answers_as_ckan_did(recorded: dict[str, Any], hub: Hub, client: httpx.Client) -> None:
    headers = {"Authorization": hub.token} if recorded["auth"] else {}
    asked = recorded["req"].get("json")
    if recorded["auth"] and asked is not None:
        asked = {**asked, "force": True}
    answer = client.request(recorded["method"], recorded["path"], params=recorded["req"].get("query_string"), json=asked, headers=headers)
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
