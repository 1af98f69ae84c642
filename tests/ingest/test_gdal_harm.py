"""Files that are made to make GDAL do harm: each trick is refused with a sentence, and the hub's own files stay its own."""

import io
import json
import platform
import socket
import sqlite3
import stat
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.gdal import ENVIRONMENT, FORMATS, PROGRAM, Limits, read_layer
from stadthub_ingest.judge import Judge
from tests.ingest.feeds import balanced, feed, payload

SECRET = "the-secret-of-the-hub"
VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource relativeToVRT="0">{path}</SrcDataSource>'
    "<SrcLayer>secret</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"
)


def places(folder: Path, driver: str, ending: str) -> Path:
    path = folder / f"places.{ending}"
    points = np.array(shapely.to_wkb(shapely.points([[9.1, 48.7], [9.2, 48.8]])), dtype=object)
    pyogrio.raw.write(path, points, [np.array([1, 2])], ["nr"], geometry_type="Point", crs="EPSG:4326", driver=driver, layer="places")
    return path


@pytest.fixture
def geopackage(tmp_path: Path) -> Path:
    return places(tmp_path, "GPKG", "gpkg")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text(f"word\n{SECRET}\n")
    return path


def zipped(**members: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in members.items():
            file.writestr(name.replace("_", "."), body)
    return archive.getvalue()


def refused(decoder: str, body: bytes, options: dict[str, Any] | None = None) -> str:
    judged = Judge(feed(decoder, options, kind="features")).judge([payload(body)])
    assert balanced(judged)
    assert judged.accepted.num_rows == 0
    assert SECRET not in str(judged.rejects["reason"].to_pylist())
    return str(judged.rejects["reason"][0])


def accepted(decoder: str, body: bytes) -> int:
    return int(Judge(feed(decoder, kind="features")).judge([payload(body)]).accepted.num_rows)


@pytest.mark.parametrize("decoder", ["geopackage", "shapefile", "flatgeobuf", "geojson", "kml", "wfs"])
def test_a_virtual_dataset_in_the_clothes_of_another_format_reads_no_file(decoder: str, secret: Path) -> None:
    refused(decoder, VRT.format(path=secret).encode())


@pytest.mark.parametrize("part", ["shp", "shx", "dbf", "prj"])
def test_a_virtual_dataset_as_a_part_of_a_shapefile_reads_no_file(part: str, tmp_path: Path, secret: Path) -> None:
    path = places(tmp_path, "ESRI Shapefile", "shp")
    parts = {ending: path.with_suffix(f".{ending}").read_bytes() for ending in ("shp", "shx", "dbf", "prj", "cpg")}
    parts[part] = VRT.format(path=secret).encode()
    judged = Judge(feed("shapefile", kind="features")).judge([payload(zipped(**{f"a_{name}": body for name, body in parts.items()}))])
    assert balanced(judged)
    assert SECRET not in str(judged.accepted.to_pylist()) + str(judged.rejects.to_pylist())


def test_a_virtual_dataset_beside_a_shapefile_is_left_in_the_archive(tmp_path: Path, secret: Path) -> None:
    path = places(tmp_path, "ESRI Shapefile", "shp")
    parts = {f"a_{ending}": path.with_suffix(f".{ending}").read_bytes() for ending in ("shp", "shx", "dbf", "prj")}
    assert accepted("shapefile", zipped(**parts, a_vrt=VRT.format(path=secret).encode())) == 2


def test_a_driver_that_is_not_allowed_reads_nothing_even_if_the_first_bytes_were_let_pass(secret: Path) -> None:
    blind = replace(FORMATS["geopackage"], looks_right=lambda _: True)
    for body in (VRT.format(path=secret).encode(), b'{"type": "Point", "coordinates": [9, 48]}', b"a,b\n1,2\n"):
        with pytest.raises(DecodeError):
            read_layer(blind, {"gpkg": body}, None, None)


def database(path: Path, *statements: str) -> bytes:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path.read_bytes()


CONTENTS = "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('{0}', 'attributes', '{0}')"


@pytest.mark.parametrize("layer", [None, "evil"])
def test_a_view_in_a_geopackage_is_not_computed(geopackage: Path, layer: str | None) -> None:
    body = database(
        geopackage,
        "CREATE VIEW evil AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS fid FROM n",
        CONTENTS.format("evil"),
    )
    begun = time.monotonic()
    assert "evil is a view" in refused("geopackage", body, {} if layer is None else {"layer": layer})
    assert time.monotonic() - begun < 60


def test_a_plain_layer_beside_a_view_can_be_read_by_its_name(geopackage: Path) -> None:
    body = database(geopackage, "CREATE VIEW other AS SELECT 1 AS fid", CONTENTS.format("other"))
    judged = Judge(feed("geopackage", {"layer": "places"}, kind="features")).judge([payload(body)])
    assert judged.accepted.num_rows == 2


@pytest.mark.parametrize("module", ["VirtualOGR('/etc/passwd')", "VirtualShape('/etc/passwd', 'utf-8', 4326)", "fts3(a)", "rtree_i32(a)"])
def test_a_virtual_table_in_a_geopackage_is_refused(geopackage: Path, module: str) -> None:
    connection = sqlite3.connect(geopackage)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES ('table', 'evil', 'evil', 0, ?)",
        [f"CREATE VIRTUAL TABLE evil USING {module}"],
    )
    connection.execute(CONTENTS.format("evil"))
    connection.commit()
    connection.close()
    assert "virtual table" in refused("geopackage", geopackage.read_bytes(), {"layer": "evil"})


def test_a_view_in_the_place_of_a_table_that_every_reader_asks_is_refused(geopackage: Path) -> None:
    body = database(geopackage, "ALTER TABLE gpkg_contents RENAME TO kept", "CREATE VIEW gpkg_contents AS SELECT * FROM kept")
    assert "is a view" in refused("geopackage", body)


def test_a_trigger_in_a_geopackage_never_fires(geopackage: Path) -> None:
    body = database(
        geopackage,
        *(
            f"CREATE TRIGGER evil_{what} AFTER {what} ON gpkg_contents BEGIN DELETE FROM places; END"
            for what in ("UPDATE", "INSERT", "DELETE")
        ),
    )
    assert accepted("geopackage", body) == 2


@pytest.mark.parametrize(
    "body",
    [b"SQLite format 3\0" + b"\0" * 52 + b"GPKG" + b"\xff" * 4096, b"fgb\x03fgb\0" + b"\xff" * 5000, b"\0\0\x27\x0a" + b"\xff" * 500],
)
@pytest.mark.parametrize("decoder", ["geopackage", "flatgeobuf", "shapefile"])
def test_a_file_that_only_begins_right_is_a_reject(decoder: str, body: bytes) -> None:
    whole = zipped(a_shp=body, a_shx=body, a_dbf=body) if decoder == "shapefile" else body
    assert refused(decoder, whole).startswith("payload: ")


def member(name: str, mode: int = 0o644) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        about = zipfile.ZipInfo(name)
        about.external_attr = (stat.S_IFLNK if mode == stat.S_IFLNK else stat.S_IFREG | mode) << 16
        file.writestr(about, b"/etc/passwd")
    return archive.getvalue()


@pytest.mark.parametrize("decoder", ["shapefile", "geopackage"])
@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (member("../../etc/cron.d/a.shp"), "leads out"),
        (member("/etc/a.shp"), "leads out"),
        (member("C:\\a.shp"), "leads out"),
        (member("a/..\\..\\b.shp"), "leads out"),
        (member("a.shp", stat.S_IFLNK), "is a link"),
        (member("inner.zip"), "archive itself"),
        (zipped(a_shp=b"\0" * 30_000_000), "200 times"),
        (zipped(**{f"n{number}_txt": b"" for number in range(10_001)}), "10000 members"),
    ],
    ids=["dots", "absolute", "drive", "backslashes", "link", "nested", "ratio", "count"],
)
def test_an_archive_that_is_made_to_do_harm_is_refused(decoder: str, archive: bytes, words: str) -> None:
    assert words in refused(decoder, archive)


@pytest.mark.parametrize("layer", ["/vsicurl/http://127.0.0.1/x", "<OGRVRTDataSource/>"])
def test_a_layer_of_a_strange_name_is_only_a_name(geopackage: Path, layer: str) -> None:
    assert "has no layer" in refused("geopackage", geopackage.read_bytes(), {"layer": layer})


def test_reading_that_takes_too_long_is_stopped(geopackage: Path) -> None:
    with pytest.raises(DecodeError, match=r"longer than 0\.05 s"):
        read_layer(FORMATS["geopackage"], {"gpkg": geopackage.read_bytes()}, None, None, Limits(seconds=0.05))


def test_reading_that_takes_too_much_memory_is_stopped(geopackage: Path) -> None:
    with pytest.raises(DecodeError, match=r"memory|ImportError"):
        read_layer(FORMATS["geopackage"], {"gpkg": geopackage.read_bytes()}, None, None, Limits(memory_mb=300))


def test_an_answer_that_is_too_big_is_no_answer(geopackage: Path) -> None:
    with pytest.raises(DecodeError):
        read_layer(FORMATS["geopackage"], {"gpkg": geopackage.read_bytes()}, None, None, Limits(answer_mb=0))


WANTED: dict[str, Any] = {
    "file": "input.gpkg",
    "driver": "GPKG",
    "layer": None,
    "encoding": None,
    "seconds": 60,
    "memory_mb": 2500,
    "answer_mb": 100,
}


def run_program(folder: Path, *arguments: str) -> dict[str, Any]:
    """What the process says that is started like this in a folder."""
    subprocess.run([sys.executable, "-I", *arguments], env=ENVIRONMENT, cwd=folder, timeout=120, check=True)
    return dict(json.loads((folder / "answer.json").read_bytes()))


def test_the_process_reads_nothing_if_other_drivers_are_there(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "input.csv").write_text(VRT.format(path=secret))
    told = run_program(tmp_path, str(PROGRAM), json.dumps({**WANTED, "file": "input.csv", "driver": "CSV"}))
    assert told == {"error": "GDAL did not leave its other drivers out: nothing is read"}


#: What a file that took GDAL over could try.
TRIES = {
    "a connection": "__import__('socket').create_connection(('127.0.0.1', {port}), 5)",
    "a socket": "__import__('socket').socket(__import__('socket').AF_INET6, __import__('socket').SOCK_DGRAM)",
    "a program": "__import__('os').execv('/bin/true', ['true'])",
    "another process": "__import__('os').kill(__import__('os').getppid(), 0)",
}


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the filter of system calls knows x86-64 and ARM64 only")
@pytest.mark.parametrize("what", TRIES)
def test_the_process_can_open_no_connection_and_start_no_program(what: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        trial = TRIES[what].format(port=server.getsockname()[1])
        code = (
            f"import importlib.util as u; s = u.spec_from_file_location('p', {str(PROGRAM)!r}); p = u.module_from_spec(s); "
            f"s.loader.exec_module(p); p.read = lambda wanted: {trial}; p.main({WANTED})"
        )
        assert run_program(tmp_path, "-c", code) == {"error": "GDAL can't read it (PermissionError)"}


def test_nothing_is_left_of_a_file_that_was_read(geopackage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert accepted("geopackage", geopackage.read_bytes()) == 2
    assert list(folder.iterdir()) == []
