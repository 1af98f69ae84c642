"""Parquet files from elsewhere are read in a process of their own: what they do to it is told in a sentence, and the hub goes on."""

import io
import random
import resource
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stadthub_ingest.columnar import open_columnar
from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.foreign_parquet import Limits, beginning, pieces
from stadthub_pipelines.samples import sample_of
from stadthub_schemas.errors import FeedError


def _table(rows: int = 3000) -> pa.Table:
    """A table of every sort of column that somebody may bring."""
    return pa.table(
        {
            "nr": pa.array(range(rows), pa.uint32()),
            "wort": pa.array(["ä", None, "c"] * (rows // 3)),
            "art": pa.array(["Linde", "Eiche", None] * (rows // 3)).dictionary_encode(),
            "zeit": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * rows, pa.timestamp("us", "Europe/Berlin")),
            "tag": pa.array([date(2026, 1, 1)] * rows),
            "preis": pa.array([Decimal("1.50")] * rows),
            "liste": pa.array([[1, 2]] * rows),
            "ding": pa.array([{"a": 1, "b": "x"}] * rows),
            "bytes": pa.array([b"\xff\x00"] * rows),
            "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0123456789abcdef"] * rows, pa.binary(16))),
        }
    ).replace_schema_metadata({"own": "words"})


def _bomb(path: Path) -> None:
    """A small file whose one column is a word of a megabyte, twenty thousand times."""
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"wort": words}), path, store_schema=False, compression="zstd")


def test_what_is_read_there_is_what_would_be_read_here(tmp_path: Path) -> None:
    path = tmp_path / "alles.parquet"
    pq.write_table(_table(), path, row_group_size=1200)
    with path.open("rb") as file:
        found = pieces(file, 1)
        bodies = list(found.bodies)
    wanted = open_columnar(path.read_bytes()).table
    assert found.number == len(bodies) == 5, "a thousand rows at most here, and no piece over two row groups"
    there = pa.concat_tables([open_columnar(body).table.unify_dictionaries() for body in bodies]).unify_dictionaries()
    assert there.schema.names == wanted.schema.names
    assert there.to_pylist() == wanted.to_pylist()
    assert {one.name: one.type for one in there.schema} == {one.name: one.type for one in wanted.schema}
    with path.open("rb") as file:
        assert open_columnar(beginning(file)).table.num_rows in range(1000, 2001)


def test_a_file_without_rows_is_one_piece_with_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "leer.parquet"
    pq.write_table(_table().slice(0, 0), path)
    with path.open("rb") as file:
        [body] = pieces(file, 8_000_000).bodies
    assert open_columnar(body).header == tuple(_table().column_names)


def test_a_file_that_grows_to_twenty_gigabytes_takes_neither_memory_nor_the_hub(tmp_path: Path) -> None:
    path = tmp_path / "bombe.parquet"
    _bomb(path)
    assert path.stat().st_size < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with path.open("rb") as file, pytest.raises(DecodeError, match="more memory or time than allowed"):
        list(pieces(file, 8_000_000, Limits(memory_mb=1200)).bodies)
    with pytest.raises(FeedError, match=r"bombe\.parquet: it is a broken Parquet file, or reading it took more memory"):
        sample_of(path, "")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kilobytes"


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "alles.parquet"
    pq.write_table(_table(), path)
    with path.open("rb") as file, pytest.raises(DecodeError, match="more memory or time than allowed"):
        pieces(file, 8_000_000, Limits(seconds=0.001))


def test_a_broken_file_is_refused_or_read_and_breaks_nothing(tmp_path: Path) -> None:
    whole = io.BytesIO()
    pq.write_table(_table(300), whole)
    dice, path = random.Random(7), tmp_path / "kaputt.parquet"
    for number in range(8):
        body = bytearray(whole.getvalue())
        for _ in range(1 + number):
            body[dice.randrange(4, len(body) - 8)] = dice.randrange(256)
        path.write_bytes(body if number else body[: len(body) // 2])
        with path.open("rb") as file, suppress(DecodeError):
            for one in pieces(file, 8_000_000).bodies:
                open_columnar(one)
