"""A message whose mapping needs no surroundings is read directly: the answers are those of the way by paths, and of each message alone."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged, Payload
from tests.ingest.feeds import RECEIVED, answers, balanced, feed, payload

FLAT: dict[str, Any] = {
    "columns": {
        name: name for name in ("thing", "thing_name", "observed_property", "phenomenon_time", "result", "unit", "longitude", "latitude")
    },
}
CLOCK = {**FLAT["columns"], "phenomenon_time": ["day", "phenomenon_time"]}
WIDE: dict[str, Any] = {
    "columns": {"phenomenon_time": "phenomenon_time", "sensor": '"a name.with dots"'},
    "constants": {"thing": "{place}", "unit": "Cel"},
    "values": {
        "result": {"observed_property": "air_temperature", "quality": "unit"},
        "more": {"observed_property": "{path}", "factor": 0.1},
    },
    "file_name": r"x/(?P<place>\w*)",
    "parameters": {"extra": "extra"},
}
WAYS: dict[str, dict[str, Any]] = {
    "flat": FLAT,
    "deep": {"columns": {**FLAT["columns"], "result": "more.a[0]", "thing": "extra.b"}},
    "day and clock": {"columns": CLOCK, "times": {"time_zone": "Europe/Berlin"}},
    "local time": {**FLAT, "times": {"time_zone": "Europe/Berlin"}},
    "received": {"columns": {**FLAT["columns"], "phenomenon_time": None}, "constants": {"phenomenon_time": "received"}},
    "wide": WIDE,
    "decimal comma": {**FLAT, "decimal": ",", "thousands": "."},
}
GOOD: dict[str, Any] = {
    "thing": "one",
    "observed_property": "air_temperature",
    "phenomenon_time": "2026-11-21T11:00:00Z",
    "result": 20.5,
    "more": {"a": [7, "8"]},
    "extra": {"b": "Straße 5"},
    "day": "2026-11-21",
}
NASTY = st.one_of(
    st.sampled_from(
        ["", " ", "n/a", " one ", "One", "Ö 1", 1, 1.0, True, None, "K", "51,5", "1.280,5", "nan", "1e400", 10**30, [], {}, [1]]
    ),
    st.sampled_from(["2026-10-25T02:30:00", "2026-10-25T02:30:00", "2026-03-29 02:30", "24:00", "11:00", "2091-01-01", 1_790_000_000]),
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=2)),
)
ROWS = st.dictionaries(st.sampled_from([*FLAT["columns"], "more", "extra", "day", "a name.with dots"]), NASTY, max_size=3).map(
    lambda changes: {**GOOD, **changes}
)


def _from_the_top(options: dict[str, Any]) -> dict[str, Any]:
    """The same mapping with every path from the top: such paths ask for what is around, so the way by paths is taken."""

    def top(path: str) -> str:
        return f"$.{path}"

    columns = {
        name: None if path is None else top(path) if isinstance(path, str) else [top(one) for one in path]
        for name, path in options["columns"].items()
    }
    values = {
        top(path): {**value, "observed_property": value["observed_property"].format(path=path)}
        | ({"quality": top(value["quality"])} if "quality" in value else {})
        for path, value in options.get("values", {}).items()
    }
    parameters = {name: top(path) for name, path in options.get("parameters", {}).items()}
    return {**options, "columns": columns, "values": values, "parameters": parameters}


def _messages(rows: list[Any]) -> list[Payload]:
    """Each row as a message: some come at the same time, some later."""
    return [
        Payload(number, RECEIVED + timedelta(minutes=number // 2 * 7), f"x/{number % 3}", json.dumps(row).encode())
        for number, row in enumerate(rows)
    ]


def _judge(options: dict[str, Any]) -> Judge:
    return Judge(feed("json_table", {name: value for name, value in options.items() if value != {}}))


def _exactly(judged: Judged) -> tuple[int, int, str, str]:
    """What the judge said, in its order."""
    return judged.received, judged.dropped, repr(judged.accepted.to_pylist()), repr(judged.rejects.to_pylist())


@pytest.mark.parametrize("way", WAYS)
@given(rows=st.lists(ROWS, max_size=6))
@settings(max_examples=60, deadline=None)
def test_messages_read_directly_give_the_answers_of_the_way_by_paths(way: str, rows: list[Any]) -> None:
    messages = _messages(rows)
    directly, by_paths = _judge(WAYS[way]).judge(messages), _judge(_from_the_top(WAYS[way])).judge(messages)
    assert _exactly(directly) == _exactly(by_paths)
    assert balanced(directly)


@pytest.mark.parametrize("way", WAYS)
@given(rows=st.lists(st.one_of(ROWS, ROWS, NASTY, st.lists(ROWS, max_size=2)), max_size=6))
@settings(max_examples=40, deadline=None)
def test_messages_judged_together_are_judged_as_each_alone(way: str, rows: list[Any]) -> None:
    messages = _messages(rows)
    judge = _judge(WAYS[way])
    together = judge.judge(messages)
    alone = [_judge(WAYS[way]).judge([message]) for message in messages]
    assert together.received == sum(one.received for one in alone)
    assert together.dropped == sum(one.dropped for one in alone)
    assert repr(together.accepted.to_pylist()) == repr([row for one in alone for row in one.accepted.to_pylist()])
    assert repr(together.rejects.to_pylist()) == repr([row for one in alone for row in one.rejects.to_pylist()])


def test_things_that_only_seem_alike_are_told_apart() -> None:
    messages = _messages([{**GOOD, "thing": thing} for thing in (1, True, "1", 1.0, True)])
    judged = _judge(FLAT).judge(messages)
    assert judged.accepted.column("thing").to_pylist() == ["1", "1", "1"]
    assert judged.rejects.column("reason").to_pylist() == ["thing: 'True' is not a name"] * 2


def test_a_list_of_objects_is_read_as_each_object_alone() -> None:
    rows = [{**GOOD, "result": number} for number in range(3)]
    together = _judge(FLAT).judge([payload(json.dumps(rows))])
    assert answers(together)[2] == sorted(
        repr(row) for one in rows for row in _judge(FLAT).judge([payload(json.dumps(one))]).accepted.to_pylist()
    )
