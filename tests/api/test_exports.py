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

from stadthub_api import streamed
from stadthub_api.app import create_app
from stadthub_api.hub import EXPORTS_EACH
from stadthub_catalog.catalog import Catalog
from stadthub_lake.store import Store
from stadthub_schemas.access import Role
from stadthub_schemas.settings import Settings
from tests.api.city import BUDGET, City, served, version

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
        while app.state.hub.exports.taken:
            assert time.monotonic() < deadline, "an export goes on though its reader has gone"
        assert httpx.get(f"{address}/api/v1/datasets/air/exports/csv").status_code == 200


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A hub whose only dataset is larger than what sockets buffer."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("wide"))
    catalog = Catalog(settings.database)
    catalog.migrate()
    store = Store(settings.lake, settings.data_dir)
    version(settings, catalog, store, BUDGET, pa.table({"text": ["x" * 10_000 + str(number) for number in range(3_000)]}))
    store.close()
    catalog.close()
    return settings


def _reader(address: str) -> socket.socket:
    """A reader of the large export who takes its first byte and then nothing."""
    host, _, port = address.removeprefix("http://").partition(":")
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.settimeout(60)
    one.connect((host, int(port)))
    one.sendall(f"GET /api/v1/datasets/{BUDGET}/exports/csv HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert one.recv(1) == b"H"
    return one


def test_a_reader_who_takes_nothing_loses_the_place_and_one_who_is_slow_does_not(wide: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed, "PATIENCE", 3.0)
    app = create_app(wide)
    with served(app) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        slow = socket.create_connection((host, int(port)), timeout=60)
        slow.sendall(f"GET /api/v1/datasets/{BUDGET}/exports/csv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        stalled = _reader(address)
        assert app.state.hub.exports.taken == 2
        taken, begun = 0, time.monotonic()
        while piece := slow.recv(400_000):  # slowly: the whole takes longer than the patience, but something goes on all the time
            taken += len(piece)
            time.sleep(0.02 if time.monotonic() - begun < 4 else 0)
        assert taken > 30_000_000
        deadline = time.monotonic() + 60
        while app.state.hub.exports.taken:
            assert time.monotonic() < deadline, "a reader who takes nothing keeps its place"
            time.sleep(0.02)
        slow.close()
        stalled.close()


def test_one_client_does_not_get_all_places(wide: Settings) -> None:
    app = create_app(wide)
    with served(app) as address:
        readers = [_reader(address) for _ in range(EXPORTS_EACH)]
        refused = httpx.get(f"{address}/api/v1/datasets/{BUDGET}/exports/csv", timeout=60)
        assert (refused.status_code, refused.json()["detail"]) == (503, "you run 8 exports already: wait until one has ended")
        assert "retry-after" in refused.headers
        catalog = Catalog(wide.database)
        token = catalog.create_token("somebody else", Role.READER)
        catalog.close()
        other = httpx.get(f"{address}/api/v1/datasets/{BUDGET}/exports/csv?limit=1", headers={"Authorization": token}, timeout=60)
        assert other.status_code == 200
        for one in readers:
            one.close()


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
