"""What a real CKAN 2.12.0 answered once, asked of the hub: status, form, keys and their order are the contract."""

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from stadthub_catalog.actions import READING, WRITING
from tests.clients.conftest import Hub

_SHARED = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared")
_FILE = _SHARED / "contracts" / "ckan" / "ckan-2.12.0-recorded.jsonl"

#: What a stranger may ask of CKAN and not of the hub: who its users are. CKAN itself fails at the last one.
STRICTER = {"user_list": 403, "user_show": 403, "user_autocomplete": 403, "package_collaborator_list": 403}

#: Keys whose own keys are data, and those that only some sites have.
_OPEN = ("facets", "search_facets")
_OPTIONAL = ("license_url", "users", "stadthub_version")
#: CKAN itself gives these in one order or another.
_FLOATING = ("extras", "groups", "resources", "tags")
#: Longer answers were cut when they were recorded.
_CUT = 8000
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _cases() -> list[Any]:
    if not _FILE.is_file():
        return [pytest.param({}, marks=pytest.mark.skip(reason="no recorded answers: set SHARED_DIR to the folder with contracts/"))]
    lines = [json.loads(line) for line in _FILE.read_text("utf-8").splitlines()]
    wanted = {*READING, "site_read"} - {*STRICTER}
    return [pytest.param(one, id=one["label"]) for one in lines if _action(one["path"]) in wanted]


def _action(path: str) -> str:
    """The action that a path calls; empty if it calls none."""
    match = re.match(r"/api/(?:3/)?action/(\w+)", path)
    return match[1] if match else ""


def _ours(text: str, hub: Hub) -> str:
    """The request with our names instead of those of the recorded site."""
    for theirs, ours in (
        (r"rec\d+-org", "musterstadt"),
        (r"rec\d+-grp", "envi"),
        (r"rec\d+p", "intern"),
        (r"rec\d+d", "fort"),
        (r"rec\d+", "baeume"),
        ("9560027f-f9e3-401c-889a-8233bbfdf902", str(hub.baeume)),
        ("7bfd7a2b-6955-499c-b7fc-d939b47722eb", str(hub.csv)),
    ):
        text = re.sub(theirs, ours, text)
    return text


def _alike(ours: Any, theirs: Any, place: str) -> None:
    """The same keys in the same order, and the same types where both say something."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = [key for key in ours if key not in _OPTIONAL]
        assert set(keys) == {key for key in theirs if key not in _OPTIONAL}, place
        assert [key for key in keys if key not in _FLOATING] == [key for key in theirs if key not in (*_OPTIONAL, *_FLOATING)], place
        for key in keys:
            if key not in _OPEN:
                _alike(ours[key], theirs[key], f"{place}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        if ours and theirs:
            _alike(ours[0], theirs[0], f"{place}[0]")
    elif ours is not None and theirs is not None:
        assert type(ours) is type(theirs), place


@pytest.mark.parametrize("recorded", _cases())
def test_the_hub_answers_in_the_form_of_ckan(recorded: dict[str, Any], hub: Hub) -> None:
    asked = json.loads(_ours(json.dumps(recorded["req"]), hub))
    headers = {"Authorization": hub.token} if recorded["auth"] else {}
    url = hub.address + _ours(recorded["path"], hub)
    with httpx.Client(headers=headers) as client:
        answer = client.request(recorded["method"], url, params=asked.get("query_string"), json=asked.get("json"))
    assert answer.status_code == recorded["status"]
    assert answer.headers["content-type"] == recorded["content_type"]
    if len(recorded["body"]) < _CUT:
        _compare(answer.json(), json.loads(recorded["body"]))


def _compare(ours: Any, theirs: Any) -> None:
    """The same form; where CKAN refuses, the same words."""
    if isinstance(theirs, str):
        assert ours == theirs
    elif theirs["success"]:
        _alike(ours, theirs, "")
        assert bool(ours["result"]) == bool(theirs["result"])
    else:
        assert list(ours) == list(theirs)
        assert list(ours["error"]) == list(theirs["error"])
        assert _UUID.sub("", json.dumps(ours["error"])) == _UUID.sub("", json.dumps(theirs["error"]))


@pytest.mark.parametrize("action", STRICTER)
def test_a_stranger_learns_nothing_of_users(hub: Hub, action: str) -> None:
    answer = httpx.get(f"{hub.address}/api/3/action/{action}", params={"id": "baeume" if "package" in action else "admin", "q": "ad"})
    assert answer.status_code == STRICTER[action]
    assert answer.json()["error"]["__type"] == "Authorization Error"
    assert hub.token not in answer.text


def _story() -> list[dict[str, Any]]:
    """What was written on the recorded site, in its order, with what was asked in between."""
    lines = [json.loads(line) for line in _FILE.read_text("utf-8").splitlines()]
    return [
        one for one in lines if _action(one["path"]) in {*READING, *WRITING} - {*STRICTER, "package_search"} and len(one["body"]) < _CUT
    ]


def _sent(client: httpx.Client, one: dict[str, Any], ids: dict[str, str]) -> httpx.Response:
    """The recorded request with the ids that our hub gave."""
    text = json.dumps(one["req"])
    path = one["path"]
    for theirs, ours in ids.items():
        text, path = text.replace(theirs, ours), path.replace(theirs, ours)
    asked = json.loads(text)
    if "multipart" in asked.get("content_type", ""):
        fields = {"package_id": re.findall(r"'package_id': '([^']+)'", asked["data"])[0], "name": "up"}
        return client.post(path, data=fields, files={"upload": ("Größe A.csv", b"a,b\n1,2\n")})
    headers = {} if one["auth"] else {"Authorization": ""}
    return client.request(one["method"], path, params=asked.get("query_string"), json=asked.get("json"), headers=headers)


@pytest.mark.skipif(not _FILE.is_file(), reason="no recorded answers: set SHARED_DIR to the folder with contracts/")
def test_what_was_written_on_a_ckan_is_written_on_the_hub_alike(hub: Hub) -> None:
    ids: dict[str, str] = {}
    wrong = []
    with httpx.Client(base_url=hub.address, headers={"Authorization": hub.token}, timeout=60) as client:
        for name in ("stadt", "rec1795291175-org"):
            made = client.post("/api/action/organization_create", json={"name": name, "title": "Stadt Ä"})
            assert made.status_code == 200, made.text
        for suffix, more in (("p", {"private": True}), ("d", {"state": "draft"})):
            said = {"name": f"rec1795291175{suffix}", "owner_org": "rec1795291175-org", **more}
            assert client.post("/api/action/package_create", json=said).status_code == 200
        for one in _story():
            answer = _sent(client, one, ids)
            theirs = json.loads(one["body"]) if one["body"].startswith(("{", '"')) else None
            result = theirs.get("result") if isinstance(theirs, dict) else None
            if answer.status_code == 200 and one["status"] == 200 and isinstance(result, dict) and "id" in result:
                ids[result["id"]] = answer.json()["result"]["id"]
                for old, new in zip(result.get("resources", ()), answer.json()["result"].get("resources", ()), strict=False):
                    ids[old["id"]] = new["id"]
            try:
                assert answer.status_code == one["status"], answer.text
                if theirs is not None:
                    _compare(answer.json(), theirs)
            except AssertionError as error:
                wrong.append(f"{one['label']}: {str(error)[:600]}")
    assert not wrong, "\n".join(wrong)
