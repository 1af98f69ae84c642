"""Whole selections as files: streamed, complete, alike in every format, and stopped when the reader goes."""

import csv
import io
import socket
import time
from collections.abc import Callable
from email.parser import Parser
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stadthub_api.app import create_app
from tests.api.city import City, served

READ: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "csv": lambda body: list(csv.DictReader(io.StringIO(body.decode()))),
    "json": lambda body: httpx.Response(200, content=body).json(),
    "geojson": lambda body: [one["properties"] for one in httpx.Response(200, content=body).json()["features"]],
    "parquet": lambda body: pq.read_table(io.BytesIO(body)).to_pylist(),
    "arrow": lambda body: pa.ipc.open_stream(body).read_all().to_pylist(),
}


@pytest.mark.parametrize("format_", READ)
def test_an_export_holds_every_row_in_every_format(anybody: httpx.Client, format_: str) -> None:
    answer = anybody.get(f"/api/v1/datasets/air/exports/{format_}")
    assert answer.status_code == 200, answer.text
    disposition = Parser().parsestr(f"Content-Disposition: {answer.headers['content-disposition']}")
    assert str(disposition.get_filename()).startswith("air-20")
    found = READ[format_](answer.content)
    assert len(found) == 900
    assert {row["thing"] for row in found} == {"park", "ring", "ufer"}
    assert sum(float(row["result"]) for row in found) == sum(
        hour % 24 + place + 10 * number for hour in range(150) for place in range(3) for number in range(2)
    )


@pytest.mark.parametrize("format_", READ)
def test_an_export_is_filtered_like_rows(anybody: httpx.Client, format_: str) -> None:
    question = "thing=park&result__ge=20&sort=result&columns=thing,result"
    rows = anybody.get(f"/api/v1/datasets/air/rows?{question}&limit=1000").json()["rows"]
    found = READ[format_](anybody.get(f"/api/v1/datasets/air/exports/{format_}?{question}").content)
    assert [float(row["result"]) for row in found] == [row["result"] for row in rows]
    assert anybody.get(f"/api/v1/datasets/air/exports/{format_}?limit=7").status_code == 200
    assert len(READ[format_](anybody.get(f"/api/v1/datasets/air/exports/{format_}?limit=7").content)) == 7


@pytest.mark.parametrize("format_", READ)
def test_a_page_is_written_like_an_export(anybody: httpx.Client, format_: str) -> None:
    for name in ("air", "trees", "budget"):
        if name == "budget" and format_ == "geojson":
            continue
        page = anybody.get(f"/api/v1/datasets/{name}/rows?limit=10000&format={format_}")
        export = anybody.get(f"/api/v1/datasets/{name}/exports/{format_}")
        assert (page.status_code, export.status_code) == (200, 200), page.text + export.text
        paged = page.json()["rows"] if format_ == "json" else READ[format_](page.content)
        exported = READ[format_](export.content)

        def ordered(rows: list[dict[str, Any]]) -> list[str]:
            return sorted(str(sorted(row.items())) for row in rows)

        assert ordered(paged) == ordered(exported)


def test_head_of_an_export_runs_no_query(anybody: httpx.Client) -> None:
    answer = anybody.head("/api/v1/datasets/air/exports/csv")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("exports/xml", 400, "format"),
        ("exports/csv?limt=3", 400, "did you mean limit?"),
        ("exports/csv?cursor=x", 400, "there is no parameter 'cursor'"),
        ("exports/csv?result__ge=viel", 400, "is not a number"),
        ("exports/csv?columns=nix", 400, "there is no column 'nix'"),
    ],
)
def test_a_wrong_export_is_told_before_it_begins(anybody: httpx.Client, path: str, status: int, words: str) -> None:
    answer = anybody.get(f"/api/v1/datasets/air/{path}")
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert "content-disposition" not in answer.headers


def test_the_place_of_a_reader_who_goes_is_given_back(city: City) -> None:
    app = create_app(city.settings)
    with served(app) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        for _ in range(40):  # more than there are places
            with socket.create_connection((host, int(port))) as one:
                one.sendall(b"GET /api/v1/datasets/air/exports/json HTTP/1.1\r\nHost: x\r\n\r\n")
                assert one.recv(1).startswith(b"H")
        deadline = time.monotonic() + 20
        while app.state.hub.exports.borrowed_tokens:
            assert time.monotonic() < deadline, "an export goes on though its reader has gone"
        assert httpx.get(f"{address}/api/v1/datasets/air/exports/csv").status_code == 200


def test_features_are_served_with_their_geometry(anybody: httpx.Client) -> None:
    rows = anybody.get("/api/v1/datasets/trees/rows?species=Eiche&limit=2&sort=id").json()["rows"]
    assert rows[0]["id"] == "tree-001"
    assert rows[0]["geometry"] == {"type": "Point", "coordinates": [7.501, 51.9]}
    for path in (
        "things?bbox=7.4999,51,7.5005,52",
        "rows?format=geojson&bbox=7.4999,51,7.5005,52",
        "exports/geojson?bbox=7.4999,51,7.5005,52",
    ):
        found = anybody.get(f"/api/v1/datasets/trees/{path}").json()["features"]
        assert [feature["geometry"]["coordinates"] for feature in found] == [[7.5, 51.9]], path
    assert anybody.get("/api/v1/datasets/trees/rows?start=2026-01-01").status_code == 400
    assert "no timeseries" in anybody.get("/api/v1/datasets/trees/latest").json()["detail"]


def test_tables_are_served_page_by_page(anybody: httpx.Client) -> None:
    first = anybody.get("/api/v1/datasets/budget/rows?year__ge=2010&limit=10").json()
    rest = anybody.get(first["next"]).json()
    assert [row["year"] for row in first["rows"] + rest["rows"]] == list(range(2010, 2026))
    assert len(anybody.get("/api/v1/datasets/budget/rows?end=2026-01-02").json()["rows"]) == 26
    assert anybody.get("/api/v1/datasets/budget/rows?bbox=1,1,2,2").status_code == 400
