"""A source that floods, stalls, sends too much or too slow a riddle harms no other feed, takes bounded memory, and is named."""

import http.server
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.hub import Hub, feed, flood, mqtt, running_hub
from tests.servers import Broker, wait_until

#: What is measured is below 2 s; machines that have other work get more.
FRESH = 20.0

#: How many megabytes a misbehaving source may cost the worker at most.
GROWTH = 500

GIGABYTE = 1_000_000_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_hub(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.mark.timeout(420)
@pytest.mark.parametrize("qos", [0, 1])
def test_a_topic_at_full_speed_leaves_the_others_fresh(hub: Hub, mosquitto: Broker, qos: int) -> None:
    name = f"flood-{qos}"  # at a broker of its own: how that shares its time out is not ours
    with hub.feeds(**{name: feed(name, mqtt(mosquitto.port, name, f"qos = {qos}"))}):
        wait_until(lambda: hub.catalog.feed(name).connected, "the feed listens", 60)
        before = hub.forget_peak()
        with flood(mosquitto, name, qos):
            assert hub.waits() < FRESH
            wait_until(lambda: hub.count(name) > 5000, "much of the flood is stored", 60)
        assert hub.waits(2) < FRESH
        assert hub.memory() - before < GROWTH
        wait_until(lambda: (hub.catalog.feed(name).rate_per_minute or 0) > 10_000, "its rate is shown", 60)


@pytest.mark.timeout(420)
def test_servers_that_say_nothing_or_trickle_leave_the_others_fresh_and_are_named(hub: Hub) -> None:
    with mute_server() as mute, web(trickle) as port:
        slow = f'type = "http"\nurl = "http://127.0.0.1:{port}/"\ntimeout = "PT2S"\nretries = 0'
        texts = {f"slow-{number}": feed(f"slow-{number}", slow) for number in range(12)}
        with hub.feeds(mute=feed("mute", mqtt(mute, "mute")), **texts):
            assert hub.waits() < FRESH
            for name in texts:
                hub.wait_for_words(name, "longer than 2 s")
            hub.wait_for_words("mute", "the broker does not answer")
            assert hub.waits(2) < FRESH


@pytest.mark.timeout(420)
def test_a_line_of_a_gigabyte_is_refused_in_bounded_memory(hub: Hub, tmp_path: Path) -> None:
    with (tmp_path / "long.csv").open("wb") as file:
        file.truncate(GIGABYTE)
    with web(endless) as port:
        bound = "max_bytes = 50000000"
        texts = {
            "long-http": feed("long-http", f'type = "http"\nurl = "http://127.0.0.1:{port}/"\nretries = 0\n{bound}'),
            "long-file": feed("long-file", f'type = "file"\npath = "{tmp_path}/long.csv"\n{bound}'),
            "long-mqtt": feed("long-mqtt", mqtt(hub.broker.port, "long")),
        }
        before = hub.forget_peak()
        with hub.feeds(**texts):
            wait_until(lambda: hub.catalog.feed("long-mqtt").connected, "the feed listens", 60)
            hub.publisher.publish("long", b"x" * 15_000_000)
            for name in texts:
                hub.wait_for_words(name, "bigger than source.max_bytes")
            assert hub.waits() < FRESH
            assert hub.catalog.feed("long-mqtt").counts.balanced
        assert hub.memory() - before < GROWTH


@pytest.mark.timeout(420)
def test_an_archive_that_unpacks_to_a_gigabyte_is_refused_in_bounded_memory(hub: Hub, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.csv", "w") as member:
        for _ in range(GIGABYTE // 10_000_000):
            member.write(bytes(10_000_000))
    before = hub.forget_peak()
    with hub.feeds(bomb=feed("bomb", f'type = "file"\npath = "{tmp_path}/bomb.zip"')):
        hub.wait_for_words("bomb", "times its size")
        assert hub.waits() < FRESH
    assert hub.memory() - before < GROWTH


@pytest.mark.timeout(420)
def test_an_expression_that_takes_for_ever_is_given_up_and_named(hub: Hub) -> None:
    decoding = """
decoder = "csv_table"
[options]
stop_at = "(a|aa)+$"
columns = { thing = "thing", phenomenon_time = "time", result = "value" }
constants = { observed_property = "number" }
"""
    texts = {name: feed(name, mqtt(hub.broker.port, name), decoding) for name in ("riddle-1", "riddle-2")}
    with hub.feeds(**texts):
        for name in texts:
            wait_until(lambda name=name: hub.catalog.feed(name).connected, "the feed listens", 60)  # type: ignore[misc]  # mypy can't infer a default
            for _ in range(6):
                hub.publisher.publish(name, b"thing,time,value\n" + b"a" * 60 + b"!\n")
        hub.publisher.wait()
        assert hub.waits() < FRESH
        for name in texts:
            hub.wait_for_words(name, "the regular expression '(a|aa)+$' takes longer than 1 s")


@contextmanager
def mute_server() -> Iterator[int]:
    """The port of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepted: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    accepted.append(listening.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        for one in accepted:
            one.close()


@contextmanager
def web(answer: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port of a web server that answers in this way."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class trickle(http.server.BaseHTTPRequestHandler):  # noqa: N801  reads as a word
    """A byte a second."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            for _ in range(100):
                self.wfile.write(b"[")
                time.sleep(0.5)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class endless(trickle):  # noqa: N801  reads as a word
    """A gigabyte without a line's end."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            for _ in range(GIGABYTE // 1_000_000):
                self.wfile.write(b"a" * 1_000_000)
