"""CKAN's action API over HTTP: how requests are read and how answers look, where the recorded answers don't say."""

from typing import Any

import httpx
import pytest

from tests.clients.conftest import Hub

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _get(hub: Hub, path: str, **headers: str) -> httpx.Response:
    return httpx.get(hub.address + path, headers=headers)


@pytest.mark.parametrize(("path", "version"), [("/api", 1), ("/api/", 1), ("/api/3", 3), ("/api/3/", 3)])
def test_the_api_tells_its_version(hub: Hub, path: str, version: int) -> None:
    assert _get(hub, path).json() == {"version": version}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_only_get_and_post_are_offered(hub: Hub, method: str) -> None:
    assert httpx.request(method, f"{hub.address}/api/3/action/package_list").status_code == 405


@pytest.mark.parametrize(
    "asked",
    [
        {"params": {"id": "baeume"}},
        {"json": {"id": "baeume"}},
        {"data": {"id": "baeume"}},
        {"files": {"id": (None, "baeume")}},
        {"params": {"id": "baeume"}, "json": {"id": "parken"}},
        {"params": {"id": "parken"}, "data": {"id": "baeume"}},
        {"content": b'{"id": "baeume"}', "headers": FORM},
        {"content": b'{"id": "baeume"}=1', "headers": FORM},
        {"content": b'{"id": "baeume"}'},
    ],
    ids="+".join,
)
def test_parameters_are_read_in_the_order_of_ckan(hub: Hub, asked: dict[str, Any]) -> None:
    answer = httpx.post(f"{hub.address}/api/action/package_show", **asked)
    assert answer.json()["result"]["name"] == "baeume"


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff"])
def test_a_body_that_is_no_object_is_told_in_a_bare_text(hub: Hub, body: bytes) -> None:
    answer = httpx.post(f"{hub.address}/api/3/action/package_list", content=body)
    assert answer.status_code == 400
    assert answer.json().startswith("Bad request: JSON Error: ")
    assert httpx.post(f"{hub.address}/api/3/action/package_list").status_code == 200


def test_an_unknown_action_is_told_in_a_bare_text(hub: Hub) -> None:
    answer = _get(hub, "/api/3/action/nope%22%0a")
    assert (answer.status_code, answer.json()) == (400, 'Bad request: Action name not known: nope"\n')


def test_jsonp_calls_a_function_and_nothing_else(hub: Hub) -> None:
    answer = _get(hub, "/api/3/action/package_show?id=baeume&callback=my.cb", Authorization=hub.token)
    assert answer.text.startswith('my.cb({"help": ')
    assert answer.text.endswith("});")
    assert answer.headers["content-type"].startswith("application/javascript")
    assert _get(hub, "/api/3/action/package_show?id=intern&callback=cb", Authorization=hub.token).status_code == 403
    assert _get(hub, "/api/3/action/package_list?callback=alert(1)//").status_code == 400


@pytest.mark.parametrize("header", ["Authorization", "X-CKAN-API-Key"])
@pytest.mark.parametrize("form", ["{}", "Bearer {}"])
def test_a_token_is_taken_from_both_headers(hub: Hub, header: str, form: str) -> None:
    headers = {header: form.format(hub.token)}
    answer = httpx.get(f"{hub.address}/api/3/action/package_show?id=intern", headers=headers)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]


def test_a_wrong_token_is_none(hub: Hub) -> None:
    assert _get(hub, "/api/3/action/package_show?id=baeume", Authorization="nonsense").status_code == 200
    assert _get(hub, "/api/3/action/package_show?id=intern", Authorization="nonsense").status_code == 403


def test_pages_of_any_origin_may_read(hub: Hub) -> None:
    assert _get(hub, "/api/3/action/package_list", Origin="https://elsewhere.example").headers.get_list("access-control-allow-origin") == [
        "*"
    ]


def test_what_is_beyond_ascii_is_escaped(hub: Hub) -> None:
    assert b"Parkh\\u00e4user" in _get(hub, "/api/3/action/package_show?id=parken").content


def test_every_action_explains_itself(hub: Hub) -> None:
    answer = _get(hub, "/api/3/action/package_show?id=baeume").json()
    assert answer["help"] == "https://daten.musterstadt.example/api/3/action/help_show?name=package_show"
    assert "id:" in _get(hub, "/api/3/action/help_show?name=package_show").json()["result"]
    assert _get(hub, "/api/3/action/help_show?name=nope").status_code == 404


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (
            "package_autocomplete?q=park",
            [{"name": "parken", "title": "Parkhäuser", "match_field": "title", "match_displayed": "Parkhäuser (parken)"}],
        ),
        ("package_autocomplete?q=intern", []),
        ("tag_autocomplete?query=FEIN", ["Feinstaub PM10"]),
        ("tag_autocomplete?query=geheim", []),
        ("format_autocomplete?q=geo", ["geojson"]),
        ("vocabulary_list", []),
        ("dataset_follower_count?id=baeume", 0),
        ("term_translation_show?terms=a", []),
    ],
)
def test_what_is_looked_up_is_what_the_caller_may_see(hub: Hub, call: str, result: object) -> None:
    assert _get(hub, f"/api/3/action/{call}").json()["result"] == result


def test_organisations_and_groups_are_completed_with_their_ids(hub: Hub) -> None:
    for action, query, name in (("organization_autocomplete", "muster", "musterstadt"), ("group_autocomplete", "verk", "tran")):
        [found] = _get(hub, f"/api/3/action/{action}?q={query}").json()["result"]
        assert found["name"] == name
        shown = _get(hub, f"/api/3/action/{action.partition('_')[0]}_show?id={found['id']}").json()["result"]
        assert shown["name"] == name


def test_resources_are_found_by_their_fields(hub: Hub) -> None:
    csv = _get(hub, "/api/3/action/resource_search?query=format:csv").json()["result"]
    assert csv["count"] == 2
    assert {one["format"] for one in csv["results"]} == {"CSV"}
    both = _get(hub, "/api/3/action/resource_search?query=format:csv&query=url:parken").json()["result"]
    assert [one["url"].rpartition("/")[2] for one in both["results"]] == ["parken.csv"]
    assert _get(hub, "/api/3/action/resource_search?query=format:csv&limit=1").json()["result"]["count"] == 2


@pytest.mark.parametrize(
    ("call", "status", "error"),
    [
        ("resource_search?query=nothing", 409, {"query": "Must be <field>:<value> pair(s)", "__type": "Validation Error"}),
        ("resource_search?query=zz:a", 409, {"query": 'Field "zz" not recognised in resource_search.', "__type": "Validation Error"}),
        ("package_autocomplete", 409, {"q": ["Missing value"], "__type": "Validation Error"}),
        ("dataset_follower_count?id=intern", 404, {"__type": "Not Found Error", "message": "Not found"}),
        ("group_package_show?id=nope", 404, {"__type": "Not Found Error", "message": "Not found"}),
        ("config_option_list", 403, {"__type": "Authorization Error", "message": "Access denied"}),
    ],
)
def test_a_look_up_is_refused_in_the_words_of_ckan(hub: Hub, call: str, status: int, error: dict[str, Any]) -> None:
    answer = _get(hub, f"/api/3/action/{call}")
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_the_datasets_of_a_group_are_shown(hub: Hub) -> None:
    assert [one["name"] for one in _get(hub, "/api/3/action/group_package_show?id=tran").json()["result"]] == ["parken"]
    assert _get(hub, "/api/3/action/group_package_show?id=tran&limit=0").json()["result"] == []
    found = _get(hub, "/api/3/action/tag_search?query=bau&query=park").json()["result"]
    assert (found["count"], [one["name"] for one in found["results"]]) == (2, ["Baum", "Parken"])
