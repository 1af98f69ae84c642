"""The pages of a large table: by columns and by rows the same comes out, whatever the cells hold."""

import io
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged, Payload
from stadthub_ingest.largetables import LargeTable
from stadthub_schemas.feed import Feed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CELLS = {
    "nr": ["1", "2", "3", "-4", "007", "+5", "6.0", "7.5", "99999999999999999999", "x", "", " 8 ", "-"],
    "wert": ["1,5", "1.234,5", "-2", "3.5", "1e3", "abc", "", "0,25", "1.23,4"],
    "tag": ["01.02.2026", "30.02.2026", "2026-02-01", "", "1.2.2026"],
    "zeit": ["01.02.2026 10:00", "25.10.2026 02:30", "29.03.2026 02:30", "nie", ""],
    "ja": ["ja", "nein", "true", "0", "vielleicht", ""],
    "plz": ["01067", "", "n/a", "9 9", "Ü"],
}
TYPES = {"nr": "integer", "wert": "number", "tag": "date", "zeit": "time", "ja": "boolean", "plz": "text"}


def feed(key: tuple[str, ...] = ()) -> Feed:
    """A table with a column of each type."""
    return Feed.model_validate(
        {
            "id": "pages", "title": "p", "dataset": "pages", "kind": "table", "decoder": "csv_table", "source": {"type": "push"}, "key": key,
            "options": {
                "delimiter": ";", "decimal": ",", "thousands": ".", "properties": {name: name for name in TYPES},
                "time_columns": ["tag", "zeit"], "times": {"formats": ["%d.%m.%Y", "%d.%m.%Y %H:%M"], "time_zone": "Europe/Berlin"},
            },
            "metadata": {
                "title": "p", "description": "p", "license": "other-closed", "themes": ["REGI"], "publisher": {"name": "pub", "title": "p"},
                "contact": {"name": "c"}, "columns": {name: {"type": kind} for name, kind in TYPES.items()},
            },
        }
    )  # fmt: skip


def told(judged: Judged) -> dict[str, Any]:
    """What came out, for a comparison."""
    rejects = [(row["row"], row["reason"], row["excerpt"]) for row in judged.rejects.to_pylist()]
    rows = judged.accepted.select(sorted(TYPES)).to_pylist() if judged.accepted.num_rows else []
    return {"received": judged.received, "rows": rows, "rejects": rejects}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(*(st.sampled_from(cells) for cells in CELLS.values())), min_size=1, max_size=12), st.sampled_from([(), ("nr",)]))
def test_by_columns_and_by_rows_the_same_comes_out(rows: list[tuple[str, ...]], key: tuple[str, ...]) -> None:
    body = "\n".join([";".join(CELLS), *(";".join(row) for row in rows)]).encode()
    one, payload = feed(key), Payload(1, NOW, "a.csv", body)
    [by_columns] = LargeTable(one, Judge(one)).pages([payload])
    by_rows = Judge(one).judge([payload])
    assert told(by_columns) == told(by_rows)


def test_a_parquet_file_goes_by_columns_and_says_the_same_as_by_rows() -> None:
    table = pa.table(
        {
            "nr": pa.array([1, 2, None], pa.int16()),
            "wert": pa.array([1.5, float("nan"), -2.0], pa.float32()),
            "tag": pa.array(["2026-02-01", None, "2026-02-03"]).cast(pa.date32()),
            "zeit": pa.array([NOW, None, NOW], pa.timestamp("ms", "UTC")),
            "ja": [True, None, False],
            "plz": ["01067", " n/a ", " Ü "],
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    one = feed().model_copy(update={"decoder": "parquet"})
    options = {name: value for name, value in one.options.items() if name in ("properties", "time_columns")}
    one = one.model_copy(update={"options": options})
    payload = Payload(1, NOW, "a.parquet", out.getvalue())
    [by_columns] = LargeTable(one, Judge(one)).pages([payload])
    assert told(by_columns) == told(Judge(one).judge([payload]))
    assert by_columns.accepted["plz"].to_pylist() == ["01067", None, "Ü"]


def test_a_key_that_comes_again_on_another_page_is_refused() -> None:
    one = feed(("nr",))
    pages = [Payload(n, NOW, f"a.csv#page={n}/2", b"nr;wert;tag;zeit;ja;plz\n1;1,5;;;ja;a\n%d;2;;;nein;b\n" % (n + 10)) for n in (1, 2)]
    first, second = LargeTable(one, Judge(one)).pages(pages)
    assert (first.accepted.num_rows, second.accepted.num_rows) == (2, 1)
    assert "stands twice" in second.rejects["reason"][0].as_py()
    assert pa.concat_tables([first.accepted, second.accepted])["nr"].to_pylist() == [1, 11, 12]
