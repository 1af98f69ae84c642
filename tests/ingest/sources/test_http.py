"""Fetching: only what is new, every page, within bounds, without telling secrets."""

import gzip
import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.servers import Answer, Asked, WebServer, running_web_server

from stadthub_ingest.sources.http import Fetched, fetch
from stadthub_ingest.sources.reach import Reach
from stadthub_schemas.errors import FeedError, SourceError
from stadthub_schemas.feed import HttpSource

LOOPBACK = Reach(["127.0.0.1", "localhost"])


def source_of(url: str, **more: Any) -> HttpSource:
    return HttpSource.model_validate({"type": "http", "url": url, **more})


def get(source: HttpSource, state: dict[str, Any] | None = None, sleeps: list[float] | None = None) -> list[Fetched]:
    return list(fetch(source, state or {}, LOOPBACK, (sleeps if sleeps is not None else []).append))


def wrong(source: HttpSource, sleeps: list[float] | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        get(source, sleeps=sleeps)
    return str(caught.value)


def _query(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(asked.path).query))


def test_what_was_not_modified_is_not_fetched_again(web_server: WebServer) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.headers.get("if-none-match") == '"1"' and "if-modified-since" in asked.headers:
            return Answer(status=304)
        return Answer(b"body", headers={"ETag": '"1"', "Last-Modified": "Sat, 21 Nov 2026 10:00:00 GMT"})

    web_server.answers["/x"] = answer
    source = source_of(f"{web_server.url}/x")
    (first,) = get(source)
    assert (first.name, first.body) == (f"{web_server.url}/x", b"body")
    assert json.loads(json.dumps(first.state)) == first.state
    assert get(source, first.state) == []
    assert web_server.asked[0].headers["user-agent"].startswith("Stadthub/")


def test_the_same_body_as_before_is_nothing_new_even_without_an_etag(web_server: WebServer) -> None:
    web_server.answers["/x"] = [Answer(b"one"), Answer(b"one"), Answer(b"two")]
    source = source_of(f"{web_server.url}/x")
    (first,) = get(source)
    assert get(source, first.state) == []
    (third,) = get(source, first.state)
    assert third.body == b"two"


def test_pages_by_the_link_header(web_server: WebServer) -> None:
    web_server.answers["/x"] = Answer(b"one", headers={"Link": '</y?p=2>; rel="next", </z>; rel="last"'})
    web_server.answers["/y"] = Answer(b"two")
    source = source_of(f"{web_server.url}/x", paging={"by": "link"})
    pages = get(source)
    assert [page.body for page in pages] == [b"one", b"two"]
    assert [page.name for page in pages] == [f"{web_server.url}/x#page=1/2", f"{web_server.url}/x#page=2/2"]
    assert pages[0].state == {}, "only the last page makes the fetch done"
    assert get(source, pages[1].state) == []


def test_pages_by_a_link_in_the_answer(web_server: WebServer) -> None:
    web_server.answers["/x"] = Answer(b'{"@iot.nextLink": "y", "links": {"next": {"href": "y"}}}')
    web_server.answers["/y"] = Answer(b'{"links": {"next": null}}')
    assert len(get(source_of(f"{web_server.url}/x", paging={"by": "link", "path": "links.next"}))) == 2
    web_server.answers["/y"] = Answer(b'{"value": []}')
    assert len(get(source_of(f"{web_server.url}/x", paging={"by": "link", "path": "@iot.nextLink"}))) == 2, "a key may have dots itself"


def paged_rows(count: int, most: int) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        asked_for = dict(part.split("=") for part in asked.path.partition("?")[2].split("&") if part)
        start = int(asked_for.get("offset", 0))
        rows = list(range(count))[start : start + min(most, int(asked_for.get("limit", most)))]
        return Answer(json.dumps({"success": True, "result": {"records": rows, "fields": []}}).encode())

    return answer


def test_pages_by_the_links_of_an_ogc_api(web_server: WebServer) -> None:
    links = [{"rel": "self", "href": "/x"}, {"rel": "next", "href": "/y?offset=2"}]
    web_server.answers["/x"] = Answer(json.dumps({"links": links, "features": [1, 2]}).encode())
    web_server.answers["/y"] = Answer(json.dumps({"links": links[:1], "features": [3]}).encode())
    assert len(get(source_of(f"{web_server.url}/x", paging={"by": "link", "path": "links"}))) == 2


def test_pages_of_a_wfs_by_the_number_that_it_returned_and_by_its_next(web_server: WebServer) -> None:
    def answer(asked: Asked) -> Answer:
        start = int(_query(asked).get("startIndex", "0"))
        count = max(0, min(2, 5 - start))  # the server gives less than it was asked for
        further = f'next="/x?startIndex={start + 2}"' if start + 2 < 5 else ""
        stamp = f'timeStamp="2026-11-21T10:00:0{start}Z"'
        return Answer(f'<?xml version="1.0"?><w:FeatureCollection xmlns:w="urn:w" {stamp} numberReturned="{count}" {further}/>'.encode())

    web_server.answers["/x"] = answer
    by_number = {"by": "offset", "path": "numberReturned", "parameter": "startIndex", "page_size": 3, "size_parameter": "count"}
    assert len(get(source_of(f"{web_server.url}/x", paging=by_number))) == 3
    assert _query(web_server.asked[0]) == {"count": "3"}
    assert len(get(source_of(f"{web_server.url}/x", paging={"by": "link", "path": "next"}))) == 3


def test_pages_of_a_layer_end_where_it_says_that_there_is_no_more(web_server: WebServer) -> None:
    def answer(asked: Asked) -> Answer:
        start = int(_query(asked).get("resultOffset", "0"))
        return Answer(json.dumps({"features": list(range(start, start + 2)), "exceededTransferLimit": start < 4}).encode())

    web_server.answers["/x"] = answer
    paging = {"by": "offset", "path": "features", "more": "exceededTransferLimit", "parameter": "resultOffset"}
    assert len(get(source_of(f"{web_server.url}/x", paging=paging))) == 3
    assert len(web_server.asked) == 3, "it is not asked for an empty page"


def test_a_server_that_ignores_the_offset_is_found_out_though_its_answers_bear_the_time(web_server: WebServer) -> None:
    moments = iter(range(100))
    web_server.answers["/x"] = lambda _: Answer(f'<c numberReturned="2" timeStamp="{next(moments)}"><m/></c>'.encode())
    assert "circle" in wrong(source_of(f"{web_server.url}/x", paging={"by": "offset", "path": "numberReturned"}))


@pytest.mark.parametrize(
    "body", [b"<c/>", b"<!DOCTYPE c [<!ENTITY a 'b'>]><c numberReturned='2'/>", b'{"features": 2.5}', b'{"n": -1}', b'{"n": "all"}']
)
def test_an_answer_that_does_not_say_how_many_rows_it_holds_is_an_error(web_server: WebServer, body: bytes) -> None:
    web_server.answers["/x"] = Answer(body)
    path = "n" if b'"n"' in body else "numberReturned"
    assert "source.paging" in wrong(source_of(f"{web_server.url}/x", paging={"by": "offset", "path": path}))


def test_the_crs_that_a_server_names_in_its_header_stands_in_the_name_of_the_page(web_server: WebServer) -> None:
    uri = "http://www.opengis.net/def/crs/EPSG/0/25832"
    web_server.answers["/x"] = [
        Answer(b"1", headers={"Content-Crs": f"<{uri}>"}),
        Answer(b"2", headers={"Content-Crs": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"}),
        Answer(b"3", headers={"Content-Crs": "<javascript:alert(1)#page=1/9>"}),
    ]
    source = source_of(f"{web_server.url}/x")
    assert [get(source)[0].name.removeprefix(web_server.url) for _ in range(3)] == [f"/x#crs={uri}", "/x", "/x"]


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://[::1]/", "http://0.0.0.0/", "file:///etc/passwd"]
)
def test_a_redirect_to_a_private_address_or_to_a_file_is_not_followed(web_server: WebServer, target: str) -> None:
    web_server.answers["/x"] = Answer(status=302, headers={"Location": target})
    with pytest.raises(SourceError, match=r"private|only http"):
        list(fetch(source_of(f"{web_server.url}/x"), {}, Reach([web_server.url.removeprefix("http://")]), lambda _: None))


@pytest.mark.parametrize("paging", [{"by": "offset"}, {"by": "offset", "page_size": 100}, {"by": "offset", "path": "result.records"}])
def test_pages_by_offset_lose_no_row_even_if_the_server_gives_less_than_asked(web_server: WebServer, paging: dict[str, Any]) -> None:
    web_server.answers["/x"] = paged_rows(25, most=10)
    pages = get(source_of(f"{web_server.url}/x", paging=paging))
    assert [row for page in pages for row in json.loads(page.body)["result"]["records"]] == list(range(25))


def test_pages_by_cursor(web_server: WebServer) -> None:
    following: dict[str, str | None] = {"": "b", "b": "c", "c": None}

    def answer(asked: Asked) -> Answer:
        return Answer(json.dumps({"meta": {"next": following[asked.path.partition("after=")[2]]}}).encode())

    web_server.answers["/x"] = answer
    assert len(get(source_of(f"{web_server.url}/x", paging={"by": "cursor", "path": "meta.next", "parameter": "after"}))) == 3


def test_pages_in_a_circle_and_without_end_are_refused(web_server: WebServer) -> None:
    web_server.answers["/x"] = Answer(b"one", headers={"Link": '</y>; rel="next"'})
    web_server.answers["/y"] = Answer(b"two", headers={"Link": '</x>; rel="next"'})
    assert "circle" in wrong(source_of(f"{web_server.url}/x", paging={"by": "link"}))
    web_server.answers["/x"] = Answer(b"[1, 2]")
    assert "circle" in wrong(source_of(f"{web_server.url}/x", paging={"by": "offset"}))
    web_server.answers["/x"] = paged_rows(25, most=1)
    assert "max_pages (5)" in wrong(source_of(f"{web_server.url}/x", paging={"by": "offset", "max_pages": 5}))
    assert "JSON" in wrong(source_of(f"{web_server.url}/y", paging={"by": "offset"}))


def test_a_server_in_trouble_is_asked_again_and_told_when(web_server: WebServer) -> None:
    web_server.answers["/x"] = [Answer(status=503), Answer(status=429, headers={"Retry-After": "7"}), Answer(b"well")]
    sleeps: list[float] = []
    (fetched,) = get(source_of(f"{web_server.url}/x"), sleeps=sleeps)
    assert fetched.body == b"well"
    assert 0 < sleeps[0] <= 1
    assert sleeps[1] == 7


def test_a_server_that_stays_in_trouble_is_an_error_after_the_retries(web_server: WebServer) -> None:
    web_server.answers["/x"] = Answer(status=500)
    sleeps: list[float] = []
    assert (
        wrong(source_of(f"{web_server.url}/x", retries=2), sleeps) == f"{web_server.url}/x: the server answered 500 Internal Server Error"
    )
    assert len(web_server.asked) == 3
    assert sleeps[0] < sleeps[1] * 2


def test_a_server_that_wants_us_to_come_tomorrow_is_not_waited_for(web_server: WebServer) -> None:
    web_server.answers["/x"] = Answer(status=503, headers={"Retry-After": "86400"})
    sleeps: list[float] = []
    assert "503" in wrong(source_of(f"{web_server.url}/x"), sleeps)
    assert sleeps == []


def test_nobody_there_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        assert wrong(source_of(url, retries=1)) == f"{url}: the server can't be reached"


def test_a_refusal_is_not_asked_again_and_names_no_secret(web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_TOKEN", "geheim")
    web_server.answers["/x"] = Answer(status=401)
    url = f"http://user:geheim@127.0.0.1:{web_server.port}/x?key=geheim"
    message = wrong(source_of(url, auth={"value": "Bearer ${CITY_TOKEN}"}))
    assert message == f"{web_server.url}/x: the server answered 401 Unauthorized: mend source.auth"
    assert len(web_server.asked) == 1
    assert web_server.asked[0].headers["authorization"] == "Bearer geheim"


def test_a_missing_secret_is_the_operators_to_mend(web_server: WebServer) -> None:
    with pytest.raises(FeedError, match="NO_SUCH_VARIABLE"):
        get(source_of(f"{web_server.url}/x", auth={"value": "${NO_SUCH_VARIABLE}"}))


def test_the_secret_goes_to_no_other_site(web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_TOKEN", "geheim")
    with running_web_server() as other:
        web_server.answers["/x"] = Answer(status=302, headers={"Location": f"{other.url}/y"})
        other.answers["/y"] = Answer(b"body")
        source = source_of(f"{web_server.url}/x", auth={"header": "X-Key", "value": "${CITY_TOKEN}"}, headers={"X-More": "1"})
        (fetched,) = get(source)
    assert fetched.body == b"body"
    assert web_server.asked[0].headers["x-key"] == "geheim"
    assert "x-key" not in other.asked[0].headers
    assert "x-more" not in other.asked[0].headers


def test_redirects_are_checked_and_end(web_server: WebServer) -> None:
    web_server.answers["/x"] = Answer(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"})
    assert "private or reserved" in wrong(source_of(f"{web_server.url}/x"))
    web_server.answers["/x"] = Answer(status=301, headers={"Location": "file:///etc/passwd"})
    assert "only http" in wrong(source_of(f"{web_server.url}/x"))
    web_server.answers["/x"] = Answer(status=307, headers={"Location": "/x"})
    assert "redirects more than 5 times" in wrong(source_of(f"{web_server.url}/x"))


def test_a_private_address_is_refused_before_anything_is_asked(web_server: WebServer) -> None:
    with pytest.raises(SourceError, match="private"):
        list(fetch(source_of(f"{web_server.url}/x"), {}, Reach([])))
    assert web_server.asked == []


def test_the_host_is_named_and_no_proxy_of_the_environment_is_asked(web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    web_server.answers["/x"] = Answer(b"body")
    get(source_of(f"http://localhost:{web_server.port}/x"))
    assert web_server.asked[0].headers["host"] == f"localhost:{web_server.port}"


def test_too_much_is_refused_packed_or_not(web_server: WebServer) -> None:
    web_server.answers["/x"] = Answer(b"x" * 1001)
    assert "source.max_bytes (1000)" in wrong(source_of(f"{web_server.url}/x", max_bytes=1000))
    web_server.answers["/x"] = Answer(b"x" * 50_000_000, headers={"Content-Encoding": "gzip"})
    assert "source.max_bytes (1000)" in wrong(source_of(f"{web_server.url}/x", max_bytes=1000))
    web_server.answers["/x"] = Answer(b"x" * 1000, headers={"Content-Encoding": "gzip"})
    (fetched,) = get(source_of(f"{web_server.url}/x", max_bytes=1000))
    assert fetched.body == b"x" * 1000
    web_server.answers["/x"] = Answer(b"x", headers={"Content-Encoding": "zstd"})
    assert "not asked for" in wrong(source_of(f"{web_server.url}/x"))


def test_a_server_that_drips_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not stop.wait(0.02):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
            assert wrong(source_of(url, timeout=0.3, retries=0)) == f"{url}: the answer took longer than 0.3 s"
        finally:
            stop.set()
            thread.join()


def test_an_answer_that_claims_to_be_packed_and_is_not_is_a_sentence(web_server: WebServer) -> None:
    web_server.answers["/x"] = Answer(gzip.compress(b"x"), headers={"Content-Encoding": "deflate"})
    assert "packed" in wrong(source_of(f"{web_server.url}/x"))
