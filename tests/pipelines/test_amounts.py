"""Amounts of money stay exact from the payload to what readers are given."""

from pathlib import Path

from stadthub_schemas.query import RowsQuery
from tests.pipelines.running import METADATA, running

FEED = (
    """
id = "budget"
title = "Budget"
dataset = "budget"
kind = "table"
decoder = "json_table"
key = ["nr"]
source = { type = "push" }
[options]
decimal_columns = ["betrag"]
"""
    + METADATA
)
AMOUNTS = ["12345678901234567.89", "-0.1", "5000"]


def test_an_amount_of_more_digits_than_a_float_holds_is_served_as_it_came(tmp_path: Path) -> None:
    rows = ",".join(f'{{"nr": {number}, "betrag": {amount}}}' for number, amount in enumerate(AMOUNTS))
    with running(tmp_path, {"budget": FEED}) as hub:
        hub.push_bytes("budget", f"[{rows}]".encode())
        hub.wait(lambda: hub.count("budget") == 3)
        body, _ = hub.lake.json(RowsQuery("budget"))
        assert b'"betrag":12345678901234567.8900000000' in body
        assert b"".join(hub.lake.export(RowsQuery("budget"), "csv")).split() == [
            b"nr,betrag",
            b"0,12345678901234567.8900000000",
            b"1,-0.1000000000",
            b"2,5000.0000000000",
        ]
