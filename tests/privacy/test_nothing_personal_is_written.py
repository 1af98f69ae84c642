"""Identifiers hidden at every place of every payload, on the real ways into a hub: not one of them stands in a byte that it wrote."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import httpx
import orjson
import pytest
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, given, settings

from stadthub_api.app import create_app
from stadthub_catalog.catalog import Catalog
from stadthub_ingest.reducing import reducer, storable
from stadthub_lake.rawlog import RawLog
from stadthub_pipelines.once import run_once
from stadthub_pipelines.trial import try_feed
from stadthub_schemas.access import Role
from stadthub_schemas.errors import StadthubError
from stadthub_schemas.feed import parse_feed
from stadthub_schemas.settings import Settings
from tests.api.city import client, served
from tests.pipelines.running import METADATA, PUSH_FEED, running
from tests.privacy.identifiers import IDENTIFIERS, planted, positions, spellings
from tests.privacy.payloads import KINDS, NOW
from tests.privacy.searching import given_away, written
from tests.servers import Broker

PRIVACY = '[metadata.privacy]\npurpose = "Auslastung"\nlegal_basis = "Art. 6 (1) e DSGVO"\n'
#: So many plantings of each kind are sent over the real ways for each set of identifiers.
SENT = 8


def feed_text(kind: str, source: str = 'type = "push"') -> str:
    """The feed file of a kind of payload."""
    decoder, options, _ = KINDS[kind]
    head = f'id = "{kind}"\ntitle = "{kind}"\ndataset = "{kind}"\ndecoder = "{decoder}"\n[source]\n{source}\n'
    return head + (f"[options]\n{options}\n" if options else "") + METADATA + PRIVACY


def broken(body: bytes) -> Iterator[bytes]:
    """What becomes of a body on a bad line: cut off, garbled, another format."""
    yield body[: len(body) * 2 // 3]
    yield b"<html>" + body + b"</html>"
    yield body.replace(b'"', b"'")
    yield orjson.dumps(body.decode("utf-8", "replace"))


def payloads(kind: str, who: Mapping[str, str], *, every: bool = False) -> list[bytes]:
    """The payload as it is, broken ones, and identifiers planted at its places; all of them, or as many as can be sent."""
    value = KINDS[kind][2](who)
    whole = orjson.dumps(value)
    ways = list(positions(value))
    texts = sorted(who.values())
    plantings = [(way, text, as_key) for way in ways for text in texts for as_key in (False, True)]
    chosen = plantings if every else plantings[:: max(1, len(plantings) // SENT)]
    made = [planted(value, way, text, as_key=as_key) for way, text, as_key in chosen]
    return [whole, *broken(whole), *(orjson.dumps(one) for one in made)]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, deadline=None)
@given(who=IDENTIFIERS)
def test_no_place_of_a_payload_lets_an_identifier_through_the_door(kind: str, who: dict[str, str]) -> None:
    times = [NOW]
    door = reducer(parse_feed(feed_text(kind), "feed.toml"), b"k" * 32, lambda: times[-1])
    secrets = spellings(who)
    for body in payloads(kind, who, every=True):
        assert not given_away(secrets, [(kind, storable(door(body, who["mail"])))])
    times.append(NOW + timedelta(hours=1))
    assert not given_away(secrets, [(kind, door.close())])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str, str]:
    """A hub that has taken its feeds up, the token of somebody who may push, and its operator's."""
    folder = tmp_path_factory.mktemp("hub")
    with running(folder, {kind: feed_text(kind) for kind in KINDS}) as hub:
        hub.wait(lambda: {feed.feed for feed in hub.catalog.feeds()} == set(KINDS))
        return hub.settings, hub.catalog.create_token("sender", Role.PUBLISHER), hub.catalog.create_token("operator", Role.OPERATOR)


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(who=IDENTIFIERS)
def test_what_is_pushed_leaves_no_identifier_in_spool_lake_database_or_log(
    hub: tuple[Settings, str, str], who: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    place, token, operator = hub
    secrets = spellings(who)
    app = create_app(place)
    before = _counts(place)
    sent = {kind: payloads(kind, who) for kind in KINDS}
    with served(app) as address, client(address, token) as one:
        doors = app.state.hub.doors
        times = [NOW]
        doors.clock = lambda: times[-1]
        for kind, bodies in sent.items():
            for body in bodies:
                headers = {"Content-Type": "application/json", "User-Agent": who["bare"], "Referer": f"https://x.example/{who['dashes']}"}
                answer = one.post(f"/api/v1/feeds/{kind}/push", params={"mac": who["colons"]}, content=body, headers=headers)
                assert answer.status_code == 202, answer.text
        times.append(NOW + timedelta(hours=1))
        doors.close_windows()
        assert not given_away(secrets, [(address, one.get(f"/api/v1/feeds/{kind}/push").content)])
    assert len(list((place.data_dir / "push" / "unifi").glob("*.body"))) == len(sent["unifi"])
    assert not given_away(secrets, written(place.data_dir))
    with running(place.data_dir, {}) as worker:
        worker.wait(lambda: not list((place.data_dir / "push").rglob("*.body")), 60)
        assert not given_away(secrets, written(place.data_dir))
    with served(create_app(place)) as address, client(address, operator) as one:
        assert not given_away(secrets, _answers(one))
    after = _counts(place)
    for kind in KINDS:
        assert after[kind][1] - before[kind][1] >= 4, f"{kind}: broken payloads are counted"
        assert after[kind][0] > 0, f"{kind}: observations are stored, else nothing was tested"
    assert not given_away(secrets, [*written(place.data_dir), ("log", "".join(capfd.readouterr()).encode())])


def _answers(one: httpx.Client) -> Iterator[tuple[str, bytes]]:
    """What every address of the hub answers to its operator: feeds, rejects, runs, metrics, the record, rows, pages in both languages."""
    for context in iter_route_contexts(create_app(Settings()).routes):
        path = str(context.path).replace(":path}", "}")
        if "GET" not in (context.methods or ()) or path.startswith("/static"):
            continue
        for kind in KINDS if "{feed}" in path else ("unifi",):
            address = path.format_map({**dict.fromkeys(re.findall(r"\{(\w+)\}", path), "x"), "feed": kind, "name": kind, "format": "csv"})
            yield address, one.get(address).content


def _counts(place: Settings) -> dict[str, tuple[int, int]]:
    """Of each feed: what it stored and what it rejected."""
    catalog = Catalog(place.database)
    try:
        return {feed.feed: (feed.counts.stored, feed.counts.rejected) for feed in catalog.feeds()}
    finally:
        catalog.close()


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(who=IDENTIFIERS)
def test_what_a_file_source_reads_leaves_no_identifier(
    tmp_path_factory: pytest.TempPathFactory, who: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    secrets = spellings(who)
    for kind in KINDS:
        source = folder / "source" / kind
        source.mkdir(parents=True)
        bodies = payloads(kind, who)
        for number, body in enumerate(bodies):
            (source / f"{number:03}.json").write_bytes(body)
        place = Settings.model_validate({"data_dir": folder / kind, "min_free_mb": 0})
        runner = run_once(parse_feed(feed_text(kind, f'type = "file"\npath = "{source}"'), "feed.toml"), place)
        assert runner.intake.counts.rejected >= 4
        assert not given_away(secrets, written(place.data_dir))
    assert not given_away(secrets, [("log", "".join(capfd.readouterr()).encode())])


def test_a_message_leaves_no_identifier_of_body_or_topic(tmp_path: Path, mosquitto: Broker) -> None:
    who = _somebody()
    source = f'type = "mqtt"\nhost = "{mosquitto.host}"\nport = {mosquitto.port}\ntopics = ["wlan/#"]'
    with running(tmp_path, {"respondd": feed_text("respondd", source)}) as hub:
        hub.wait(lambda: hub.catalog.feed("respondd").connected)
        for body in payloads("respondd", who)[:6]:
            mosquitto.publish(f"wlan/{who['bare']}/{who['station']}", body)
        hub.wait(lambda: hub.catalog.feed("respondd").counts.rejected >= 4)
        hub.wait(lambda: hub.count("respondd") > 0)
    assert not given_away(spellings(who), written(tmp_path))


def _somebody() -> dict[str, str]:
    """One set of identifiers."""
    found: list[dict[str, str]] = []

    @settings(max_examples=1, database=None, derandomize=True)
    @given(IDENTIFIERS)
    def take(who: dict[str, str]) -> None:
        found.append(who)

    take()
    return found[0]


def test_the_search_finds_what_a_feed_without_a_reducer_stores(tmp_path: Path) -> None:
    """A test of the test: raw log, columns and database are looked into."""
    row = {"thing": "erika", "property": "air_temperature", "time": "2026-01-01T00:00:00Z", "result": 1}
    with running(tmp_path, {"air": PUSH_FEED}) as hub:
        hub.push("air", row, {**row, "result": "erika is not a number"})
        hub.wait(lambda: hub.count("air") == 1)
    found = " ".join(given_away([b"erika"], written(tmp_path)))
    assert all(place in found for place in ("raw log of air", "columns of lake", "rows of state.sqlite", "columns of lake/_rejects"))


def test_a_body_that_waited_before_its_feed_had_a_reducer_goes_through_it_first(tmp_path: Path) -> None:
    who = _somebody()
    with running(tmp_path, {"unifi": feed_text("unifi")}) as hub:
        hub.push_bytes("unifi", payloads("unifi", who)[0])
        hub.wait(lambda: hub.count("unifi") > 0)
    assert not given_away(spellings(who), written(tmp_path))


@pytest.mark.parametrize("death", [signal.SIGSEGV, signal.SIGABRT])
def test_a_process_that_crashes_leaves_nothing_of_what_it_held(tmp_path: Path, death: signal.Signals) -> None:
    who = _somebody()
    home = tmp_path / "home"
    home.mkdir()
    source = tmp_path / "source"
    source.mkdir()
    for number, body in enumerate(payloads("unifi", who)):
        (source / f"{number}.json").write_bytes(body)
    place = Settings.model_validate({"data_dir": tmp_path / "hub", "min_free_mb": 0})
    place.feeds.mkdir(parents=True)
    (place.feeds / "unifi.toml").write_text(feed_text("unifi", f'type = "file"\npath = "{source}"\nevery = "PT1S"'), "utf-8")
    environment = {**os.environ, "STADTHUB_DATA_DIR": str(place.data_dir), "STADTHUB_MIN_FREE_MB": "0", "STADTHUB_LOG_LEVEL": "debug"}
    command = [sys.executable, "-m", "stadthub_pipelines"]
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            end = time.monotonic() + 60
            while not _stored(place):
                assert worker.poll() is None, (tmp_path / "log").read_text("utf-8")
                assert time.monotonic() < end, "the worker took nothing in"
                time.sleep(0.05)
            assert resource.prlimit(worker.pid, resource.RLIMIT_CORE) == (0, 0)
            worker.send_signal(death)
            assert worker.wait(60) == -death
        finally:
            worker.kill()
            worker.wait()
    assert list(home.iterdir()) == []
    assert not given_away(spellings(who), [*written(place.data_dir), ("log", (tmp_path / "log").read_bytes())])


def _stored(place: Settings) -> bool:
    with contextlib.suppress(StadthubError, FileNotFoundError, KeyError):
        return _counts(place)["unifi"][0] > 0
    return False


def test_the_key_is_made_once_and_for_the_hub_alone(tmp_path: Path) -> None:
    with running(tmp_path, {"unifi": feed_text("unifi")}) as hub:
        hub.wait(lambda: bool(hub.catalog.feed("unifi").connected))
    path = tmp_path / "keys" / "pseudonym"
    key = path.read_bytes()
    assert (len(key), path.stat().st_mode & 0o777) == (32, 0o600)
    with running(tmp_path, {}) as hub:
        hub.wait(lambda: bool(hub.catalog.feed("unifi").connected))
    assert path.read_bytes() == key
    assert not given_away([key, key.hex().encode()], (piece for piece in written(tmp_path) if piece[0] != "keys/pseudonym"))


def test_a_wrong_feed_file_lets_nothing_in(hub: tuple[Settings, str, str]) -> None:
    place, token, _ = hub
    file = place.feeds / "unifi.toml"
    right = file.read_text("utf-8")
    try:
        file.write_text(right.replace("decoder =", "decodr ="), "utf-8")
        with served(create_app(place)) as address, client(address, token) as one:
            assert one.post("/api/v1/feeds/unifi/push", content=b"{}").status_code == 503
    finally:
        file.write_text(right, "utf-8")


def test_a_refused_payload_is_one_reject_without_a_word_of_it(tmp_path: Path) -> None:
    with running(tmp_path, {"unifi": feed_text("unifi")}) as hub:
        hub.push_bytes("unifi", b'{"data": [{"mac": "02:00:5e')
        hub.wait(lambda: hub.catalog.feed("unifi").counts.rejected == 1)
        counts = hub.catalog.feed("unifi").counts
        assert (counts.received, counts.stored, counts.balanced) == (1, 0, True)
    [reject] = hub.reader.rejects("unifi").to_pylist()
    assert reject["excerpt"] == ""
    assert reject["reason"] == "payload: it is not what decoder unifi reads, nothing of it was kept"
    log = RawLog(tmp_path / "raw" / "unifi")
    assert b"02:00" not in log.read(0)[0].body
    log.close()


def test_a_trial_shows_what_is_dropped_and_writes_nothing(tmp_path: Path) -> None:
    who = _somebody()
    source = tmp_path / "source.json"
    source.write_bytes(payloads("unifi", who)[0])
    place = Settings.model_validate({"data_dir": tmp_path / "hub"})
    trial = try_feed(parse_feed(feed_text("unifi", f'type = "file"\npath = "{source}"'), "feed.toml"), place)
    assert trial.privacy_drops is not None
    assert 0 < trial.privacy_drops < trial.received_bytes
    assert trial.accepted.num_rows > 0
    assert not given_away(spellings(who), [("trial", repr(trial).encode() + repr(trial.accepted.to_pylist()).encode())])
    assert not (tmp_path / "hub").exists()
