"""Alarms: told once, to real servers, grouped, reminded of once a day, with a note of recovery; over failures and restarts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from stadthub_pipelines.channels import channels, split
from stadthub_schemas.finding import Severity
from tests.pipelines.listeners import ROOM_ID, TOKEN, Posts, mail_server, web_listener
from tests.pipelines.watching import HTTP, Watched, feed, watched

DOWN = {"connected": False, "error": "broker.example:1883: the broker can't be reached"}
UP = {"connected": True, "error": None}


@contextmanager
def told(folder: Path, **settings: object) -> Iterator[tuple[Watched, Posts]]:
    """A hub whose alarms go to a webhook."""
    with (
        web_listener() as posts,
        watched(folder, alerts=f"json://127.0.0.1:{posts.port}/alarm", site_title="Musterstadt", **settings) as hub,
    ):
        yield hub, posts


def goes_on(hub: Watched, minutes: int, **notes: object) -> None:
    """Minutes go by; each time it is told what is to be told."""
    for number in range(minutes):
        hub.passes(1, **(notes if number == 0 else {}))
        hub.alarms.look(hub.feeds, hub.now)


def test_trouble_is_told_once_and_its_end_once_with_how_long_it_lasted(tmp_path: Path) -> None:
    with told(tmp_path) as (hub, posts):
        hub.add(feed())
        goes_on(hub, 30, **DOWN)
        (text,) = posts.texts()
        assert text.startswith("[Musterstadt] Störung: air\nNeue Störungen:\n- air: broker.example:1883 antwortet nicht, wie es soll: ")
        assert "/operator" in text
        goes_on(hub, 10, **UP, last_message=hub.now)
        over = posts.texts()[1]
        assert over.startswith("[Musterstadt] Behoben: air")
        assert "Behoben:\n- air: nach 3" in over
        assert "Minuten" in over
        assert len(posts.taken) == 2
        assert [body["type"] for _, body in posts.taken] == ["failure", "success"]


def test_a_broker_that_is_down_is_one_message_for_two_hundred_feeds(tmp_path: Path) -> None:
    with told(tmp_path, language="en") as (hub, posts):
        for number in range(200):
            hub.add(feed(f"feed-{number:03}"))
        goes_on(hub, 4, **DOWN)
        hub.add(feed("another"), **DOWN)
        goes_on(hub, 4)
        (text,) = posts.texts()
        assert "200 feeds (feed-000, feed-001, feed-002, …): broker.example:1883 does not answer as it should" in text
        goes_on(hub, 5, **UP, last_message=hub.now)
        assert len(posts.taken) == 2
        assert "201 feeds" in posts.texts()[1]


def test_many_feeds_that_fall_silent_together_are_one_message_that_says_how_many_more(tmp_path: Path) -> None:
    with told(tmp_path) as (hub, posts):
        for number in range(50):
            hub.add(feed(f"feed-{number:03}", more='[expect]\nevery = "PT10M"'))
        goes_on(hub, 90)
        (text,) = posts.texts()
        assert text.startswith("[Musterstadt] 50 Störungen\n")
        assert "- feed-019: es kommt nichts Neues, erwartet alle 10 Minuten; zuletzt " in text
        assert "… und 30 weitere" in text


def test_an_open_alarm_is_told_again_after_a_day_and_not_before(tmp_path: Path) -> None:
    with told(tmp_path) as (hub, posts):
        hub.add(feed())
        goes_on(hub, 3, **DOWN)
        hub.now += timedelta(hours=23)
        goes_on(hub, 1)
        assert len(posts.taken) == 1
        hub.now += timedelta(hours=1)
        goes_on(hub, 3)
        assert len(posts.taken) == 2
        assert posts.texts()[1].startswith("[Musterstadt] Weiterhin gestört: air")


def test_a_restart_neither_repeats_an_alarm_nor_forgets_its_end(tmp_path: Path) -> None:
    with told(tmp_path) as (hub, posts):
        hub.add(feed())
        goes_on(hub, 3, **DOWN)
        hub.restart()
        goes_on(hub, 3)
        assert len(posts.taken) == 1
        hub.catalog.note_feed("air", **UP)
        hub.restart()
        goes_on(hub, 4, last_message=hub.now)
        assert [text.partition("\n")[0] for text in posts.texts()[1:]] == ["[Musterstadt] Behoben: air"]


def test_what_could_not_be_delivered_is_tried_again_with_growing_pauses_and_shown(tmp_path: Path) -> None:
    with told(tmp_path) as (hub, posts):
        posts.status = 500
        hub.add(feed())
        goes_on(hub, 3, **DOWN)
        (message,) = hub.catalog.messages()
        assert message.attempts >= 1
        assert "did not take the message" in (message.error or "")
        goes_on(hub, 60)
        (message,) = hub.catalog.messages()
        assert 4 <= message.attempts <= 8
        hub.restart()
        posts.status = 200
        hub.now += timedelta(hours=2)
        goes_on(hub, 2)
        (message,) = hub.catalog.messages()
        assert message.delivered is not None
        assert message.error is None
        assert len(posts.taken) == 1


def test_maintenance_raises_no_alarm_until_it_is_over(tmp_path: Path) -> None:
    with told(tmp_path) as (hub, posts):
        hub.add(feed(), silent_until=hub.now + timedelta(hours=2))
        goes_on(hub, 30, **DOWN)
        assert hub.found() == ["source_error"], "it is seen all the same"
        assert posts.taken == []
        goes_on(hub, 91)
        assert len(posts.taken) == 1


def test_a_feed_that_is_paused_ends_its_alarm_without_a_word(tmp_path: Path) -> None:
    with told(tmp_path) as (hub, posts):
        hub.add(feed())
        goes_on(hub, 3, **DOWN)
        goes_on(hub, 3, paused=True)
        assert len(posts.taken) == 1
        assert hub.catalog.incidents() == []


def test_a_feed_with_its_own_address_is_told_of_there_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with told(tmp_path) as (hub, posts), web_listener() as own:
        monkeypatch.setenv("ALARMS_OF_WATER", f"json://127.0.0.1:{own.port}/water")
        hub.add(feed("water", head='alerts = ["${ALARMS_OF_WATER}"]'), **DOWN)
        hub.add(feed("quiet", source=HTTP, head="alerts = []"), error="daten.example: timed out")
        hub.add(feed("air"))
        goes_on(hub, 3)
        assert posts.taken == []
        assert [path for path, _ in own.taken] == ["/water"]


def test_alarms_reach_mail_webhook_and_matrix_and_tell_no_secret(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATRIX_PASSWORD", "sehr-geheim")
    with mail_server() as box, web_listener() as posts:
        addresses = ", ".join(
            (
                f"mailto://127.0.0.1:{box.port}?from=hub@musterstadt.example&to=team@musterstadt.example,dienst@musterstadt.example&mode=insecure",
                f"json://127.0.0.1:{posts.port}/alarm",
                f"matrix://hub:${{MATRIX_PASSWORD}}@127.0.0.1:{posts.port}/{ROOM_ID}?version=3",
            )
        )
        with watched(tmp_path, alerts=addresses, site_title="Musterstadt") as hub:
            hub.add(feed(source=HTTP), error="https://daten.example/air.json: timed out")
            goes_on(hub, 3)
            assert [(one.channel, one.error) for one in hub.catalog.messages()] == [
                ("3: Matrix", None),
                ("2: JSON", None),
                ("1: E-Mail", None),
            ]
        assert {mail["To"] for mail in box.mails} == {"team@musterstadt.example", "dienst@musterstadt.example"}
        assert box.mails[0]["Subject"] == "[Musterstadt] Störung: air"
        assert "daten.example" in str(box.mails[0].get_body())
        paths = [path for path, _ in posts.taken]
        assert paths[0] == "/alarm"
        assert f"/rooms/{ROOM_ID}/send/m.room.message/" in paths[1]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()) + "".join(capfd.readouterr()).encode()
    assert b"sehr-geheim" not in written
    assert TOKEN.encode() not in written


def test_an_address_that_is_none_says_so_when_it_is_to_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    first, second = channels([SecretStr("gopher://somewhere"), SecretStr("${NOWHERE}")])
    assert first.send("a", "b", Severity.INFO) == "alarm address 1 is none that can be used: see the list of apprise's services"
    assert "NOWHERE is not set" in str(second.send("a", "b", Severity.INFO))


def test_a_comma_ends_an_address_only_where_another_one_begins() -> None:
    found = split(SecretStr("mailto://a@b.example?to=x@y,z@y, json://c , ${ONE},file:/run/two"))
    assert [one.get_secret_value() for one in found] == ["mailto://a@b.example?to=x@y,z@y", "json://c", "${ONE}", "file:/run/two"]
