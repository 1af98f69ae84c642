"""Every byte that a hub wrote, also those that lie compressed or in columns, and what of a set of secrets stands in it."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stadthub_lake.rawlog import RawLog


def written(data_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Each piece that was written, with the name of where it stands: files as they are, and what they decode to."""
    for path in sorted(data_dir.rglob("*")):
        place = str(path.relative_to(data_dir))
        yield f"name of {place}", place.encode()
        if path.is_file() and not place.startswith("feeds/"):
            yield place, path.read_bytes()
            yield from _decoded(path, place)
    for folder in sorted((data_dir / "raw").glob("*")):
        log = RawLog(folder)
        for frame in log.read(0, 1_000_000, 1_000_000_000):
            yield f"raw log of {folder.name}", frame.name.encode() + b"\n" + frame.body
        log.close()


def _decoded(path: Path, place: str) -> Iterator[tuple[str, bytes]]:
    if path.suffix == ".parquet":
        yield f"columns of {place}", repr(pq.read_table(path, partitioning=None).to_pylist()).encode()
    elif path.suffix == ".arrow":
        with pa.memory_map(str(path)) as file:
            whole = file.read(6) == b"ARROW1"
            file.seek(0)
            reader = pa.ipc.open_file(file) if whole else pa.ipc.open_stream(file)
            yield f"columns of {place}", repr(reader.read_all().to_pylist()).encode()
    elif path.suffix == ".sqlite":
        with sqlite3.connect(path) as database:
            yield f"rows of {place}", "\n".join(database.iterdump()).encode("utf-8", "replace")


def given_away(secrets: Iterable[bytes], pieces: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where a secret stands, in a sentence each."""
    wanted = list(secrets)
    return [f"{secret!r} stands in {place}" for place, piece in pieces for secret in _in(piece.lower(), wanted)]


def _in(piece: bytes, wanted: list[bytes]) -> list[bytes]:
    return [secret for secret in wanted if secret.lower() in piece]
