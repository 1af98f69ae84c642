"""`stadthub feed add`: from a file, an address, a broker, a pipe or a template to a feed file that is right."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.cli.conftest import Command
from tests.cli.running import environment
from tests.servers import Answer, Broker, WebServer
from typer.testing import CliRunner

from stadthub_api.cli.app import app
from stadthub_schemas.feed import load_feed

CSV = "Station;Zeit;PM10 [µg/m³];E-Mail\n" + "".join(
    f"{name};01.02.2026 {hour}:00;{hour},5;erika@example.org\n" for hour in range(10, 20) for name in "AB"
)
WORDS = [
    f"--set={one}"
    for one in (
        "metadata.description=Feinstaub",
        "metadata.license=dl-de-by-2.0",
        "metadata.release.by=Umweltamt",
        "metadata.release.date=2026-01-01",
        "metadata.release.legal_basis=§ 12a EGovG",
    )
]


@pytest.fixture
def luft(city: Path) -> Path:
    """A CSV file with values and addresses of people."""
    path = city / "luft.csv"
    path.write_text(CSV, "utf-8")
    return path


def test_a_file_becomes_a_feed_that_tries_well(luft: Path, stadthub: Command, told: Callable[..., Any]) -> None:
    done = stadthub("feed", "add", str(luft), "--yes", *WORDS)
    assert done.exit_code == 0, done.stderr
    assert "next: stadthub feed try" in done.stderr
    assert "erika" not in done.stderr + done.stdout
    path = luft.parent / "feeds" / "luft.toml"
    feed = load_feed(path)
    assert feed.options["keep"] == "named"
    assert feed.metadata is not None
    assert feed.metadata.publisher.title == "Stadt Musterstadt"  # as the city's other feed says
    assert "# " in path.read_text("utf-8")
    assert told("feed", "check")[-1]["mistakes"] == []
    tried = told("feed", "try", str(path))
    assert (tried["counts"]["received"], tried["counts"]["stored"]) == (20, 20)
    assert tried["privacy_drops"] > 0


WIDE = "Station\tTime\tPM10\tNO2\n" + "".join(
    f"A\t2026-02-{day:02} {hour}:{minute:02}\t{minute}\t{hour + 1}\n"
    for day in range(1, 4)
    for hour in range(10, 20)
    for minute in range(60)
)
TREES = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": number,
                "geometry": {"type": "Point", "coordinates": [10.0, 51.0 + number / 1000]},
                "properties": {"id": number, "art": "Linde", "wo": {"strasse": "Weg"}},
            }
            for number in range(12)
        ],
    }
)


@pytest.mark.parametrize(("name", "text", "stored"), [("wide.tsv", WIDE, 3600), ("trees.geojson", TREES, 12)])
def test_tables_of_tabs_and_places_become_feeds_that_try_well(
    luft: Path, name: str, text: str, stored: int, stadthub: Command, told: Callable[..., Any]
) -> None:
    (luft.parent / name).write_text(text, "utf-8")
    done = stadthub("feed", "add", str(luft.parent / name), "--yes", *WORDS)
    assert done.exit_code == 0, done.stderr
    tried = told("feed", "try", str(luft.parent / "feeds" / f"{name.partition('.')[0]}.toml"))
    assert (tried["counts"]["received"], tried["counts"]["stored"]) == (stored, stored)


def test_what_is_missing_is_told_at_once_and_nothing_is_written(luft: Path, stadthub: Command) -> None:
    done = stadthub("feed", "add", str(luft), "--yes")
    assert done.exit_code == 1
    assert "licence: missing (license)" in done.stderr
    assert "released by: missing (release.by)" in done.stderr
    assert "--set metadata.license=… " in done.stderr
    assert "--set metadata.release.by=… " in done.stderr
    assert not (luft.parent / "feeds" / "luft.toml").exists()


def test_a_file_that_is_there_is_never_overwritten_unasked(luft: Path, stadthub: Command) -> None:
    there = luft.parent / "feeds" / "luft.toml"
    there.write_text("# mine\n", "utf-8")
    done = stadthub("feed", "add", str(luft), "--yes", *WORDS)
    assert done.exit_code == 1
    assert "is there already" in done.stderr
    assert there.read_text("utf-8") == "# mine\n"


def test_an_address_becomes_a_feed_that_asks_as_often_as_there_is_news(
    city: Path, stadthub: Command, web_server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    web_server.answers["/luft.csv"] = Answer(CSV.encode())
    monkeypatch.setenv("STADTHUB_ALLOWED_HOSTS", "127.0.0.1/32")
    target = city / "out.toml"
    done = stadthub("feed", "add", f"{web_server.url}/luft.csv", "--output", str(target), "--json", *WORDS)
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["proposal"]["decoder"] == "csv_table"
    assert tomllib.loads(target.read_text("utf-8"))["source"] == {"type": "http", "url": f"{web_server.url}/luft.csv", "every": "PT1H"}


def test_a_private_address_is_refused(city: Path, stadthub: Command, web_server: WebServer) -> None:
    web_server.answers["/luft.csv"] = Answer(CSV.encode())
    done = stadthub("feed", "add", f"{web_server.url}/luft.csv", "--yes", *WORDS)
    assert done.exit_code == 1
    assert "private or reserved network" in done.stderr


def test_a_topic_becomes_a_feed(city: Path, stadthub: Command, mosquitto: Broker) -> None:
    body = json.dumps({"deviceInfo": {"devEui": "a840"}, "time": "2026-01-01T00:00:00Z", "object": {"temperature": 4.5}})
    done = threading.Event()

    def talk() -> None:
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", mosquitto.port)
        client.loop_start()
        while not done.is_set():
            client.publish("application/1/device/2/event/up", body, qos=1)
            time.sleep(0.2)
        client.loop_stop()
        client.disconnect()

    speaker = threading.Thread(target=talk)
    speaker.start()
    try:
        added = stadthub(
            "feed",
            "add",
            f"mqtt://127.0.0.1:{mosquitto.port}/application/+/device/+/event/up",
            "--yes",
            "--set=id=lora",
            "--set=dataset=lora",
            *WORDS,
        )
    finally:
        done.set()
        speaker.join()
    assert added.exit_code == 0, added.stderr
    feed = load_feed(city / "feeds" / "lora.toml")
    assert (feed.decoder, feed.source.type) == ("chirpstack", "mqtt")


def test_a_pasted_sample_becomes_a_feed_that_waits_for_pushes(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(city)
    sample = json.dumps([{"id": "p1", "free": 3}, {"id": "p2", "free": 4}])
    done = CliRunner().invoke(app, ["feed", "add", "-", "--set=id=parken", "--set=dataset=parken", "--yes", *WORDS], input=sample)
    assert done.exit_code == 0, done.output
    feed = load_feed(city / "feeds" / "parken.toml")
    assert (feed.source.type, feed.decoder) == ("push", "json_table")


def test_a_template_is_answered_by_set(city: Path, stadthub: Command, told: Callable[..., Any]) -> None:
    assert "pegelonline" in told("feed", "templates")
    given = ["--set=station=593647aa-9fea-43ec-a7d6-6476a76ae868", "--set=thing=bonn", "--set=longitude=7.1", "--set=latitude=50.7"]
    done = stadthub("feed", "add", "--template", "pegelonline", "--yes", *given, *WORDS[2:])
    assert done.exit_code == 0, done.stderr
    assert load_feed(city / "feeds" / "pegelonline.toml").options["constants"]["longitude"] == 7.1


#: What is asked, in this order, and what is typed; nothing takes what is proposed.
TALK = (
    ("Spalte ändern?", ""),
    ("Name des Feeds", ""),
    ("Titel des Datensatzes", ""),
    ("Titel auf Englisch", ""),
    ("Beschreibung:", "Feinstaub"),
    ("Beschreibung auf Englisch", ""),
    ("Lizenz (", "dl-de-by-2.0"),
    ("Zu nennende Quelle", ""),
    ("Herausgeber (Stadt Musterstadt)", ""),
    ("Ansprechstelle (Amt für Mobilität)", ""),
    ("E-Mail der Ansprechstelle", ""),
    ("Thema (", ""),
    ("Schlagwörter", ""),
    ("Rhythmus (", ""),
    ("Wer darf es sehen?", ""),
    ("Freigegeben von", "Umweltamt"),
    ("Freigegeben am", "2026-01-01"),
    ("Rechtsgrundlage der Freigabe", "§ 12a EGovG"),
    ("Bemerkung zur Freigabe", ""),
    ("Aktenzeichen oder Adresse", ""),
)


def test_questions_are_asked_in_the_language_of_the_keyboard(luft: Path) -> None:
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "stadthub_api.cli", "feed", "add", str(luft)]
    process = subprocess.Popen(
        command, cwd=luft.parent, env=environment(LANG="de_DE.UTF-8", LC_ALL=""), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    screen, seen, talk = "", 0, list(TALK)
    with contextlib.suppress(OSError):  # the other end is closed when the program ends
        while part := os.read(mine, 4096):
            screen += part.decode("utf-8", "replace")
            while talk and talk[0][0] in screen[seen:]:
                asked, answer = talk.pop(0)
                seen = screen.index(asked, seen) + len(asked)
                os.write(mine, f"{answer}\n".encode())
    os.close(mine)
    assert process.wait(60) == 0, screen[-3000:]
    assert talk == []
    feed = load_feed(luft.parent / "feeds" / "luft.toml")
    assert feed.metadata is not None
    assert feed.metadata.release is not None
    assert (feed.metadata.license, feed.metadata.release.by) == ("dl-de-by-2.0", "Umweltamt")
