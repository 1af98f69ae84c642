"""A whole catalogue goes through the command line of ckanapi into a second hub, and comes out of it the same to the byte; and what
else that command line does: search, many actions at once, delete."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from ckanapi import RemoteCKAN

from tests.clients.hubs import Empty, ckanapi, empty

HIDDEN = ("--include-private", "--include-drafts", "--include-deleted")

TEAM: dict[str, Any] = {
    "title": "Amt für Ä",
    "description": "Beschreibung",
    "image_url": "https://amt.example/a.png",
    "extras": [{"key": "ars", "value": "05"}],
}
#: Of each sort one: open, private, not ready, deleted.
DATASETS: tuple[dict[str, Any], ...] = (
    {
        "notes": "Straße & <b>Größe</b>\n\u2028 \U0001f333",
        "license_id": "dl-de-by-2.0",
        "author_email": "amt@musterstadt.example",
        "version": "1.0",
    },
    {
        "private": True,
        "extras": [{"key": "a", "value": "1"}, {"key": "spatial", "value": '{"type":"Point","coordinates":[7.5,51.2]}'}],
    },
    {"state": "draft", "url": "https://musterstadt.example/x?y=1&z=ä", "tags": [{"name": "Baum"}, {"name": "Feinstaub PM10"}]},
    {"state": "deleted", "license_id": "eigene", "tags": [{"name": "Nord", "vocabulary_id": "orte"}]},
)
RESOURCES = (
    {"url": "https://musterstadt.example/a.csv", "name": "A", "size": 12, "hash": "abc", "own": {"deep": [1, None, "ä"]}, "format": "csv"},
    {"url": "https://musterstadt.example/dienst?wfs", "format": "", "description": "Dienst", "mimetype": "text/xml"},
)


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Empty, Empty]]:
    """One hub with a catalogue, another one with nothing but the same vocabulary."""
    folder = tmp_path_factory.mktemp("hubs")
    with empty(folder / "one") as one, empty(folder / "two") as two:
        for hub in (one, two):
            RemoteCKAN(hub.address, apikey=hub.token).action.vocabulary_create(name="orte", tags=[{"name": "Nord"}])
        _fill(one)
        yield one, two


def _fill(hub: Empty) -> None:
    admin = RemoteCKAN(hub.address, apikey=hub.token)
    admin.action.organization_create(name="amt", **TEAM)
    admin.action.group_create(name="thema", **TEAM)
    admin.action.user_create(name="gerda", fullname="Fachstelle", about="Pflegt die Daten")
    admin.action.organization_member_create(id="amt", username="gerda", role="editor")
    admin.action.group_member_create(id="thema", username="gerda", role="member")
    token = admin.action.api_token_create(user="gerda", name="laptop")["token"]
    with RemoteCKAN(hub.address, apikey=token) as gerda:
        for number, said in enumerate(DATASETS):
            groups = [{"name": "thema"}, {"name": "envi"}]
            made = gerda.action.package_create(name=f"satz-{number}", owner_org="amt", resources=RESOURCES, groups=groups, **said)
            gerda.action.package_patch(id=made["id"], title=f"Titel {number}")


#: What is dumped, in the order in which it is loaded: later things need earlier ones.
THINGS = {"users": (), "organizations": ("-U",), "groups": ("-U",), "datasets": HIDDEN}


def _dump(hub: Empty, thing: str) -> list[Any]:
    return ckanapi(hub, "dump", thing, "--all", *THINGS[thing])


def _others(lines: list[Any]) -> list[Any]:
    """Without the administrator, who is another one in each hub."""
    there = [line for line in lines if line["name"] != "admin"]
    return [{**line, "users": _others(line["users"])} if "users" in line else line for line in there]


def test_a_catalogue_that_was_dumped_and_loaded_is_the_same(hubs: tuple[Empty, Empty]) -> None:
    one, two = hubs
    dumped = {thing: _dump(one, thing) for thing in THINGS}
    assert [len(lines) for lines in dumped.values()] == [2, 1, 2, 4]
    for thing, lines in dumped.items():
        ckanapi(two, "load", thing, said=_others(lines))
    assert _dump(two, "datasets") == dumped["datasets"]
    with RemoteCKAN(two.address, apikey=two.token) as site:
        for thing in ("user", "organization", "group"):
            shown = [site.call_action(f"{thing}_show", {"id": one["id"]}) for one in _others(dumped[f"{thing}s"])]
            assert _others(shown) == _others(dumped[f"{thing}s"])


def test_what_is_loaded_again_changes_nothing(hubs: tuple[Empty, Empty]) -> None:
    _, two = hubs
    with RemoteCKAN(two.address, apikey=two.token) as site:
        groups = [site.action.group_show(id=name) for name in site.action.group_list()]
        before = {"groups": groups, "datasets": _dump(two, "datasets")}
        noted = len(site.action.recently_changed_packages_activity_list(limit=100))
        for thing, lines in before.items():
            ckanapi(two, "load", thing, said=lines)
        assert _dump(two, "datasets") == before["datasets"]
        assert len(site.action.recently_changed_packages_activity_list(limit=100)) == noted


def test_files_come_along(hubs: tuple[Empty, Empty]) -> None:
    one, two = hubs
    batch = [
        {"action": "organization_create", "data": {"name": "archiv"}},
        {"action": "package_create", "data": {"name": "akten", "owner_org": "archiv"}},
    ]
    for hub in hubs:
        ckanapi(hub, "batch", said=batch if hub is one else batch[:1])
    form: dict[str, Any] = {"data": {"package_id": "akten", "name": "Akten"}, "files": {"upload": ("Größe A.csv", b"a,b\n1,2\n")}}
    made = httpx.post(f"{one.address}/api/action/resource_create", headers={"Authorization": one.token}, **form).json()["result"]
    [dumped] = ckanapi(one, "dump", "datasets", "akten")
    dumped = {**dumped, "owner_org": "archiv"}
    ckanapi(two, "load", "datasets", "--upload-resources", said=[dumped])
    [there] = ckanapi(two, "dump", "datasets", "akten")
    [resource] = there["resources"]
    assert resource["url"] == made["url"].replace(one.address, two.address)
    assert httpx.get(resource["url"]).content == b"a,b\n1,2\n"
    for key in ("id", "hash", "size", "format", "mimetype", "url_type", "name"):
        assert resource[key] == made[key]


def test_a_search_brings_everything_once(hubs: tuple[Empty, Empty]) -> None:
    one, _ = hubs
    many = [{"action": "package_create", "data": {"name": f"viele-{number:02}", "owner_org": "amt"}} for number in range(25)]
    ckanapi(one, "batch", "-p", "2", said=many)
    assert [line["name"] for line in ckanapi(one, "search", "datasets", "q=name:viele*", "sort=name asc")] == [
        f"viele-{number:02}" for number in range(25)
    ]
    assert len(ckanapi(one, "search", "datasets", "q=viele*", "rows:5")) == 5
    assert [line["name"] for line in ckanapi(one, "search", "datasets", "fq=+state:draft", "include_drafts:true")] == ["satz-2"]


def test_what_is_deleted_is_gone_for_everybody_else(hubs: tuple[Empty, Empty]) -> None:
    one, _ = hubs
    ckanapi(one, "batch", said=[{"action": "package_create", "data": {"name": "weg", "owner_org": "amt"}}])
    ckanapi(one, "delete", "datasets", "weg", "gibt-es-nicht")
    stranger = httpx.get(f"{one.address}/api/3/action/package_show?id=weg")
    assert (stranger.status_code, stranger.json()["error"]["__type"]) == (403, "Authorization Error")
    assert [line["state"] for line in ckanapi(one, "dump", "datasets", "weg")] == ["deleted"]
