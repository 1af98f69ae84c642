"""Who gets what: every route declares its decision, and the matrix of principals and classes holds on every face of a dataset."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Mount

from stadthub_api.app import create_app
from stadthub_api.deps import _catalog, _lake, operator, push_writer, readable_dataset, scraper, who_asks
from stadthub_schemas.settings import Settings
from tests.api.city import (
    DATASETS,
    INTERNAL_NOISE,
    KINDS,
    PUBLIC_AIR,
    RESTRICTED_CAMERAS,
    SECRET,
    VEILED_METERS,
    City,
    client,
    described,
)

#: Which dependency takes the decision that a route declares; any of them will do. A `public` route shows nothing of a dataset.
DECIDES: dict[str, tuple[Callable[..., Any], ...]] = {
    "public": (),
    "dataset": (readable_dataset, who_asks),
    "write": (push_writer,),
    "operate": (operator, scraper),
}
#: Folders of files of ours that hold nothing of any dataset.
MOUNTS = {"static"}

#: CKAN has its own ways to carry a token and to refuse one: it decides inside, and the matrix below holds it to that.
DECIDE_INSIDE = {"/api/action/{name}", "/api/3/action/{name}"}

ROUTES = list(iter_route_contexts(create_app(Settings()).routes))


def path_of(context: RouteContext) -> str:
    """The route's path, to name the test."""
    return str(context.path)


def calls(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    """Everything that a route depends on, however deep."""
    yield dependant.call
    for one in dependant.dependencies:
        yield from calls(one)


@pytest.mark.parametrize("context", ROUTES, ids=path_of)
def test_every_route_declares_its_decision_and_takes_it(context: RouteContext) -> None:
    if isinstance(context.original_route, Mount):
        assert context.name in MOUNTS
        return
    declared = (getattr(context, "openapi_extra", None) or {}).get("x-access")
    assert declared in DECIDES, f"{context.path}: openapi_extra must have x-access, one of {', '.join(DECIDES)}"
    depends = set(calls(context.dependant))
    if context.path in DECIDE_INSIDE:
        return
    assert not DECIDES[declared] or depends & set(DECIDES[declared]), f"{context.path}: it declares {declared} and does not decide"
    if "{name}" in str(context.path):
        assert readable_dataset in depends, f"{context.path}: it names a dataset and must depend on ReadableDep"
    if depends & {_catalog, _lake} and "GET" in (context.methods or ()):
        assert who_asks in depends, f"{context.path}: it asks the catalogue or the lake and must depend on PrincipalDep"


def test_there_are_routes_to_look_at() -> None:
    assert len(ROUTES) > 20


#: Every face of one dataset; `{file}` is its published file.
FACES = (
    "/api/v1/datasets/{name}",
    "/api/v1/datasets/{name}/rows",
    "/api/v1/datasets/{name}/rows?datastream=park:pm10&sort=-phenomenon_time",
    "/api/v1/datasets/{name}/rows?thing=park&observed_property=pm10&sort=-phenomenon_time&limit=5",
    "/api/v1/datasets/{name}/rows?format=csv",
    "/api/v1/datasets/{name}/rows?format=geojson",
    "/api/v1/datasets/{name}/rows?format=parquet",
    "/api/v1/datasets/{name}/rows?format=arrow",
    "/api/v1/datasets/{name}/aggregate?metrics=count",
    "/api/v1/datasets/{name}/series?datastream=park:pm10",
    "/api/v1/datasets/{name}/latest",
    "/datasets/{name}/badge.svg",
    "/en/datasets/{name}/badge.json",
    "/api/v1/datasets/{name}/things",
    "/api/v1/datasets/{name}/things/park",
    "/api/v1/datasets/{name}/measured",
    "/api/v1/datasets/{name}/exports/csv",
    "/api/v1/datasets/{name}/exports/json",
    "/api/v1/datasets/{name}/exports/geojson",
    "/api/v1/datasets/{name}/exports/parquet",
    "/api/v1/datasets/{name}/exports/arrow",
    "/distributions/{name}/{file}",
)

#: Every route of the table that names a dataset, whatever it is: the portal's pages, and what will come.
NAMING = sorted(
    {str(context.path) for context in ROUTES if "{name}" in str(context.path) and "GET" in (context.methods or ())} - DECIDE_INSIDE
)


@pytest.mark.parametrize("path", NAMING)
def test_no_route_that_names_a_dataset_tells_anybody_of_one_that_is_not_public(anybody: httpx.Client, city: City, path: str) -> None:
    for name in (INTERNAL_NOISE, RESTRICTED_CAMERAS, "nowhere"):
        address = path.replace("{thing:path}", "park").format(name=name, format="csv", file=city.files.get(name, "nowhere.csv"))
        answer = anybody.get(address)
        assert answer.status_code == 404
        assert described(name).metadata.title not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/datasets",
        "/en/datasets",
        "/measured",
        "/api/v1/measured",
        "/live",
        "/map.geojson",
        "/api/3/action/package_list",
        "/api/3/action/package_search",
    ],
)
def test_no_list_tells_anybody_of_a_dataset_that_is_not_public(anybody: httpx.Client, path: str) -> None:
    answer = anybody.get(path)
    assert answer.status_code == 200
    for name in (INTERNAL_NOISE, RESTRICTED_CAMERAS):
        assert f"/datasets/{name}" not in answer.text
        assert f'"{name}"' not in answer.text
        assert described(name).metadata.title not in answer.text


#: Which datasets each principal sees. Outside its scope a scoped token is anybody.
SEES = {
    None: {PUBLIC_AIR, VEILED_METERS},
    "reader": {PUBLIC_AIR, VEILED_METERS},
    "analyst": {PUBLIC_AIR, VEILED_METERS, INTERNAL_NOISE},
    "publisher": {PUBLIC_AIR, VEILED_METERS, INTERNAL_NOISE},
    "scoped": {PUBLIC_AIR, VEILED_METERS, RESTRICTED_CAMERAS},
    "operator": set(DATASETS),
}


@pytest.mark.parametrize("who", SEES, ids=str)
@pytest.mark.parametrize("face", FACES)
def test_a_dataset_is_there_for_those_who_may_read_it_and_absent_for_all_others(
    address: str, city: City, who: str | None, face: str
) -> None:
    with client(address, city.tokens[who] if who else None) as one:
        for name in DATASETS:
            answer = one.get(face.format(name=name, file=city.files[name]))
            if name in SEES[who]:
                assert answer.status_code == 200, f"{name}: {answer.text}"
            else:
                absent = one.get(face.format(name="nowhere", file=city.files[name]))
                assert (answer.status_code, absent.status_code) == (404, 404)
                assert answer.json()["detail"].replace(name, "nowhere") == absent.json()["detail"]


@pytest.mark.parametrize("who", SEES, ids=str)
def test_lists_and_sql_know_only_what_the_principal_sees(address: str, city: City, who: str | None) -> None:
    with client(address, city.tokens[who] if who else None) as one:
        listed = one.get("/api/v1/datasets").json()
        seen = SEES[who] | set(KINDS)
        assert {entry["name"] for entry in listed["datasets"]} == seen
        assert listed["total"] == len(seen)
        for name in (INTERNAL_NOISE, RESTRICTED_CAMERAS):
            answer = one.post("/api/v1/sql", json={"sql": f'SELECT count(*) AS n FROM "{name}"'})
            assert answer.status_code == (200 if name in SEES[who] else 400), answer.text


@pytest.mark.parametrize("who", SEES, ids=str)
def test_ckan_shows_only_what_the_principal_sees(address: str, city: City, who: str | None) -> None:
    with client(address, city.tokens[who] if who else None) as one:
        assert set(one.get("/api/3/action/package_list").json()["result"]) <= SEES[who] | set(KINDS)
        for name in DATASETS:
            assert one.get(f"/api/3/action/package_show?id={name}").status_code == (200 if name in SEES[who] else 403)


def text_of(answer: httpx.Response) -> str:
    """All that an answer says, whatever its format."""
    kind = answer.headers["content-type"]
    if "parquet" in kind:
        return str(pq.read_table(io.BytesIO(answer.content)).to_pydict())
    if "arrow" in kind:
        return str(pa.ipc.open_stream(answer.content).read_all().to_pydict())
    return answer.text


@pytest.mark.parametrize("face", [face for face in FACES if "{file}" not in face])
def test_hidden_columns_never_appear(address: str, city: City, anybody: httpx.Client, face: str) -> None:
    told = text_of(anybody.get(face.format(name=VEILED_METERS)))
    assert SECRET not in told
    assert "thing_name" not in told
    assert "parameters" not in told
    with client(address, city.tokens["analyst"]) as analyst:
        seen = text_of(analyst.get(face.format(name=VEILED_METERS)))
        assert "parameters" not in seen


def test_a_signed_in_operator_does_see_hidden_columns(address: str, city: City) -> None:
    with client(address, city.tokens["operator"]) as one:
        assert SECRET in one.get(f"/api/v1/datasets/{VEILED_METERS}/rows").text


@pytest.mark.parametrize(
    "query",
    [
        "rows?columns=thing_name",
        f"rows?thing_name__contains={SECRET}",
        "rows?sort=thing_name",
        "aggregate?group_by=thing_name",
        "aggregate?metrics=max(thing_name)",
        "aggregate?thing_name__is_null=false",
        "exports/csv?columns=thing_name",
        f"exports/csv?thing_name__starts_with={SECRET}",
    ],
)
def test_hidden_columns_can_not_be_asked_about(anybody: httpx.Client, query: str) -> None:
    answer = anybody.get(f"/api/v1/datasets/{VEILED_METERS}/{query}")
    assert answer.status_code == 400
    assert SECRET not in answer.json()["detail"].replace(query.rpartition("=")[2], "")


def test_sql_does_not_know_hidden_columns(anybody: httpx.Client) -> None:
    everything = anybody.post("/api/v1/sql", json={"sql": f"SELECT * FROM {VEILED_METERS} LIMIT 3"})
    assert everything.status_code == 200, everything.text
    assert SECRET not in everything.text
    assert "thing_name" not in everything.text
    assert anybody.post("/api/v1/sql", json={"sql": f"SELECT thing_name FROM {VEILED_METERS}"}).status_code == 400


def test_a_token_for_some_columns_gets_those_only(address: str, city: City) -> None:
    with client(address, city.tokens["columns"]) as one:
        row = one.get("/api/v1/datasets/air/rows?limit=1").json()["rows"][0]
        assert set(row) == {"thing", "phenomenon_time", "result"}
        latest = one.get("/api/v1/datasets/air/latest").json()["rows"][0]
        assert set(latest) == {"thing", "phenomenon_time", "result"}


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "{}", "Token {}"])
def test_tokens_come_in_the_usual_forms(address: str, city: City, header: str) -> None:
    answer = httpx.get(f"{address}/api/v1/datasets/noise", headers={"Authorization": header.format(city.tokens["analyst"])})
    assert answer.status_code == 200


@pytest.mark.parametrize("token", ["nonsense", "expired"])
def test_a_wrong_token_is_told_so_even_where_none_is_needed(address: str, city: City, token: str) -> None:
    with client(address, city.tokens.get(token, token)) as one:
        for path in ("/api/v1/datasets", "/api/v1/datasets/air", "/api/v1/datasets/air/rows?datastream=park:pm10&sort=-phenomenon_time"):
            answer = one.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert city.tokens.get(token, token) not in answer.text


OPERATING = ("/api/v1/feeds", "/api/v1/feeds/air-feed", "/api/v1/feeds/air-feed/rejects", "/api/v1/feeds/air-feed/runs")


@pytest.mark.parametrize("path", OPERATING)
def test_feeds_are_for_operators(address: str, city: City, path: str) -> None:
    for who, status in {None: 401, "reader": 403, "publisher": 403, "operator": 200}.items():
        with client(address, city.tokens[who] if who else None) as one:
            answer = one.get(path)
            assert answer.status_code == status
            assert SECRET not in answer.text


def test_a_session_counts_like_a_token_but_not_from_foreign_pages(address: str, city: City) -> None:
    with httpx.Client(base_url=address, cookies={"stadthub_session": city.tokens["operator"]}) as one:
        assert one.get("/api/v1/feeds").status_code == 200
        assert one.post("/api/v1/feeds/air-feed/pause").status_code == 403
        assert one.post("/api/v1/feeds/air-feed/pause", headers={"Origin": "https://evil.example"}).status_code == 403
        assert one.post("/api/v1/feeds/air-feed/pause", headers={"Sec-Fetch-Site": "cross-site", "Origin": address}).status_code == 403
        assert one.post("/api/v1/feeds/air-feed/pause", headers={"Origin": address}).json()["paused"] is True
        assert one.post("/api/v1/feeds/air-feed/resume", headers={"Sec-Fetch-Site": "same-origin"}).json()["paused"] is False


def test_an_outdated_session_only_means_that_nobody_is_signed_in(address: str, city: City) -> None:
    with httpx.Client(base_url=address, cookies={"stadthub_session": city.tokens["expired"]}) as one:
        assert one.get("/api/v1/datasets/air").status_code == 200
        assert one.get("/api/v1/feeds").status_code == 401


def test_answers_to_a_token_are_not_kept_by_shared_caches(address: str, city: City) -> None:
    for path in ("/api/v1/datasets/noise", "/api/v1/datasets/noise/rows", f"/distributions/noise/{city.files['noise']}"):
        with client(address, city.tokens["analyst"]) as one:
            assert one.get(path).headers["cache-control"].startswith("private")
