"""How the hub's actions compare with CKAN's: worked out by asking the hub, and written as a table of the documentation.

    python -m tests.clients.compatibility        # or: make compatibility

Each answer that a real CKAN 2.12.0 gave (recorded, see `test_ckan_recorded.py`) is asked of a hub of its own and compared; each action is
also called with nothing said, by nobody and by an administrator. What differs needs a reason here, else no table is written.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from stadthub_catalog import actions
from stadthub_pipelines.datastore.actions import READING, WRITING
from tests.clients import test_datastore_recorded as datastore
from tests.clients.conftest import Hub, filled
from tests.clients.differences import DIFFERENCES, TIERS
from tests.clients.test_ckan_recorded import _CUT, _FILE, STRICTER, _action, _compare, _ours, _sent, _story

DOCUMENT = Path(__file__).parents[2] / "docs" / "ckan-compatibility.md"

#: All that can be asked of a hub.
ACTIONS = {**actions.ACTIONS, **READING, **WRITING}

#: In which of these an answer to a call with nothing said may come.
_STATUSES = (200, 403, 404, 409)
_RIGHTS = {"help", "success", "result", "error", "changed_entities"}

_HEAD = """# CKAN's actions, one by one

Written by `make compatibility` from what a hub answered; don't edit it by hand. Each answer that a real CKAN 2.12.0 gave was asked of the
hub too: the same status, the same keys in the same order, the same types, and the same sentences where something is refused. Actions of
which no answer was recorded were called with nothing said, by nobody and by an administrator; what they do is tested with the hub's own
tests and with real clients.
[ckan.md](ckan.md) tells what to do with them.

**same**: each recorded answer is the same. **same form**: none was recorded; it answers in CKAN's envelope. **stricter**: something that CKAN does is refused. **differs**: the answer holds something else, or more.
**not offered**: CKAN's answer for an action that it doesn't know (400).

"""


@dataclass
class Result:
    """What came of one action: how many recorded answers are the same, and what differs in the others."""

    recorded: int = 0
    stricter: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """In one word."""
        found = {"differs": self.differing, "stricter": self.stricter, "same": self.recorded}
        return next((verdict for verdict, there in found.items() if there), "same form")


def compared(folder: Path) -> dict[str, Result]:
    """The results by action; needs the recorded answers."""
    results = {name: Result() for names in TIERS.values() for name in names if name in ACTIONS}
    with filled(folder / "reads") as hub, httpx.Client(base_url=hub.address, timeout=60) as client:
        for name, result in results.items():
            for token in ("", hub.token):
                _probe(client.post(f"/api/3/action/{name}", json={}, headers={"Authorization": token}), result)
    with filled(folder / "recorded") as hub, httpx.Client(base_url=hub.address, timeout=60) as client:
        for one in _lines():
            asked = json.loads(_ours(json.dumps(one["req"]), hub))
            headers = {"Authorization": hub.token} if one["auth"] else {}
            path = _ours(one["path"], hub)
            answer = client.request(one["method"], path, params=asked.get("query_string"), json=asked.get("json"), headers=headers)
            _note(results.get(_action(one["path"])), one, answer)
    with filled(folder / "datastore") as hub, httpx.Client(base_url=hub.address, timeout=60) as client:
        datastore.prepare(hub, client)
        for one in datastore.lines():
            if _action(one["path"]):
                _judge(results[_action(one["path"])], one, partial(datastore.check, one, datastore.asked(one, hub, client)))
    with filled(folder / "story") as hub:
        for one, answer in _told_again(hub):
            _note(results.get(_action(one["path"])), one, answer)
    return results


def table(results: Mapping[str, Result]) -> str:
    """The document; ValueError names what differs without a reason."""
    unexplained = [
        f"{name}: {result.verdict}: {(result.differing or result.stricter)[0]}"
        for name, result in results.items()
        if (result.differing or result.stricter) and name not in DIFFERENCES
    ]
    if unexplained:
        raise ValueError("no reason in tests/clients/differences.py for\n" + "\n".join(unexplained))
    return _HEAD + "\n".join(_tier(title, names, results) for title, names in TIERS.items())


def _tier(title: str, names: tuple[str, ...], results: Mapping[str, Result]) -> str:
    rows = [_row(name, results.get(name)) for name in sorted(names)]
    counts = {verdict: sum(row[1] == verdict for row in rows) for verdict in ("same", "same form", "stricter", "differs", "not offered")}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    lines = [f"| `{name}` | {verdict} | {shown} | {why} |" for name, verdict, shown, why in rows]
    return "\n".join([f"## {title}", "", f"{told}.", "", "| action | here | recorded answers | why |", "|---|---|---|---|", *lines, ""])


def _row(name: str, result: Result | None) -> tuple[str, str, str, str]:
    if result is None:
        return name, "not offered", "", ""
    verdict, why = DIFFERENCES.get(name, (result.verdict, ""))
    told = str(ACTIONS[name].__doc__)
    if not why and told.startswith("Not offered: "):
        verdict, why = "stricter", f"403 for everybody: {told.removeprefix('Not offered: ').rstrip('.')}"
    return name, verdict, str(result.recorded or ""), why


def _probe(answer: httpx.Response, result: Result) -> None:
    told = answer.json()
    fits = isinstance(told, dict) and set(told) <= _RIGHTS and ("result" in told) == told["success"] == (answer.status_code == 200)
    if answer.status_code not in _STATUSES or not fits:
        result.differing.append(f"{answer.status_code}: {answer.text[:200]}")


def _lines() -> list[dict[str, Any]]:
    """The recorded questions that need nothing of what the recorded site wrote."""
    lines = [json.loads(line) for line in _FILE.read_text("utf-8").splitlines()]
    told = {one["label"] for one in _story()}
    return [
        one
        for one in lines
        if (name := _action(one["path"])) in {"package_search", *STRICTER} or (name in actions.ACTIONS and one["label"] not in told)
    ]


def _told_again(hub: Hub) -> Iterator[tuple[dict[str, Any], httpx.Response]]:
    """What was written on the recorded site, with what was asked in between, and what the hub answers."""
    ids: dict[str, str] = {}
    with httpx.Client(base_url=hub.address, headers={"Authorization": hub.token}, timeout=60) as client:
        for name in ("stadt", "rec1795291175-org"):
            client.post("/api/action/organization_create", json={"name": name, "title": "Stadt Ä"}).raise_for_status()
        for suffix, more in (("p", {"private": True}), ("d", {"state": "draft"})):
            said = {"name": f"rec1795291175{suffix}", "owner_org": "rec1795291175-org", **more}
            client.post("/api/action/package_create", json=said).raise_for_status()
        for one in _story():
            answer = _sent(client, one, ids)
            theirs = json.loads(one["body"])
            result = theirs.get("result") if isinstance(theirs, dict) else None
            if answer.status_code == one["status"] == 200 and isinstance(result, dict) and "id" in result:
                ours = answer.json()["result"]
                ids[result["id"]] = ours["id"]
                ids |= {old["id"]: new["id"] for old, new in zip(result.get("resources", ()), ours.get("resources", ()), strict=False)}
            yield one, answer


def _note(result: Result | None, one: Mapping[str, Any], answer: httpx.Response) -> None:
    """Compare an answer with the recorded one."""
    if result is None:
        return
    if answer.status_code != one["status"]:
        refused = answer.status_code in (403, 409) and one["status"] in (200, 500)
        (result.stricter if refused else result.differing).append(f"{one['label']}: {answer.status_code} instead of {one['status']}")
        return
    _judge(result, one, partial(_check, one, answer))


def _check(one: Mapping[str, Any], answer: httpx.Response) -> None:
    if len(one["body"]) < _CUT:
        _compare(answer.json(), json.loads(one["body"]))


def _judge(result: Result, one: Mapping[str, Any], check: Callable[[], None]) -> None:
    """Count the answer where the check passes."""
    try:
        check()
    except AssertionError as error:
        result.differing.append(f"{one['label']}: {str(error)[:300]}")
        return
    result.recorded += 1


def main() -> int:
    """Write the table anew; 1 where it can't be."""
    if not _FILE.is_file():
        print("no recorded answers: set SHARED_DIR to the folder with contracts/", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        DOCUMENT.write_text(table(compared(Path(folder))), "utf-8")
    print(f"{DOCUMENT.relative_to(Path.cwd()) if DOCUMENT.is_relative_to(Path.cwd()) else DOCUMENT} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
