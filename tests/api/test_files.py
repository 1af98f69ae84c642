"""Published files over a real socket: ranges, ETags, HEAD, CORS, and no way out of their folder."""

from email.utils import parsedate_to_datetime
from hashlib import sha256

import httpx
import pytest

from tests.api.city import City


@pytest.fixture
def url(city: City) -> str:
    """The path of the public dataset's file."""
    return f"/distributions/air/{city.files['air']}"


@pytest.fixture
def body(anybody: httpx.Client, url: str) -> bytes:
    """What is in it."""
    return anybody.get(url).content


def test_a_file_comes_with_the_etag_of_its_content(anybody: httpx.Client, url: str, body: bytes) -> None:
    answer = anybody.get(url, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["etag"] == f'"{sha256(body).hexdigest()}"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "public, max-age=60, must-revalidate"
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(body)


def test_an_edition_is_kept_for_ever_by_its_own_name(anybody: httpx.Client, url: str, body: bytes) -> None:
    digest = sha256(body).hexdigest()
    edition = anybody.get(url.replace(".csv", f"-{digest[:12]}.csv"))
    assert edition.content == body
    assert edition.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert anybody.get(url.replace(".csv", f"-{digest[1:13]}.csv")).status_code == 404


def test_head_tells_the_same_without_the_body(anybody: httpx.Client, url: str, body: bytes) -> None:
    got, told = anybody.get(url), anybody.head(url)
    changing = ("date", "x-request-id")
    assert {k: v for k, v in told.headers.items() if k not in changing} == {k: v for k, v in got.headers.items() if k not in changing}
    assert (told.status_code, told.content) == (200, b"")
    assert int(told.headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    ("asked", "part", "told"),
    [
        ("bytes=0-9", slice(0, 10), "bytes 0-9/{size}"),
        ("bytes=10-", slice(10, None), "bytes 10-{last}/{size}"),
        ("bytes=-7", slice(-7, None), "bytes {from_end}-{last}/{size}"),
        ("bytes=5-99999999", slice(5, None), "bytes 5-{last}/{size}"),
    ],
)
def test_a_range_is_that_part_of_the_file(anybody: httpx.Client, url: str, body: bytes, asked: str, part: slice, told: str) -> None:
    answer = anybody.get(url, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == body[part]
    assert answer.headers["content-range"] == told.format(size=len(body), last=len(body) - 1, from_end=len(body) - 7)


def test_several_ranges_come_as_parts(anybody: httpx.Client, url: str, body: bytes) -> None:
    answer = anybody.get(url, headers={"Range": "bytes=0-4,10-14"})
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert body[0:5] in answer.content
    assert body[10:15] in answer.content


def test_a_range_outside_the_file_is_told_the_files_size(anybody: httpx.Client, url: str, body: bytes) -> None:
    answer = anybody.get(url, headers={"Range": "bytes=99999999-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(body)}"


def test_who_has_the_file_is_told_so(anybody: httpx.Client, url: str) -> None:
    etag = anybody.get(url).headers["etag"]
    for given in (etag, f'"other", {etag}', "*", f"W/{etag}"):
        answer = anybody.get(url, headers={"If-None-Match": given})
        assert (answer.status_code, answer.content) == (304, b"")
    assert anybody.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_range_of_another_version_is_the_whole_file(anybody: httpx.Client, url: str) -> None:
    first = anybody.get(url)
    assert parsedate_to_datetime(first.headers["last-modified"]).year >= 2026
    for given, status in {first.headers["etag"]: 206, '"older"': 200, first.headers["last-modified"]: 206}.items():
        assert anybody.get(url, headers={"Range": "bytes=0-9", "If-Range": given}).status_code == status


def test_any_page_may_read_public_files_and_the_api(anybody: httpx.Client, url: str) -> None:
    for path in (url, "/api/v1/datasets", "/api/v1/datasets/nix"):
        answer = anybody.get(path, headers={"Origin": "https://elsewhere.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "Content-Range" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
        before = anybody.options(path, headers=asked)
        assert before.status_code == 204
        assert before.headers["access-control-allow-methods"] == "GET, HEAD, POST, OPTIONS"
        assert "Range" in before.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "path",
    [
        "/distributions/air/../../state.sqlite",
        "/distributions/air/..%2F..%2Fstate.sqlite",
        "/distributions/air/%2e%2e/%2e%2e/state.sqlite",
        "/distributions/..%2f..%2fstate.sqlite",
        "/distributions/air/%2Fetc%2Fpasswd",
        "/distributions/air/.",
        "/distributions/air/..",
        "/distributions/air/",
        "/distributions/air/nix.csv",
        "/distributions/air/%00",
    ],
)
def test_only_names_that_the_catalogue_lists_are_files(anybody: httpx.Client, path: str) -> None:
    answer = anybody.send(httpx.Request("GET", httpx.URL(anybody.base_url, raw_path=path.encode())))
    assert answer.status_code == 404
    assert b"SQLite" not in answer.content


def test_a_file_of_another_dataset_is_not_reached_through_a_public_one(anybody: httpx.Client, city: City) -> None:
    assert anybody.get(f"/distributions/air/{city.files['cameras']}").status_code == 404


def test_a_token_narrowed_to_columns_gets_no_whole_file(anybody: httpx.Client, city: City, url: str) -> None:
    answer = anybody.get(url, headers={"Authorization": f"Bearer {city.tokens['columns']}"})
    assert answer.status_code == 404
    assert "use its exports" in answer.json()["detail"]
