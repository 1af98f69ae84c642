"""What stands around every answer: headers, problems, HEAD, compression, the log, and the hub's own description."""

import gzip
import re
from collections.abc import Iterator

import httpx
import pytest
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from stadthub_api.app import create_app
from stadthub_api.envelope import shortened
from stadthub_api.problems import KINDS, Problem, kind_of
from stadthub_schemas import errors
from tests.api.city import City, served


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/datasets", "/api/v1/datasets/nix", "/nowhere", "/api/docs", "/api/v1/feeds"])
def test_every_answer_carries_the_security_headers(anybody: httpx.Client, path: str) -> None:
    headers = anybody.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "referrer-policy" in headers
    assert re.fullmatch(r"[0-9a-f]{16}", headers["x-request-id"])
    assert "server" not in headers
    assert "set-cookie" not in headers


GETS = (
    "/api/v1/datasets",
    "/api/v1/datasets/air",
    "/api/v1/datasets/air/rows",
    "/api/v1/datasets/air/rows?datastream=park:pm10&sort=-phenomenon_time",
    "/api/v1/datasets/air/aggregate",
    "/api/v1/datasets/air/latest",
    "/api/v1/datasets/air/things",
    "/healthz",
    "/openapi.json",
)


@pytest.mark.parametrize("path", GETS)
def test_head_is_the_answer_without_its_body(anybody: httpx.Client, path: str) -> None:
    got, told = anybody.get(path), anybody.head(path)
    assert (told.status_code, told.content) == (200, b"")
    assert told.headers["content-type"] == got.headers["content-type"]
    assert told.headers.get("etag") == got.headers.get("etag")
    assert anybody.head("/api/v1/datasets/nix").status_code == 404


def test_large_texts_are_compressed_for_those_who_ask(anybody: httpx.Client) -> None:
    path = "/api/v1/datasets/air/rows?limit=1000"
    for encoding, packed in {"gzip": True, "identity": False}.items():
        with anybody.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
            raw = b"".join(answer.iter_raw())
            assert (answer.headers.get("content-encoding") == "gzip") is packed
            assert (gzip.decompress(raw) if packed else raw).startswith(b'{"rows":[')
    assert "content-encoding" not in anybody.get("/api/v1/datasets/air/rows?format=parquet", headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_method_that_is_not_offered_is_a_problem_too(anybody: httpx.Client, method: str) -> None:
    answer = anybody.request(method, "/api/v1/datasets/air")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_too_large_a_question_is_refused(anybody: httpx.Client) -> None:
    answer = anybody.post("/api/v1/sql", content=b'{"sql":"' + b"x" * 1_100_000 + b'"}', headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["detail"] == "the body may hold 1000000 bytes at most"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"sql":""}', b'{"sql":"SELECT 1","more":1}', b'"\xff"'])
def test_a_broken_body_is_told_without_a_trace(anybody: httpx.Client, body: bytes) -> None:
    answer = anybody.post("/api/v1/sql", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text


def test_every_error_of_the_hub_is_in_the_table() -> None:
    def below(kind: type[errors.StadthubError]) -> Iterator[type[errors.StadthubError]]:
        yield kind
        for one in kind.__subclasses__():
            yield from below(one)

    for kind in below(errors.StadthubError):
        if kind.__module__ == errors.__name__:
            assert kind in KINDS
    assert kind_of(errors.NotFound("x")).status == 404


@pytest.fixture
def mended(city: City) -> FastAPI:
    """An app with a route that breaks, and a page for readers' browsers."""
    app = create_app(city.settings)

    @app.get("/breaks")
    async def breaks() -> Response:
        raise ZeroDivisionError("a secret of the machine")

    def page(request: Request, problem: Problem) -> Response:
        return HTMLResponse(f"<h1>{problem.kind.title_de}</h1>", problem.kind.status)

    app.state.error_page = page
    return app


def test_an_unexpected_error_is_logged_and_tells_nothing_but_its_number(mended: FastAPI) -> None:
    with capture_logs([merge_contextvars]) as lines, served(mended) as address:
        answer = httpx.get(f"{address}/breaks")
    assert answer.status_code == 500
    assert answer.json()["detail"].endswith(answer.headers["x-request-id"])
    assert "secret" not in answer.text
    [line] = [line for line in lines if line["event"] == "unexpected"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "ZeroDivisionError: a secret of the machine" in line["traceback"]


def test_a_browser_gets_a_page_and_a_program_gets_problem_details(mended: FastAPI) -> None:
    with served(mended) as address:
        browser = httpx.get(f"{address}/nowhere", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (browser.status_code, browser.text) == (404, "<h1>Nicht gefunden</h1>")
        assert "content-security-policy" in browser.headers
        broken = httpx.get(f"{address}/breaks", headers={"Accept": "text/html"})
        assert (broken.status_code, broken.headers["content-type"]) == (500, "text/html; charset=utf-8")
        assert httpx.get(f"{address}/nowhere").headers["content-type"] == "application/problem+json"


def test_the_access_log_holds_no_full_address(city: City) -> None:
    with capture_logs() as lines, served(create_app(city.settings)) as address:
        httpx.get(f"{address}/healthz?token=hidden")
    [line] = [line for line in lines if line.get("path") == "/healthz"]
    assert line["client"] == "127.0.0.0"
    assert (line["method"], line["status"]) == ("GET", 200)
    assert "hidden" not in str(line)
    assert structlog.get_config()["processors"]


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.77", "192.0.2.0"), ("2001:db8:1:2::3", "2001:db8:1::"), ("::ffff:192.0.2.77", "192.0.2.0"), ("local", "unknown")],
)
def test_addresses_are_shortened_to_their_network(address: str, network: str) -> None:
    assert shortened(address) == network


def test_the_openapi_document_names_every_face_and_nothing_of_other_origins(anybody: httpx.Client) -> None:
    document = anybody.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    rows = document["paths"]["/api/v1/datasets/{name}/rows"]["get"]
    assert rows["x-access"] == "dataset"
    assert {"limit", "cursor", "sort", "columns", "as_of", "format", "bbox", "filters", "name"} <= {
        one["name"] for one in rows["parameters"]
    }
    page = anybody.get("/api/docs").text
    assert '<script type="module" src="/static/built/swagger.js">' in page
    assert "http" not in page


def test_the_hub_says_that_it_is_alive_and_ready(anybody: httpx.Client) -> None:
    assert anybody.get("/healthz").text == "ok"
    assert anybody.get("/readyz").json() == {"ready": True, "checks": {"database": "ok", "lake": "ok", "disk": "ok"}}
    assert "Disallow: /operator" in anybody.get("/robots.txt").text
    contact = anybody.get("/.well-known/security.txt").text
    assert "Contact: mailto:daten@musterstadt.example" in contact
    assert re.search(r"^Expires: \d{4}-\d\d-\d\dT00:00:00Z$", contact, re.MULTILINE)


def test_a_dataset_tells_all_about_itself(anybody: httpx.Client) -> None:
    told = anybody.get("/api/v1/datasets/air").json()
    assert told["license"]["iri"] == "http://dcat-ap.de/def/licenses/dl-by-de/2.0"
    assert [column["name"] for column in told["columns"]][:3] == ["phenomenon_time", "datastream", "thing"]
    assert told["extent"]["rows"] == 900
    assert told["links"]["rows"] == "https://daten.musterstadt.example/api/v1/datasets/air/rows"
    for link in (told["links"]["rows"], told["links"]["exports"]["parquet"], told["distributions"][0]["url"]):
        assert anybody.head(link.removeprefix("https://daten.musterstadt.example")).status_code == 200


def test_datasets_are_found_by_words_and_facets(anybody: httpx.Client) -> None:
    def names(**parameters: str) -> set[str]:
        return {one["name"] for one in anybody.get("/api/v1/datasets", params=parameters).json()["datasets"]}

    assert names(q="air") == {"air", "meters"}  # both observe the air temperature
    assert anybody.get("/api/v1/datasets", params={"q": "air"}).json()["datasets"][0]["name"] == "air"
    assert names(theme="ENVI") == {"air", "meters", "trees", "budget"}
    assert names(theme="ENVI", kind="features") == {"trees"}
    assert names(theme="TRAN") == set()
    page = anybody.get("/api/v1/datasets", params={"limit": 1, "sort": "title"}).json()
    assert (page["total"], len(page["datasets"])) == (4, 1)
    assert len(anybody.get(page["next"]).json()["datasets"]) == 1
    assert (
        anybody.get("/api/v1/datasets", params={"thema": "ENVI"})
        .json()["detail"]
        .startswith("there is no parameter 'thema': did you mean theme?")
    )
    assert anybody.get("/api/v1/datasets", params={"sort": "size"}).status_code == 400


def test_a_forged_host_leads_no_reader_elsewhere(anybody: httpx.Client) -> None:
    answer = anybody.get("/datasets/", headers={"Host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == "/datasets"
