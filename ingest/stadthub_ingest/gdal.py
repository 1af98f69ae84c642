"""Files that only GDAL can read: given to a process of their own, which knows the one driver that is meant. The one door to GDAL.

A file from elsewhere can make GDAL read other files, ask servers, or take the whole machine (facts in docs/decoders.md). So the bytes
are looked at first; they lie in a folder of their own under a name of ours; the process has bounds of memory and time, an empty
environment, no network, and every other driver is left out before GDAL is there. Its answer is Arrow.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from stadthub_ingest.decoded import DecodeError

PROGRAM = Path(__file__).with_name("gdal_process.py")
#: All that a process which reads a stranger's file knows of its surroundings, and what GDAL must be told besides.
BARE = {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1", "ARROW_IO_THREADS": "1"}
ENVIRONMENT = {
    **BARE,
    "PROJ_NETWORK": "OFF",
    # GDAL 3.12's quicker way to Arrow miscounts missing geometries in FlatGeobuf
    "OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES",
}
ANSWER, TABLE = "answer.json", "answer.arrow"


@dataclass(frozen=True, slots=True)
class Format:
    """One format: GDAL's driver for it, the name of its main file, and how its first bytes look."""

    title: str
    driver: str
    file: str
    looks_right: Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may take: seconds of time, and of memory and answer so many megabytes."""

    seconds: float = 120.0
    memory_mb: int = 2500
    answer_mb: int = 2000


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its columns, the names of those for id and geometry (WKB), and its CRS as GDAL names it."""

    table: pa.Table
    id_column: str
    geometry_column: str | None
    crs: str | None


#: One line a format. What is not here is not read.
FORMATS: Mapping[str, Format] = {
    "geopackage": Format(
        "a GeoPackage",
        "GPKG",
        "input.gpkg",
        lambda head: head.startswith(b"SQLite format 3\0") and head[68:72] in (b"GPKG", b"GP10", b"GP11"),
    ),
    "shapefile": Format("a shapefile", "ESRI Shapefile", "input.shp", lambda head: head.startswith(b"\0\0\x27\x0a")),
    "flatgeobuf": Format("a FlatGeobuf", "FlatGeobuf", "input.fgb", lambda head: head.startswith(b"fgb\x03fgb")),
}


def read_layer(form: Format, files: Mapping[str, bytes], layer: str | None, encoding: str | None, limits: Limits = Limits()) -> Layer:
    """A layer of a file; `files` holds its parts by the endings of their names. DecodeError if it is not one, or takes too much."""
    main = form.file.rpartition(".")[2]
    if not form.looks_right(files[main][:100]):
        raise DecodeError(f"it is not {form.title}: it does not begin like one")
    skipped = ",".join(sorted(_drivers() - {form.driver}))
    with tempfile.TemporaryDirectory(prefix="stadthub-gdal-") as folder:
        for ending, body in files.items():
            (Path(folder) / f"input.{ending}").write_bytes(body)
        wanted = {"file": form.file, "driver": form.driver, "layer": layer, "encoding": encoding, **asdict(limits)}
        _run(Path(folder), wanted, {**ENVIRONMENT, "GDAL_SKIP": skipped}, limits.seconds)
        return _answer(Path(folder))


@cache
def _drivers() -> frozenset[str]:
    """The names of all drivers that the installed GDAL has."""
    with tempfile.TemporaryDirectory(prefix="stadthub-gdal-") as folder:
        _run(Path(folder), {**asdict(Limits()), "file": None}, ENVIRONMENT, Limits().seconds)
        return frozenset(json.loads((Path(folder) / ANSWER).read_bytes())["drivers"])


def _run(folder: Path, wanted: Mapping[str, object], environment: Mapping[str, str], seconds: float) -> None:
    """Let the process read; DecodeError if it has to be stopped."""
    process = subprocess.Popen(
        [sys.executable, "-I", str(PROGRAM), json.dumps(wanted)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise DecodeError(f"reading it took longer than {seconds:g} s and was stopped") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if not (folder / ANSWER).is_file():
        raise DecodeError("reading it took more memory or time than allowed, or GDAL broke on it")


def _answer(folder: Path) -> Layer:
    try:
        told = json.loads((folder / ANSWER).read_bytes())
    except ValueError as error:
        raise DecodeError("what GDAL read of it is more than may be answered") from error
    if "error" in told:
        raise DecodeError(str(told["error"])[:500])
    try:
        table = pa.ipc.open_stream((folder / TABLE).read_bytes()).read_all()
        table.validate(full=True)
    except (OSError, pa.ArrowException) as error:
        raise DecodeError("what GDAL read of it is not whole") from error
    return Layer(table, told["id"], told["geometry"], told["crs"])
