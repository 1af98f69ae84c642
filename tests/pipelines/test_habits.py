"""How values usually are, and what is told when they are not: through the watch of a feed, with payloads as a judge hands them on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload
from stadthub_pipelines.drift import Watch
from stadthub_schemas.feed import parse_feed
from stadthub_schemas.finding import Finding, Severity
from tests.pipelines.running import PUSH_FEED

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


class Watched:
    """A feed whose payloads come one an hour."""

    def __init__(self, catalog: Catalog, text: str) -> None:
        self.feed = parse_feed(text, "air.toml")
        self.catalog = catalog
        self.judge = Judge(self.feed)
        self.watch = Watch(self.feed, self.judge, catalog)
        self.hour = 0

    def come(self, body: bytes) -> None:
        """The next hour's payload."""
        self.hour += 1
        payload = Payload(self.hour, self.now + timedelta(minutes=1), "push", body)
        self.watch.learn([payload], self.judge.judge([payload]))

    def rows(self, *rows: dict[str, Any]) -> None:
        self.come(orjson.dumps({"rows": rows}))

    @property
    def now(self) -> datetime:
        return BEGIN + timedelta(hours=self.hour)

    def found(self) -> dict[tuple[str, str], Finding]:
        return {(one.kind, one.subject): one for one in self.catalog.findings("air")}

    def kinds(self) -> set[str]:
        return {one.kind for one in self.catalog.findings("air")}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog(f"sqlite:///{tmp_path / 'state.sqlite'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def air(catalog: Catalog) -> Watched:
    """Twelve hours of ten things have come."""
    watched = Watched(catalog, PUSH_FEED.replace('"push"', '"file"\npath = "/nowhere"'))
    for _ in range(12):
        watched.rows(*hour(watched))
    assert watched.kinds() == set()
    return watched


def hour(watched: Watched, shift: float = 0.0, factor: float = 1.0, things: int = 10) -> list[dict[str, Any]]:
    time = (BEGIN + timedelta(hours=watched.hour + 1 + shift)).isoformat()
    return [
        {"thing": f"T{n}", "property": "water_level", "time": time, "result": factor * (100 + n + watched.hour % 5)} for n in range(things)
    ]


def test_values_that_are_ten_times_what_is_usual_are_an_error_until_they_are_usual_again(air: Watched) -> None:
    for _ in range(3):
        air.rows(*hour(air, factor=0.01))
    found = air.found()[("scale_jump", "t3:water_level")]
    assert (found.severity, found.details["factor"]) == (Severity.ERROR, 0.01)
    air.rows(*hour(air))
    assert air.kinds() == set()


def test_a_clock_that_is_an_hour_back_is_told_with_its_hours(air: Watched) -> None:
    for _ in range(3):
        air.rows(*hour(air, shift=-2))
    assert air.found()[("timezone_shift", "phenomenon_time")].details == {"hours": -2}
    air.rows(*hour(air))
    assert air.kinds() == set()


def test_a_clock_that_is_two_hours_ahead_is_told_though_no_row_is_stored(air: Watched) -> None:
    air.rows(*hour(air, shift=2))
    assert air.found()[("timezone_shift", "phenomenon_time")].details == {"hours": 2}
    air.rows(*hour(air))
    assert air.kinds() == set()


def test_payloads_whose_newest_time_stands_still_are_told(air: Watched) -> None:
    still = hour(air)
    for _ in range(12):
        air.rows(*still)
    assert "time_stuck" in air.kinds()
    air.rows(*hour(air))
    assert "time_stuck" not in air.kinds()


@pytest.mark.parametrize("things", [2, 40])
def test_things_that_vanish_or_appear_in_numbers_are_told(air: Watched, things: int) -> None:
    air.rows(*hour(air, things=things))
    assert air.found()[("cardinality_jump", "things")].details == {"usual": 10.0, "now": things}
    air.rows(*hour(air))
    assert air.kinds() == set()


def test_two_spellings_of_one_thing_are_told_with_both(air: Watched) -> None:
    for name in ("Hauptstraße 1", "Hauptstr. 1", "HAUPTSTRASSE 1", "Hauptplatz 1"):
        air.rows(*({**one, "thing": name} if one["thing"] == "T1" else one for one in hour(air)))
    assert air.found().keys() == {("spelling_variant", name) for name in ("Hauptstr. 1", "HAUPTSTRASSE 1")}
    assert air.found()[("spelling_variant", "Hauptstr. 1")].details["spellings"] == ["Hauptstraße 1", "Hauptstr. 1"]


def test_another_unit_of_a_property_without_a_stored_one_is_an_error(catalog: Catalog) -> None:
    text = PUSH_FEED.replace('result = "result" }', 'result = "result", unit = "unit" }')
    watched = Watched(catalog, text.replace('"push"', '"file"\npath = "/nowhere"'))
    for unit in ("kW", "kW", "kW", "W"):
        watched.rows(*({**one, "property": "strange_power", "unit": unit} for one in hour(watched)))
    assert watched.found()[("unit_changed", "strange_power")].details["units"] == ["kW", "W"]


def test_a_column_that_is_suddenly_empty_is_told(air: Watched) -> None:
    for _ in range(3):
        air.rows(*({**one, "note": "fine"} for one in hour(air)))
    air.rows(*({**one, "note": None} for one in hour(air)))
    assert ("column_empty", "rows[*].note") in air.found()
    air.rows(*({**one, "note": "fine"} for one in hour(air)))
    assert ("column_empty", "rows[*].note") not in air.found()


def test_what_is_usual_outlives_a_restart(air: Watched) -> None:
    air.watch.keep()
    air.watch = Watch(air.feed, air.judge, air.catalog)
    for _ in range(3):
        air.rows(*hour(air, factor=0.01))
    assert "scale_jump" in air.kinds()


XML = b'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:a="http://example.org/%d"><channel><title>x</title><item><title>y</title><guid>1</guid></item></channel></rss>'


def test_other_namespaces_are_told_with_both(catalog: Catalog) -> None:
    text = PUSH_FEED.replace("json_table", "rss").replace('dataset = "air"', 'dataset = "air"\nkind = "table"')
    text = text[: text.index("[options]")] + text[text.index("[metadata]") :]
    watched = Watched(catalog, text.replace('"push"', '"file"\npath = "/nowhere"'))
    for number in (1, 1, 2):
        watched.come(XML % number)
    assert watched.found()[("namespace_changed", "payload")].details == {
        "before": ["http://example.org/1"],
        "now": ["http://example.org/2"],
    }


def test_payloads_of_many_kinds_in_one_feed_of_messages_are_no_drift(catalog: Catalog) -> None:
    watched = Watched(catalog, PUSH_FEED)
    for number in range(60):
        extra = {f"only_{number % 3}": 1}
        watched.rows(*({**one, **extra} for one in hour(watched, things=1)))
    assert watched.kinds() == set()
