"""MQTT QoS 1, durable before acknowledged, against `mosquitto_sub` in the same run.

`drain`: the broker holds all messages for a session and the client empties it. `live`: publisher, broker and client share the
machine. Ours appends each batch to a file and calls fdatasync before it acknowledges; mosquitto_sub writes its lines to /dev/null.

    PYTHONPATH=.:schemas:ingest python tests/benchmarks/bench_mqtt.py --messages 200000
"""

import argparse
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from stadthub_ingest.sources.mqtt import Message, Subscription
from stadthub_schemas.feed import MqttSource
from tests.servers import KEEPING, Broker, program, running_mosquitto, wait_until

TOPIC = "city/air/17/state"


def body(number: int) -> bytes:
    """One message as a sensor sends it, about 135 bytes."""
    values = {"id": number, "device": f"air-{number % 400:04d}", "time": "2026-11-21T12:00:00Z", "pm2_5": 7.5, "temperature": 12.25}
    return json.dumps({**values, "humidity": 70.5, "battery": 3.61}).encode()


def packet(kind: int, content: bytes) -> bytes:
    """One MQTT packet."""
    length, left = bytearray(), len(content)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (128 if left else 0))
        if not left:
            return bytes([kind]) + bytes(length) + content


def text(value: str) -> bytes:
    """A string as MQTT writes it."""
    return struct.pack("!H", len(value)) + value.encode()


def publish(broker: Broker, count: int) -> None:
    """Publish with QoS 1 as fast as the broker takes it: packets by the thousand, at most 5,000 unacknowledged."""
    batches: list[bytes] = []
    for start in range(0, count, 1000):
        numbers = range(start, min(start + 1000, count))
        batches.append(b"".join(packet(0x32, text(TOPIC) + struct.pack("!H", number % 60_000 + 1) + body(number)) for number in numbers))
    with socket.create_connection((broker.host, broker.port)) as connection:
        connection.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x3c" + text(f"bench-{os.getpid()}")))
        assert len(connection.recv(4)) == 4
        sent = acknowledged = 0
        for number, batch in enumerate(batches):
            connection.sendall(batch)
            sent = min((number + 1) * 1000, count)
            while sent - acknowledged > 5000 or (sent == count and acknowledged < count):
                acknowledged += len(connection.recv(65_536)) // 4
        connection.sendall(b"\xe0\x00")


class Durable:
    """A receiver like the raw log: a thread appends what has come, syncs it, and only then acknowledges."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._file = path.open("wb", buffering=0)
        self._inbox: list[Message] = []
        self._came = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def deliver(self, message: Message) -> None:
        self._inbox.append(message)
        self._came.set()

    def _write(self) -> None:
        while not self._stop:
            self._came.wait(0.5)
            self._came.clear()
            batch, self._inbox = self._inbox, []
            if batch:
                self._file.write(b"".join(struct.pack("!I", len(message.body)) + message.body for message in batch))
                os.fdatasync(self._file.fileno())
                for message in batch:
                    message.acknowledge()
                self.count += len(batch)

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        self._file.close()


def source_of(broker: Broker, version: str) -> MqttSource:
    return MqttSource.model_validate(
        {"type": "mqtt", "host": broker.host, "port": broker.port, "topics": ["city/#"], "version": version, "in_flight": 1000}
    )


def measured(count: int, arrived: Callable[[], int]) -> float:
    """Messages a second, from the call until all have arrived."""
    started = time.perf_counter()
    wait_until(lambda: arrived() >= count, f"{count} messages, {arrived()} came", seconds=300)
    return count / (time.perf_counter() - started)


def ours(broker: Broker, count: int, how: str, version: str) -> tuple[float, float]:
    """Messages a second, and microseconds of CPU a message, of our subscription."""
    with tempfile.TemporaryDirectory() as folder:
        if how == "drain":
            before = Subscription("bench", source_of(broker, version), lambda _: None)
            before.start()
            wait_until(lambda: before.connected, "connected")
            before.stop()
            publish(broker, count)
        receiver = Durable(Path(folder) / "log")
        subscription = Subscription("bench", source_of(broker, version), receiver.deliver)
        cpu = time.process_time()
        subscription.start()
        with publishing(broker, count, how, lambda: subscription.connected):
            rate = measured(count, lambda: receiver.count)
        cpu = time.process_time() - cpu
        subscription.stop()
        receiver.close()
        return rate, cpu / count * 1e6


class publishing:  # noqa: N801  reads as a word of the language
    """Publishes from another process while the block runs, if messages are wanted live."""

    def __init__(self, broker: Broker, count: int, how: str, ready: Callable[[], bool]) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if how == "live":
            wait_until(ready, "connected")
            command = [sys.executable, __file__, "--publish", str(broker.port), "--messages", str(count)]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def __enter__(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.readline()

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate()


def theirs(broker: Broker, count: int, how: str) -> float:
    """Messages a second of mosquitto_sub: it ends by itself after `count` messages."""
    command = [program("mosquitto_sub", "mosquitto-clients"), *broker.arguments(), "-q", "1", "-c", "-i", "their", "-t", "city/#"]
    if how == "drain":
        subprocess.run([*command, "-E"], check=True)
        publish(broker, count)
    started = time.perf_counter()
    with Path(os.devnull).open("wb") as nowhere, subprocess.Popen([*command, "-C", str(count)], stdout=nowhere) as process:
        if how == "live":
            time.sleep(0.5)
            with publishing(broker, count, how, lambda: True):
                started = time.perf_counter()
                process.wait(300)
        process.wait(300)
    return count / (time.perf_counter() - started)


def brokers(runs: int) -> Iterator[Broker]:
    """A fresh broker for each run."""
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            lines = [*KEEPING[:-1], "set_tcp_nodelay true", "allow_anonymous true", "log_type error"]
            with running_mosquitto(Path(folder), *[line.replace("65535", "1000") for line in lines]) as broker:
                yield broker


def main() -> None:
    """Print one line for each way and run: ours, theirs, the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--publish", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.publish:
        print("ready", flush=True)
        publish(Broker(Path(), arguments.publish, []), arguments.messages)
        return
    print(f"{'way':6} {'MQTT':6} {'ours/s':>10} {'CPU us':>7} {'mosquitto_sub/s':>16} {'ratio':>6}")
    for how in ("drain", "live"):
        for version in ("5", "3.1.1"):
            for broker in brokers(arguments.runs):
                own, cpu = ours(broker, arguments.messages, how, version)
                their = theirs(broker, arguments.messages, how)
                print(f"{how:6} {version:6} {own:10,.0f} {cpu:7.1f} {their:16,.0f} {own / their:6.2f}", flush=True)


if __name__ == "__main__":
    main()
