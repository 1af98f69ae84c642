"""A broker seen from the other side: publishing to it, and what it tells of itself. With mqtt.py and wire.py the door to paho."""

import threading
import time
from collections import deque
from collections.abc import Mapping

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from stadthub_ingest.sources.mqtt import Message, Subscription
from stadthub_schemas.errors import SourceError
from stadthub_schemas.feed import MqttSource

#: What a mosquitto tells of itself and of what it lost (mosquitto(8), Broker Status).
FACTS = ("$SYS/broker/version", "$SYS/broker/publish/messages/dropped", "$SYS/broker/store/messages/count")


class Publisher:
    """Publishes with QoS 1 and knows what the broker has acknowledged. For simulators and for proofs."""

    def __init__(self, host: str, port: int, seconds: float = 10.0) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(500)
        self._open: deque[MQTTMessageInfo] = deque()
        try:
            self._client.connect(host, port)
        except OSError as error:
            raise SourceError(f"{host}:{port}: the broker does not answer: {error.strerror or error}") from error
        self._client.loop_start()
        end = time.monotonic() + seconds
        while not self._client.is_connected() and time.monotonic() < end:
            time.sleep(0.01)

    def publish(self, topic: str, body: bytes) -> None:
        """Send it on its way."""
        self._open.append(self._client.publish(topic, body, qos=1))

    def wait(self, seconds: float = 30.0) -> None:
        """Return when everything that was published is acknowledged; SourceError when that takes too long."""
        while self._open:
            information = self._open.popleft()
            information.wait_for_publish(seconds)
            if not information.is_published():
                raise SourceError("the broker has not acknowledged what was published")

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


def facts(feed_id: str, source: MqttSource, seconds: float = 3.0) -> Mapping[str, str]:
    """What the broker tells of itself, by the last words of its topics; empty if it tells nothing. SourceError if it does not answer."""
    told: dict[str, str] = {}
    complete = threading.Event()

    def note(message: Message) -> None:
        message.acknowledge()
        told[message.topic.removeprefix("$SYS/broker/")] = message.body.decode("utf-8", "replace")
        if len(told) == len(FACTS):
            complete.set()

    aside = source.model_copy(update={"topics": FACTS, "shared": None, "client_id": f"stadthub-doctor-{feed_id}-{time.time_ns()}"})
    subscription = Subscription(feed_id, aside, note)
    subscription.start()
    try:
        complete.wait(seconds)
        if not subscription.connected:
            raise SourceError(subscription.error or f"{source.host}:{source.port}: the broker does not answer")
    finally:
        subscription.stop()
    return told
