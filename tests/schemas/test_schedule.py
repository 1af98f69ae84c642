"""When a source is asked: cron in the city's time zone over both changes of the clock, and times in addresses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import HttpSource, parse_feed
from stadthub_schemas.schedule import Turns, Window, filled

BERLIN = ZoneInfo("Europe/Berlin")
FEED = """
id = "air"
title = "Air"
dataset = "air"
decoder = "json_table"
[source]
type = "{type}"
{more}
[schedule]
{schedule}
"""


def _local(cron: str, start: str, count: int) -> list[str]:
    turns = Turns(timedelta(hours=1), cron, BERLIN)
    time = datetime.fromisoformat(start).astimezone(UTC)
    found = []
    for _ in range(count):
        time = turns.after(time)
        assert turns.until(time) == time
        assert turns.until(time + timedelta(seconds=59)) == time
        found.append(time.astimezone(BERLIN).isoformat()[5:])
    return found


def test_a_turn_in_the_hour_that_is_missing_in_spring_comes_when_the_clock_has_jumped() -> None:
    assert _local("30 2 * * *", "2026-03-28T00:00+01:00", 3) == [
        "03-28T02:30:00+01:00",
        "03-29T03:00:00+02:00",
        "03-30T02:30:00+02:00",
    ]


def test_a_turn_in_the_hour_that_comes_twice_in_autumn_comes_once() -> None:
    assert _local("30 2 * * *", "2026-10-24T00:00+02:00", 3) == [
        "10-24T02:30:00+02:00",
        "10-25T02:30:00+02:00",
        "10-26T02:30:00+01:00",
    ]


def test_an_hourly_turn_comes_in_every_hour_that_there_is() -> None:
    assert _local("5 * * * *", "2026-10-25T01:00+02:00", 4) == [
        "10-25T01:05:00+02:00",
        "10-25T02:05:00+02:00",
        "10-25T02:05:00+01:00",
        "10-25T03:05:00+01:00",
    ]


def test_in_the_hour_that_comes_twice_the_turn_before_is_the_one_of_that_day() -> None:
    turns = Turns(timedelta(hours=1), "30 2 * * *", BERLIN)
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert turns.until(datetime(2026, 10, 25, 1, 20, tzinfo=UTC)) == first
    assert turns.until(datetime(2026, 10, 25, 0, 29, tzinfo=UTC)) == first - timedelta(days=1)


def test_an_interval_lies_on_a_grid_that_no_restart_moves() -> None:
    turns = Turns(timedelta(minutes=15), None, BERLIN)
    assert turns.after(datetime(2026, 1, 1, 0, 7, tzinfo=UTC)) == datetime(2026, 1, 1, 0, 15, tzinfo=UTC)
    assert turns.until(datetime(2026, 1, 1, 0, 15, tzinfo=UTC)) == datetime(2026, 1, 1, 0, 15, tzinfo=UTC)


def test_times_in_an_address_are_in_utc_or_in_the_citys_form() -> None:
    window = Window(datetime(2026, 6, 30, 22, 0, tzinfo=UTC), datetime(2026, 7, 1, 22, 0, tzinfo=UTC))
    address = "https://daten.example/{start:%Y/%m/%d}?from={start}&to={end:%d.%m.%Y %H:%M}&at={time:%j}"
    assert filled(address, window, BERLIN) == ("https://daten.example/2026/07/01?from=2026-06-30T22:00:00Z&to=02.07.2026 00:00&at=183")


def test_an_address_keeps_its_places_and_one_without_is_as_it_was() -> None:
    def url(address: str) -> str:
        return HttpSource.model_validate({"type": "http", "url": address}).url

    assert url("https://daten.example/a?day={start:%Y-%m-%d}") == "https://daten.example/a?day={start:%Y-%m-%d}"
    assert url("https://Daten.example") == "https://daten.example/"


@pytest.mark.parametrize(
    ("type_", "more", "schedule", "sentence"),
    [
        ("http", 'url = "https://a.example"', 'cron = "5 * * *"', "schedule.cron: "),
        ("http", 'url = "https://a.example"', 'cron = "61 * * * *"', "write five fields"),
        ("http", 'url = "https://a.example"', 'cron = "0 5 * * * *"', "write five fields"),
        ("http", 'url = "https://a.example"', 'catch_up = "all"', "all needs {start}, {end} or {time} in source.url"),
        ("http", 'url = "https://a.example"', 'window = "PT1H"', "put {start} and {end} into it"),
        ("http", 'url = "https://a.example/{begin}"', "", "only {start}, {end} and {time} may stand in braces"),
        ("push", "", 'cron = "5 * * * *"', "data come by themselves: remove it"),
        ("http", 'url = "https://a.example"', 'crom = "5 * * * *"', "did you mean cron?"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_told_in_a_sentence(type_: str, more: str, schedule: str, sentence: str) -> None:
    with pytest.raises(FeedError) as caught:
        parse_feed(FEED.format(type=type_, more=more, schedule=schedule), "air.toml")
    assert sentence in str(caught.value)


def test_an_alarm_address_in_a_feed_file_names_its_secret_and_never_holds_it() -> None:
    whole = 'alerts = ["matrix://hub:geheim@chat.example"]\n' + FEED.format(type="push", more="", schedule="")
    with pytest.raises(FeedError, match="a secret must not stand in a feed file"):
        parse_feed(whole, "air.toml")
