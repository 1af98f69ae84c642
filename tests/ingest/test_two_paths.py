"""The row path and the column path of csv_table give the same answers, whatever stands in the file."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_ingest.judge import Judge
from tests.ingest.feeds import BY_COLUMNS, BY_ROWS, answers, balanced, feed, payload

WIDE: dict[str, Any] = {
    "columns": {"phenomenon_time": "t", "longitude": "lon", "latitude": "lat"},
    "values": {"a": {"observed_property": "air_temperature", "unit": "K", "thing": "one", "quality": "a-status"}},
    "channels": [{"pattern": r"^(?P<thing>\d+) \((?P<thing_name>.*)\)$", "observed_property": "bicycles"}],
    "times": {"time_zone": "Europe/Berlin"},
}
LONG: dict[str, Any] = {
    "columns": {"phenomenon_time": "t", "thing": "lon", "observed_property": "lat", "unit": "a-status", "result": "a"},
    "times": {"time_zone": "Europe/Berlin"},
}
WAYS: dict[str, dict[str, Any]] = {
    "wide": WIDE,
    "long": LONG,
    "decimal comma": {**WIDE, "decimal": ","},
    "thousands": {**WIDE, "decimal": ",", "thousands": "."},
    "factor": {**WIDE, "values": {"a": {**WIDE["values"]["a"], "factor": 0.1}}},
    "second": {**WIDE, "times": {"time_zone": "Europe/Berlin", "ambiguous": "second", "missing": "shift"}},
    "refusing": {**WIDE, "times": {"time_zone": "Europe/Berlin", "ambiguous": "reject"}},
    "no zone": {**WIDE, "times": {}},
    "other formats": {**WIDE, "times": {"time_zone": "Europe/Berlin", "formats": ["epoch", "%d.%m.%Y %H:%M", "iso"]}},
    "unquoted": {**WIDE, "quote": ""},
}
HEADER = "t;lon;lat;a;a-status;17 (Nord);18 (Süd)"

TIMES = st.sampled_from(
    [
        "2025-03-30 01:45",
        "2025-03-30 02:15",
        "2025-10-26 02:00",
        "2025-10-26 02:00",
        "2025-10-26 02:15",
        "2025-10-26T03:00:00",
        "2025-06-01 24:00",
        "2025-06-01",
        "2025-06-01T00:00:00Z",
        "2025-06-01T00:00:00+0200",
        "2025-06-01 00:00:00.123456789",
        "01.06.2025 10:00",
        "1760000000",
        " 2025-06-01 10:00 ",
        "2091-01-01 00:00",
        "1066-10-14 09:00",
        "0000-00-00",
        "",
        "-",
        "gestern",
    ]
)
NUMBERS = st.one_of(
    st.sampled_from(
        ["", "-", " - ", "n/a", "nan", "NaN", "inf", "-inf", "1e3", "1e400", "+5", " 7 ", "5.", ".5", "1_0", "0x10", "٣", "true", "x"]
    ),
    st.sampled_from(["280,5", "1.280,5", "1.280", "280.5", "12.80", "-0", "00012", "9" * 400, "1e-320"]),
    st.integers(-10, 400).map(str),
    st.floats(200, 350).map(str),
)
WORDS = st.one_of(
    st.sampled_from(["", "7.6", "51,9", "air_temperature", "Bicycles", "pm10", "K", "Cel", "Straße 5", " x ", "§", "999", "spores"]),
    st.text(max_size=4),
)


def _cell(text: str) -> str:
    """The text as a cell: quoted where it must be."""
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ';"\r\n') else text


GOOD = {
    "wide": ["2025-06-01 10:00", "7.6", "51.9", "280.5", "ok", "3", "4"],
    "long": ["2025-06-01 10:00", "Nord", "air_temperature", "280.5", "K", "3", "4"],
    "decimal comma": ["2025-06-01 10:00", "7,6", "51,9", "280,5", "ok", "3", "4"],
}
NASTY = (TIMES, WORDS, WORDS, NUMBERS, WORDS, NUMBERS, NUMBERS)


@st.composite
def records(draw: st.DrawFn, way: str) -> str:
    """A good record with up to two cells replaced by something nasty."""
    cells = list(GOOD.get("decimal comma" if way == "thousands" else way, GOOD["wide"]))
    for index in draw(st.lists(st.integers(0, 6), max_size=2)):
        cells[index] = draw(NASTY[index])
    return ";".join(map(_cell, cells))


@pytest.mark.parametrize("way", WAYS)
@given(data=st.data(), ending=st.sampled_from(["\n", "\n", "\r\n", "\r"]))
@settings(max_examples=30, deadline=None)
def test_both_paths_give_the_same_answers(way: str, data: st.DataObject, ending: str) -> None:
    line = st.one_of(*[records(way)] * 6, st.sampled_from(["", "zu;kurz", ";;;;;;", " "]))
    lines = data.draw(st.lists(line, max_size=12))
    options = {"delimiter": ";", **WAYS[way]}
    came = payload(ending.join([HEADER, *lines]))
    by_rows, by_columns = (Judge(feed("csv_table", options), bulk).judge([came]) for bulk in (BY_ROWS, BY_COLUMNS))
    assert answers(by_columns) == answers(by_rows)
    assert balanced(by_rows)
    assert balanced(by_columns)


def test_a_large_clean_file_goes_by_columns() -> None:
    lines = [f"2025-06-01 {hour:02}:{minute:02};7,6;51,9;280,5;ok;{minute};{hour}" for hour in range(24) for minute in range(60)]
    options = {"delimiter": ";", **WIDE, "decimal": ","}
    judged = Judge(feed("csv_table", options)).judge([payload("\n".join([HEADER, *lines]))])
    assert (judged.received, len(judged.accepted), judged.accepted.column("result")[0].as_py()) == (4320, 4320, pytest.approx(7.35))


def test_one_bad_value_in_a_large_file_is_one_reject_with_its_place() -> None:
    lines = [f"2025-06-01 {hour:02}:{minute:02};;;280.5;ok;{minute};{hour}" for hour in range(24) for minute in range(60)]
    lines[700] = lines[700].replace("280.5", "viel")
    judged = Judge(feed("csv_table", {"delimiter": ";", **WIDE})).judge([payload("\n".join([HEADER, *lines]))])
    assert len(judged.accepted) == 4319
    assert judged.rejects.select(["position", "row", "reason"]).to_pylist() == [
        {"position": 7, "row": 700 * 3 + 1, "reason": "result: 'viel' is not a number"}
    ]
