"""Tables that several processes write in turns: what one has in hand from its last turn never hides what others did since."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from stadthub_lake.recordset import ID, RecordSet

NAME = "ds-turns"
SCHEMA = pa.schema([(ID, pa.int64()), ("n", pa.int64())])
ELSEWHERE = """
import sys
from pathlib import Path
from tests.datastore.test_turns import NAME, SCHEMA, row
from stadthub_lake.recordset import RecordSet

with RecordSet(Path(sys.argv[1]), NAME) as table:
    if sys.argv[2] == "anew":
        table.drop()
        table.create(SCHEMA, "another")
    table.add(row(int(sys.argv[3])), f"said by {sys.argv[3]}")
"""


def row(number: int) -> pa.Table:
    """The row of this number."""
    return pa.table([[number], [number * 10]], schema=SCHEMA)


def elsewhere(root: Path, how: str, number: int) -> None:
    """Another process puts this row in."""
    subprocess.run([sys.executable, "-c", ELSEWHERE, str(root), how, str(number)], check=True, cwd=Path(__file__).parents[2], timeout=120)


def begun(root: Path) -> None:
    """A table with the row 1, which stays in hand."""
    with RecordSet(root, NAME) as table:
        table.create(SCHEMA, "new")
        table.add(row(1), "said by 1")


def test_rows_of_another_process_are_there_at_the_next_turn(tmp_path: Path) -> None:
    begun(tmp_path)
    elsewhere(tmp_path, "more", 2)
    with RecordSet(tmp_path, NAME) as table:
        assert table.note == "said by 2"
        assert table.find(pa.table({"n": [20], "_number": [0]}), ["n"]).to_pylist() == [{"number": 0, "id": 2}]
        table.add(row(3), "said by 3")
    with RecordSet(tmp_path, NAME) as table:
        assert table.note == "said by 3"
        assert table.whole()[ID].to_pylist() == [1, 2, 3]


def test_a_table_that_another_process_made_anew_is_the_new_one(tmp_path: Path) -> None:
    begun(tmp_path)
    elsewhere(tmp_path, "anew", 7)
    with RecordSet(tmp_path, NAME) as table:
        assert table.note == "said by 7"
        assert table.whole()[ID].to_pylist() == [7]
        table.add(row(8), "said by 8")
    with RecordSet(tmp_path, NAME) as table:
        assert table.whole()[ID].to_pylist() == [7, 8]


def test_a_turn_that_failed_leaves_nothing_in_hand(tmp_path: Path) -> None:
    begun(tmp_path)
    try:
        with RecordSet(tmp_path, NAME) as table:
            table.add(row(2), "said by 2")
            raise TimeoutError
    except TimeoutError:
        pass
    with RecordSet(tmp_path, NAME) as table:
        assert table.note == "said by 2"
        assert table.whole()[ID].to_pylist() == [1, 2]
