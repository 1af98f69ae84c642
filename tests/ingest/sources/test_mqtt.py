"""MQTT: what is not acknowledged comes again, whatever is killed; what is acknowledged does not."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.servers import Broker, make_certificates, program, running_mosquitto, wait_until

from stadthub_ingest.sources.mqtt import Message, Subscription
from stadthub_schemas.errors import FeedError, StorageError
from stadthub_schemas.feed import MqttSource

Subscribe = Callable[..., "Listener"]


class Listener:
    """A subscription with everything that it delivered."""

    def __init__(self, source: MqttSource, on_message: Callable[[Message], None] | None = None) -> None:
        self.messages: list[Message] = []
        self.dropped: list[tuple[str, int]] = []
        self.on_message = on_message
        self.subscription = Subscription("test", source, self._deliver, lambda topic, size: self.dropped.append((topic, size)))

    def _deliver(self, message: Message) -> None:
        if self.on_message is not None:
            self.on_message(message)
        self.messages.append(message)

    def bodies(self) -> list[bytes]:
        return [message.body for message in self.messages]

    def has(self, count: int) -> None:
        wait_until(lambda: len(self.messages) >= count, f"{count} messages, there are {len(self.messages)}: {self.subscription.error}")


def source_of(broker: Broker, **more: Any) -> MqttSource:
    return MqttSource.model_validate({"type": "mqtt", "host": broker.host, "port": broker.port, "topics": ["a/#"], **more})


@pytest.fixture
def subscribe() -> Iterator[Subscribe]:
    """Starts subscriptions that are connected when it returns, and stops them at the end."""
    started: list[Subscription] = []

    def start(broker: Broker, on_message: Callable[[Message], None] | None = None, **more: Any) -> Listener:
        listener = Listener(source_of(broker, **more), on_message)
        listener.subscription.start()
        started.append(listener.subscription)
        wait_until(lambda: listener.subscription.connected, f"connected: {listener.subscription.error}")
        return listener

    yield start
    for subscription in started:
        subscription.stop()


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_what_is_not_acknowledged_comes_again_after_a_stop_and_what_is_does_not(
    mosquitto: Broker, subscribe: Subscribe, version: str
) -> None:
    first = subscribe(mosquitto, version=version)
    mosquitto.publish("a/b", "1", "2", "3")
    first.has(3)
    assert [message.topic for message in first.messages] == ["a/b"] * 3
    first.messages[0].acknowledge()
    first.messages[2].acknowledge()
    first.subscription.stop()
    mosquitto.publish("a/b", "4")
    second = subscribe(mosquitto, version=version)
    second.has(2)
    assert sorted(second.bodies()) == [b"2", b"4"]


def test_a_killed_subscriber_gets_again_what_it_had_not_acknowledged(mosquitto: Broker, subscribe: Subscribe) -> None:
    code = f"""
import sys, threading, time
from stadthub_ingest.sources.mqtt import Subscription
from stadthub_schemas.feed import MqttSource
seen = []
def deliver(message):
    seen.append(message)
    if len(seen) == 4:
        for kept in seen[:2]:
            kept.acknowledge()
    print(len(seen), flush=True)
source = MqttSource.model_validate(dict(type="mqtt", host="127.0.0.1", port={mosquitto.port}, topics=["a/#"]))
subscription = Subscription("test", source, deliver)
subscription.start()
while not subscription.connected:
    time.sleep(0.01)
print("connected", flush=True)
threading.Event().wait()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": ":".join(sys.path)})
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "connected\n"
        for number in range(4):
            mosquitto.publish("a/b", str(number))
        for _ in range(4):
            process.stdout.readline()
        mosquitto.publish("a/late", "behind the acknowledgements")
        process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    second = subscribe(mosquitto)
    second.has(3)
    assert sorted(second.bodies()) == [b"2", b"3", b"behind the acknowledgements"]


def test_messages_that_came_while_the_hub_was_away_are_delivered(mosquitto: Broker, subscribe: Subscribe) -> None:
    subscribe(mosquitto).subscription.stop()
    mosquitto.publish("a/x", *(str(number) for number in range(20)))
    second = subscribe(mosquitto)
    second.has(20)
    assert second.bodies() == [str(number).encode() for number in range(20)]


def test_a_restarted_broker_is_found_again_and_the_subscription_lives(mosquitto: Broker, subscribe: Subscribe) -> None:
    listener = subscribe(mosquitto)
    first_connect = listener.subscription.last_connect
    mosquitto.stop()
    wait_until(lambda: not listener.subscription.connected, "noticed")
    wait_until(lambda: listener.subscription.error is not None, "said")
    assert f"127.0.0.1:{mosquitto.port}" in str(listener.subscription.error)
    (mosquitto.folder / "mosquitto.db").unlink(missing_ok=True)
    mosquitto.start()
    wait_until(lambda: listener.subscription.connected, "connected again")
    assert listener.subscription.error is None
    assert listener.subscription.last_connect != first_connect
    mosquitto.publish("a/b", "after")
    listener.has(1)


def test_an_acknowledgement_of_a_lost_connection_acknowledges_nothing_else(mosquitto: Broker, subscribe: Subscribe) -> None:
    listener = subscribe(mosquitto)
    mosquitto.publish("a/b", "old")
    listener.has(1)
    mosquitto.stop()
    (mosquitto.folder / "mosquitto.db").unlink(missing_ok=True)
    mosquitto.start()
    wait_until(lambda: listener.subscription.connected, "connected again")
    mosquitto.publish("a/b", "new")
    listener.has(2)
    listener.messages[0].acknowledge()
    listener.subscription.stop()
    again = subscribe(mosquitto)
    again.has(1)
    assert again.bodies() == [b"new"]


def test_no_more_than_in_flight_messages_are_unacknowledged(mosquitto: Broker, subscribe: Subscribe) -> None:
    listener = subscribe(mosquitto, in_flight=3)
    mosquitto.publish("a/b", *(str(number) for number in range(6)))
    listener.has(3)
    assert len(listener.messages) == 3
    for message in list(listener.messages):
        message.acknowledge()
    listener.has(6)


def test_acknowledging_from_other_threads_reaches_the_broker(mosquitto: Broker, subscribe: Subscribe) -> None:
    listener = subscribe(mosquitto, in_flight=5)
    mosquitto.publish("a/b", *(str(number) for number in range(30)))
    done = 0
    while done < 30:
        listener.has(done + 1)
        thread = threading.Thread(target=listener.messages[done].acknowledge)
        thread.start()
        thread.join()
        done += 1
    listener.subscription.stop()
    assert listener.bodies() == [str(number).encode() for number in range(30)]
    again = subscribe(mosquitto)
    mosquitto.publish("a/b", "last")
    again.has(1)
    assert again.bodies() == [b"last"]


def test_two_workers_of_a_shared_subscription_get_each_message_once(mosquitto: Broker, subscribe: Subscribe) -> None:
    one = subscribe(mosquitto, on_message=Message.acknowledge, shared="hub", client_id="one")
    two = subscribe(mosquitto, on_message=Message.acknowledge, shared="hub", client_id="two")
    mosquitto.publish("a/b", *(str(number) for number in range(20)))
    wait_until(lambda: len(one.messages) + len(two.messages) >= 20, "20 messages")
    assert sorted(int(body) for body in one.bodies() + two.bodies()) == list(range(20))
    assert one.messages
    assert two.messages


def test_what_is_too_big_is_counted_and_never_comes_again(mosquitto: Broker, subscribe: Subscribe) -> None:
    listener = subscribe(mosquitto, max_bytes=100)
    mosquitto.publish("a/big", "x" * 101)
    mosquitto.publish("a/small", "x" * 100)
    listener.has(1)
    assert listener.dropped == [("a/big", 101)]
    listener.subscription.stop()
    again = subscribe(mosquitto, max_bytes=100)
    again.has(1)
    assert [message.topic for message in again.messages] == ["a/small"]
    assert again.dropped == []


def test_topics_of_an_older_feed_file_are_dropped(mosquitto: Broker, subscribe: Subscribe) -> None:
    subscribe(mosquitto, topics=["old/#"]).subscription.stop()
    listener = subscribe(mosquitto, topics=["new/+/x"])
    mosquitto.publish("old/thing", "no")
    mosquitto.publish("new/thing/x", "yes")
    listener.has(1)
    assert listener.bodies() == [b"yes"]
    assert listener.dropped == [("old/thing", 2)]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_messages_with_qos_2_of_an_older_session_are_taken_and_acknowledged(mosquitto: Broker, subscribe: Subscribe, version: str) -> None:
    session = [program("mosquitto_sub", "mosquitto-clients"), *mosquitto.arguments(), "-i", "old", "-q", "2", "-t", "a/#", "-E"]
    subprocess.run([*session, *(["-V", "5", "-x", "600"] if version == "5" else ["-c"]), "-c"], check=True, timeout=20)
    publish = [program("mosquitto_pub", "mosquitto-clients"), *mosquitto.arguments(), "-q", "2", "-t", "a/b", "-m", "exactly"]
    subprocess.run(publish, check=True, timeout=20)
    listener = subscribe(mosquitto, on_message=Message.acknowledge, client_id="old", version=version, in_flight=1)
    mosquitto.publish("a/b", "after")
    listener.has(2)
    listener.subscription.stop()
    again = subscribe(mosquitto, client_id="old", version=version)
    mosquitto.publish("a/b", "last")
    again.has(1)
    assert (listener.bodies(), again.bodies()) == ([b"exactly", b"after"], [b"last"])


def test_what_is_not_mqtt_is_an_error_and_no_crash() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = MqttSource.model_validate({"type": "mqtt", "host": "127.0.0.1", "port": server.getsockname()[1], "topics": ["#"]})
        for nonsense in (
            b"\x32\xff\xff\xff\xff\xff",
            b"\x32\x01a",
            b"\x32\x04\x00\x09ab",
            b"\x30\x06\x00\x01a\x05bc",
        ):
            listener = Listener(source)
            listener.subscription.start()
            connection, _ = server.accept()
            with connection:
                connection.sendall(nonsense)
                wait_until(partial(getattr, listener.subscription, "error"), f"an error after {nonsense!r}")
            listener.subscription.stop()
            assert listener.messages == []


def test_a_receiver_that_cannot_store_gets_the_message_again(mosquitto: Broker, subscribe: Subscribe) -> None:
    attempts: list[bytes] = []

    def full_disk_at_first(message: Message) -> None:
        attempts.append(message.body)
        if len(attempts) == 1:
            raise StorageError("the disk is full")

    listener = subscribe(mosquitto, on_message=full_disk_at_first)
    mosquitto.publish("a/b", "precious")
    listener.has(1)
    assert attempts == [b"precious", b"precious"]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_tls_with_user_and_password(mosquitto_tls: Broker, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("BROKER_PASSWORD", "richtig")
    secrets = {"tls": True, "ca_file": mosquitto_tls.ca_file, "username": "hub", "password": "${BROKER_PASSWORD}"}
    listener = subscribe(mosquitto_tls, version=version, **secrets)
    big = "x" * 300_000
    mosquitto_tls.publish("a/b", "geheim", big, "danach")
    listener.has(3)
    assert listener.bodies() == [b"geheim", big.encode(), b"danach"]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_wrong_password_is_said_without_saying_it(mosquitto_tls: Broker, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("BROKER_PASSWORD", "falsch")
    secrets = {"tls": True, "ca_file": mosquitto_tls.ca_file, "username": "hub", "password": "${BROKER_PASSWORD}"}
    listener = Listener(source_of(mosquitto_tls, version=version, **secrets))
    listener.subscription.start()
    wait_until(lambda: listener.subscription.error, "an error")
    listener.subscription.stop()
    assert "mend source.username and source.password" in str(listener.subscription.error)
    assert "falsch" not in str(listener.subscription.error)
    assert not listener.subscription.connected


def test_a_certificate_of_a_stranger_is_refused(mosquitto_tls: Broker, tmp_path: Path) -> None:
    stranger = make_certificates(tmp_path / "stranger")
    listener = Listener(source_of(mosquitto_tls, tls=True, ca_file=stranger.ca))
    listener.subscription.start()
    wait_until(lambda: listener.subscription.error, "an error")
    listener.subscription.stop()
    assert "the certificate is not trusted" in str(listener.subscription.error)


def test_a_client_certificate_opens_a_broker_that_wants_one(tmp_path: Path, subscribe: Subscribe) -> None:
    certificates = make_certificates(tmp_path / "certificates")
    lines = [f"cafile {certificates.ca}", f"certfile {certificates.server}", f"keyfile {certificates.server_key}"]
    lines += ["require_certificate true", "use_identity_as_username true", "allow_anonymous false"]
    with running_mosquitto(tmp_path / "broker", *lines) as broker:
        keys = {"certificate_file": certificates.client, "key_file": certificates.client_key}
        listener = subscribe(broker, tls=True, ca_file=certificates.ca, **keys)
        assert listener.subscription.error is None
        listener.subscription.stop()


def test_a_missing_secret_or_certificate_is_the_operators_to_mend(mosquitto: Broker, tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="NO_SUCH_VARIABLE"):
        Listener(source_of(mosquitto, username="a", password="${NO_SUCH_VARIABLE}")).subscription.start()
    with pytest.raises(FeedError, match=r"source\.ca_file: it can't be read: No such file"):
        Listener(source_of(mosquitto, tls=True, ca_file=tmp_path / "none.pem")).subscription.start()


def test_an_absent_broker_is_an_error_sentence_and_no_end(mosquitto: Broker) -> None:
    mosquitto.stop()
    listener = Listener(source_of(mosquitto))
    listener.subscription.start()
    wait_until(lambda: listener.subscription.error, "an error")
    assert listener.subscription.error == f"127.0.0.1:{mosquitto.port}: Connection refused"
    mosquitto.start()
    wait_until(lambda: listener.subscription.connected, "connected")
    assert listener.subscription.error is None
    listener.subscription.stop()
