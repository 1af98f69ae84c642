"""The process in which GDAL reads a file that may be made to do harm: it knows one driver, has no network, and is gone after one answer.

Started as a file by `gdal.py` in a folder of its own and imports nothing of ours. `answer.json` says what was found or what is wrong,
`answer.arrow` holds the rows.
"""

import ctypes
import json
import platform
import resource
import sqlite3
import struct
import sys
from typing import Any

#: Which calls are refused, by machine: to open connections, to start programs, to look into or end other processes.
CALLS = {
    "x86_64": (0xC000003E, (41, 42, 49, 50, 53, 59, 62, 101, 200, 234, 310, 311, 322, 425)),
    "aarch64": (0xC00000B7, (117, 129, 130, 131, 198, 199, 200, 201, 203, 221, 270, 271, 281, 425)),
}
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_REFUSED, _ALLOWED = 0x00050000 | 1, 0x7FFF0000
#: Numbers of x32 calls begin here: the same calls by another way.
_X32 = 0x40000000

LONGEST_REASON = 300


class RefusedError(Exception):
    """The file is not read; the message says why."""


class NoPandas:
    """Says that pandas is not there: it would be loaded where it is installed, nothing needs it here, and takes longer than the reading."""

    @staticmethod
    def find_spec(name: str, *_place: object) -> None:
        """Nothing is known of any other module."""
        if name in ("pandas", "geopandas"):
            raise ModuleNotFoundError(name)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def bound(seconds: float, memory_mb: int, answer_mb: int) -> None:
    """From here on the process can't take more than this."""
    for what, most in (
        (resource.RLIMIT_AS, memory_mb * 1_000_000),
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_FSIZE, answer_mb * 1_000_000),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def close_network() -> bool:
    """From here on neither connections nor programs can be started. False where the machine does not know how."""
    if platform.machine() not in CALLS:
        return False
    machine, numbers = CALLS[platform.machine()]
    library = ctypes.CDLL(None, use_errno=True)
    steps = [(0x20, 0, 0, 4), (0x15, 1, 0, machine), (0x06, 0, 0, _REFUSED), (0x20, 0, 0, 0)]
    steps += [(0x35, 0, 1, _X32), (0x06, 0, 0, _REFUSED)]
    for number in numbers:
        steps += [(0x15, 0, 1, number), (0x06, 0, 0, _REFUSED)]
    steps.append((0x06, 0, 0, _ALLOWED))
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    program = _Program(len(steps), code)
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(library.prctl(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)


def check_tables(file: str, layer: str | None) -> None:
    """Refuse a GeoPackage in which reading a layer could run more than a look into a table."""
    try:
        database = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
        database.execute("PRAGMA trusted_schema = OFF")
        things = database.execute("SELECT lower(name), type, coalesce(sql, '') FROM sqlite_master").fetchall()
        views = {name for name, kind, _ in things if kind == "view"}
        if any(name.startswith("gpkg_") for name in views):
            raise RefusedError("a table of the GeoPackage's own is a view, which may compute anything")
        asked = "SELECT table_name FROM gpkg_contents WHERE data_type IN ('features', 'attributes')"
        layers = [str(row[0]) for row in database.execute(asked)]
        database.close()
    except sqlite3.Error as error:
        raise RefusedError("the database of the GeoPackage is broken") from error
    for name, kind, sql in things:
        words = sql.lower().split()
        if (
            kind == "table"
            and words[1:2] == ["virtual"]
            and not (name.startswith("rtree_") and "rtree" in sql.lower().partition("using")[2])
        ):
            raise RefusedError(f"{name[:100]} is a virtual table, which may read anything: export its rows as a plain table")
    for name in layers if layer is None else [layer]:
        if name.lower() in views:
            raise RefusedError(f"{name[:100]} is a view, which may compute anything: export its rows as a plain table")


def read(wanted: dict[str, Any]) -> dict[str, Any]:
    """Read the layer into the Arrow file; what it is called and which columns are what."""
    if wanted["driver"] == "GPKG":
        check_tables(wanted["file"], wanted["layer"])
    import pyarrow as pa  # noqa: PLC0415 - only within the bounds
    import pyogrio  # noqa: PLC0415 - as above
    from pyogrio.raw import read_arrow  # noqa: PLC0415 - as above

    if set(pyogrio.list_drivers()) != {wanted["driver"]}:
        raise RefusedError("GDAL did not leave its other drivers out: nothing is read")
    layer = chosen([str(name) for name, _ in pyogrio.list_layers(wanted["file"])], wanted["layer"])
    about, table = read_arrow(wanted["file"], layer=layer, encoding=wanted["encoding"], return_fids=True)
    geometry = about["geometry_name"] or "wkb_geometry"
    if geometry not in table.column_names:
        geometry = None
    identity = about["fid_column"] or "OGC_FID"
    kept = [field.name for field in table.schema if field.name == geometry or not pa.types.is_binary(field.type)]
    table = table.select(kept).replace_schema_metadata(None)
    table = table.cast(pa.schema([pa.field(field.name, field.type) for field in table.schema]))
    with pa.OSFile("answer.arrow", "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return {"id": identity, "geometry": geometry, "crs": about["crs"]}


def chosen(layers: list[str], layer: str | None) -> str:
    """The layer that is wanted, or the only one."""
    if layer is not None and layer in layers:
        return layer
    if layer is None and len(layers) == 1:
        return layers[0]
    there = ", ".join(layers)[:LONGEST_REASON] or "none"
    raise RefusedError(f"options.layer: {'it has no layer ' + repr(layer) if layer else 'it has several layers'}: there are {there}")


def main(wanted: dict[str, Any]) -> None:
    """Answer one request."""
    sys.meta_path.insert(0, NoPandas)
    bound(wanted["seconds"], wanted["memory_mb"], wanted["answer_mb"])
    close_network()
    try:
        if wanted["file"] is None:
            import pyogrio  # noqa: PLC0415 - only within the bounds

            told: dict[str, Any] = {"drivers": list(pyogrio.list_drivers())}
        else:
            told = read(wanted)
    except RefusedError as refused:
        told = {"error": str(refused)}
    except MemoryError:
        told = {"error": f"reading it took more than {wanted['memory_mb']} MB of memory and was stopped"}
    except Exception as error:  # noqa: BLE001 - the top of this program; what GDAL says may name our folder
        told = {"error": f"GDAL can't read it ({type(error).__name__})"}
    with open("answer.json", "w", encoding="utf-8") as file:  # noqa: PTH123 - a name in the folder of the process
        json.dump(told, file)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
