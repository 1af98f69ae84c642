"""The demo city speaks real protocols, every payload is judged as it should be, and a second start keeps everything."""

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.compute as pc
import pytest
from tests.servers import wait_until

from stadthub_api.demo import Demo, start
from stadthub_api.demo.city import FLEETS, dev_eui, devices
from stadthub_api.demo.counters import Counters
from stadthub_api.demo.uplinks import FAULTS, faulty, topic, uplink
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged, Payload
from stadthub_ingest.reducing import reducer, storable
from stadthub_ingest.sources import file, http
from stadthub_ingest.sources.mqtt import Message, Subscription
from stadthub_ingest.sources.reach import Reach
from stadthub_schemas.dataset import Kind
from stadthub_schemas.derived import Derived, load_file
from stadthub_schemas.feed import Feed, FileSource, HttpSource, MqttSource, load_feed
from stadthub_schemas.settings import Settings

FEEDS = {
    "baumkataster",
    "bodenfeuchte",
    "haltestellen",
    "luftqualitaet",
    "parkhaeuser",
    "rad-und-fussverkehr",
    "schallpegel",
    "sensorstoerung",
    "stadtbezirke",
    "wasserstand",
    "wlan",
    "wlan-access-points",
    "wlan-vehicles",
}
#: Describes no dataset: `wlan` does.
SECOND = "wlan-vehicles"
MODELS = {"wlan-line-load", "wlan-outages", "wlan-use", "wlan-worth"}
READY = Path(__file__).parents[3] / "docs" / "feeds"
BY_FLEET = {"air": "luftqualitaet", "soil": "bodenfeuchte", "water": "wasserstand", "noise": "schallpegel"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=tmp_path_factory.mktemp("Daten 'der' \"Stadt\""))


def history_is_written(data_dir: Path) -> None:
    """Wait until the counters have written their last quarter of an hour."""
    note = data_dir / "demo/zaehlstellen/.written"
    wait_until(lambda: note.exists() and int(note.read_text() or 0) >= time.time() // 900, "the counters have written their history", 60)


@pytest.fixture(scope="module")
def demo(settings: Settings) -> Iterator[Demo]:
    running = start(settings)
    history_is_written(settings.data_dir)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def feeds(demo: Demo, settings: Settings) -> dict[str, Feed]:
    found = {path.stem: load_file(path) for path in sorted(settings.feeds.glob("*.toml"))}
    return {name: one for name, one in found.items() if isinstance(one, Feed)}


@pytest.fixture(scope="module")
def models(demo: Demo, settings: Settings) -> dict[str, Derived]:
    found = {path.stem: load_file(path) for path in sorted(settings.feeds.glob("*.toml"))}
    return {name: one for name, one in found.items() if isinstance(one, Derived)}


def judged(feed: Feed, *payloads: tuple[str, bytes], now: datetime | None = None) -> Judged:
    received = now or datetime.now(UTC)
    found = Judge(feed).judge([Payload(number, received, name, body) for number, (name, body) in enumerate(payloads, start=1)])
    assert found.received == found.accepted.num_rows + found.rejects.num_rows + found.dropped
    return found


def scanned(feed: Feed) -> list[tuple[str, bytes]]:
    assert isinstance(feed.source, FileSource)
    return [(one.name, one.body) for one in file.scan(feed.source, {})]


def test_each_feed_describes_its_dataset_in_two_languages_and_says_that_it_is_simulated(
    feeds: dict[str, Feed], models: dict[str, Derived]
) -> None:
    assert set(feeds) == FEEDS
    assert set(models) == MODELS
    described: list[Feed | Derived] = [*(feed for name, feed in feeds.items() if name != SECOND), *models.values()]
    for feed in described:
        metadata = feed.metadata
        assert metadata is not None
        assert metadata.simulated
        assert "(simuliert)" in metadata.title
        assert "(simulated)" in str(metadata.title_en)
        assert "Simulierte Daten" in metadata.description
        assert "Simulated data" in str(metadata.description_en)
        assert (metadata.license, metadata.publisher.name) == ("dl-de-by-2.0", "musterstadt")
        assert metadata.themes
        assert metadata.keywords
        assert metadata.contact.email
        assert metadata.columns


def test_the_models_of_the_city_are_the_ready_ones(models: dict[str, Derived]) -> None:
    for name, model in models.items():
        ready = load_file(READY / f"{name}.toml")
        assert isinstance(ready, Derived)
        assert (model.sql, model.key, model.metadata.columns) == (ready.sql, ready.key, ready.metadata.columns)


def test_the_wlan_has_four_weeks_of_history_and_knows_of_vehicles_the_stop_only(feeds: dict[str, Feed], settings: Settings) -> None:
    for name, things, properties in (("wlan", 26, 4), (SECOND, 4, 4)):
        folder = settings.data_dir / "demo" / ("wlan" if name == "wlan" else "wlan-fahrzeuge")
        wait_until(lambda folder=folder: len(list(folder.glob("*.json"))) >= 28, "the history is written", 60)  # type: ignore[misc]
        door = reducer(feeds[name], b"k" * 32)
        kept = [(path, storable(door(body, path))) for path, body in scanned(feeds[name])]
        found = judged(feeds[name], *kept)
        assert found.rejects.num_rows == 0
        assert pc.count_distinct(found.accepted["thing"]).as_py() == things
        assert pc.count_distinct(found.accepted["observed_property"]).as_py() == properties
        times = pc.min_max(found.accepted["phenomenon_time"]).as_py()
        assert times["max"] - times["min"] > timedelta(days=26)
        placed = found.accepted["longitude"].null_count == 0
        assert placed == (name == "wlan")
        stops = {json.loads(words)["stop"] for words in found.accepted["parameters"].to_pylist() if words}
        assert (len(stops) > 10) == (name == SECOND)


@pytest.mark.parametrize(("name", "count"), [("stadtbezirke", 8), ("baumkataster", 2000), ("haltestellen", 120)])
def test_places_are_features_without_a_reject(feeds: dict[str, Feed], name: str, count: int) -> None:
    found = judged(feeds[name], *scanned(feeds[name]))
    assert feeds[name].kind is Kind.FEATURES
    assert (found.accepted.num_rows, found.rejects.num_rows) == (count, 0)


def test_districts_share_their_borders_and_do_not_overlap(feeds: dict[str, Feed]) -> None:
    ((_, body),) = scanned(feeds["stadtbezirke"])
    corners = Counter(tuple(corner) for one in json.loads(body)["features"] for corner in one["geometry"]["coordinates"][0][:-1])
    assert max(corners.values()) == 3
    assert sum(1 for count in corners.values() if count > 1) > 84


def test_counters_have_thirty_days_of_history_without_a_reject(feeds: dict[str, Feed]) -> None:
    found = judged(feeds["rad-und-fussverkehr"], *scanned(feeds["rad-und-fussverkehr"]))
    assert found.rejects.num_rows == 0
    assert found.accepted.num_rows in (60 * 96 * 30, 60 * (96 * 30 + 1)), "a quarter of an hour may end meanwhile"
    rows = found.accepted.group_by(["observed_property"]).aggregate([("result", "sum"), ("thing", "count_distinct")]).to_pylist()
    things = {row["observed_property"]: row["thing_count_distinct"] for row in rows}
    assert things == {"bicycles": 40, "pedestrians": 20}
    assert all(row["result_sum"] > 10_000 for row in rows)


def test_car_parks_answer_over_http_and_say_when_nothing_has_changed(feeds: dict[str, Feed], demo: Demo) -> None:
    source = feeds["parkhaeuser"].source
    assert isinstance(source, HttpSource)
    fetched = list(http.fetch(source, {}, Reach(demo.allowed_hosts)))
    found = judged(feeds["parkhaeuser"], *((one.name, one.body) for one in fetched))
    assert (found.accepted.num_rows, found.rejects.num_rows) == (60, 0)
    again = list(http.fetch(source, fetched[-1].state, Reach(demo.allowed_hosts)))
    assert again == [] or json.loads(again[0].body)["stand"] > json.loads(fetched[0].body)["stand"]


def test_devices_publish_over_mqtt_within_seconds(feeds: dict[str, Feed], demo: Demo) -> None:
    messages: list[Message] = []

    def deliver(message: Message) -> None:
        message.acknowledge()
        messages.append(message)

    found = {}
    subscriptions = []
    for name in (*BY_FLEET.values(), "sensorstoerung"):
        source = feeds[name].source
        assert isinstance(source, MqttSource)
        subscriptions.append(Subscription(name, source, deliver))
        subscriptions[-1].start()
    try:
        wait_until(lambda: len({one.topic.split("/")[1] for one in messages}) == 5, f"all five applications: {messages}", 30)
    finally:
        for subscription in subscriptions:
            subscription.stop()
    for fleet in FLEETS:
        feed = feeds[BY_FLEET[fleet.kind]]
        found[fleet.kind] = judged(feed, *((one.topic, one.body) for one in messages if fleet.application in one.topic))
        assert found[fleet.kind].accepted.num_rows > 0
        assert found[fleet.kind].rejects.num_rows == 0


def test_the_broker_keeps_messages_for_an_absent_hub(feeds: dict[str, Feed], demo: Demo) -> None:
    source = feeds["luftqualitaet"].source
    assert isinstance(source, MqttSource)
    every = source.model_copy(update={"topics": ("application/#",)})
    first = Subscription("absent", every, lambda _: None)
    first.start()
    wait_until(lambda: first.connected, "connected")
    first.stop()
    witness: list[Message] = []
    present = Subscription("present", every, witness.append)
    present.start()
    wait_until(lambda: len(witness) >= 3, "three messages for the other one")
    present.stop()
    came: list[bytes] = []
    second = Subscription("absent", every, lambda message: came.append(message.body))
    second.start()
    try:
        wait_until(lambda: {message.body for message in witness} <= set(came), "what came while it was away")
    finally:
        second.stop()


@pytest.mark.parametrize("when", ["2026-01-15T03:00", "2026-04-01T07:45", "2026-07-20T15:00", "2026-10-31T17:10", "2027-12-24T12:00"])
def test_all_devices_send_plausible_values_all_year(feeds: dict[str, Feed], when: str) -> None:
    now = datetime.fromisoformat(when).replace(tzinfo=UTC)
    for fleet in FLEETS:
        mine = [device for device in devices() if device.fleet is fleet]
        payloads = [(topic(device), uplink(device, now.timestamp())) for device in mine]
        found = judged(feeds[BY_FLEET[fleet.kind]], *payloads, now=now)
        assert found.rejects.num_rows == 0
        values = {"air": 7, "soil": 3, "water": 3, "noise": 2}[fleet.kind]
        assert found.accepted.num_rows == fleet.count * values
        assert found.accepted["longitude"].null_count == 0


def test_faults_become_rejects_with_reasons(feeds: dict[str, Feed]) -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    found = judged(feeds["sensorstoerung"], *(faulty(number, now.timestamp()) for number in range(len(FAULTS))), now=now)
    reasons = found.rejects["reason"].to_pylist()
    assert (found.accepted.num_rows, len(reasons)) == (7, 6)
    assert sum("2 days ahead" in reason for reason in reasons) == 2
    assert any("not a ChirpStack v4 event" in reason for reason in reasons)


def test_the_city_is_the_same_on_every_machine() -> None:
    fleet = devices()
    assert len({dev_eui(device) for device in fleet}) == 400
    assert Counter(device.fleet.kind for device in fleet) == {"air": 100, "soil": 150, "water": 50, "noise": 100}
    first = next(device for device in fleet if (device.fleet.kind, device.number) == ("air", 7))
    body = json.loads(uplink(first, 1_795_262_400.0))
    assert (body["deviceInfo"]["devEui"], body["fCnt"]) == ("02005eef10000007", 467280)
    assert uplink(first, 1_795_262_400.0) == uplink(first, 1_795_262_400.0)


def test_a_second_start_keeps_files_ports_and_history(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first = start(settings)
    history_is_written(tmp_path)
    first.stop()
    mine = settings.feeds / "parkhaeuser.toml"
    mine.write_text(mine.read_text().replace('every = "PT30S"', 'every = "PT5M"'))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    second = start(settings)
    second.stop()
    assert (second.mqtt_port, second.parking_port) == (first.mqtt_port, first.parking_port)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: after[path] for path in before if path.name != ".written"} == {
        path: body for path, body in before.items() if path.name != ".written"
    }


def test_a_port_that_is_taken_is_replaced_in_the_feed_files(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    first = start(settings)
    first.stop()
    with socket.create_server(("127.0.0.1", first.mqtt_port)):
        second = start(settings)
        second.stop()
    assert second.mqtt_port != first.mqtt_port
    source = load_feed(settings.feeds / "luftqualitaet.toml").source
    assert isinstance(source, MqttSource)
    assert source.port == second.mqtt_port


def test_counters_write_what_was_missed_once(tmp_path: Path, feeds: dict[str, Feed]) -> None:
    now = datetime.now(UTC) - timedelta(days=2)

    def written() -> set[tuple[str, str]]:
        rows = [line.split(";") for path in tmp_path.glob("*.csv") for line in path.read_text().splitlines()[1:]]
        keys = [(row[0], row[3]) for row in rows]
        assert len(keys) == len(set(keys))
        return set(keys)

    Counters(tmp_path, now.timestamp).catch_up()
    assert len(written()) == 60 * 96 * 30
    Counters(tmp_path, (now + timedelta(minutes=15)).timestamp).catch_up()
    assert len(written()) == 60 * (96 * 30 + 1)
    Counters(tmp_path, (now + timedelta(hours=30)).timestamp).catch_up()
    assert len(written()) == 60 * (96 * 30 + 120)
