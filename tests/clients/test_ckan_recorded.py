"""What a real CKAN 2.12.0 answered once, asked of the hub: status, form, keys and their order are the contract."""

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from stadthub_catalog.actions import ACTIONS
from tests.clients.conftest import Hub

_SHARED = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared")
_FILE = _SHARED / "contracts" / "ckan" / "ckan-2.12.0-recorded.jsonl"

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
    wanted = {*ACTIONS, "site_read"}
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
    if recorded["label"] == "package_show deleted sysadmin":
        pytest.skip("a withdrawn dataset is shown to nobody")
    asked = json.loads(_ours(json.dumps(recorded["req"]), hub))
    headers = {"Authorization": hub.token} if recorded["auth"] else {}
    url = hub.address + _ours(recorded["path"], hub)
    with httpx.Client(headers=headers) as client:
        answer = client.request(recorded["method"], url, params=asked.get("query_string"), json=asked.get("json"))
    assert answer.status_code == recorded["status"]
    assert answer.headers["content-type"] == recorded["content_type"]
    if len(recorded["body"]) >= _CUT:
        return
    ours, theirs = answer.json(), json.loads(recorded["body"])
    if isinstance(theirs, str):
        assert ours == theirs
    elif theirs["success"]:
        _alike(ours, theirs, "")
        assert bool(ours["result"]) == bool(theirs["result"])
    else:
        assert list(ours) == list(theirs)
        assert list(ours["error"]) == list(theirs["error"])
        assert _UUID.sub("", json.dumps(ours["error"])) == _UUID.sub("", json.dumps(theirs["error"]))
