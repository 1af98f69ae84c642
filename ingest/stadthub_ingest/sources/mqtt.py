"""One subscription at an MQTT broker: the only door to paho. A message is acknowledged when its receiver says that it is durable.

QoS 2 is subscribed as QoS 1: paho takes a QoS 2 message over (PUBREC) before we have it on disk, and the lake tells repeated
observations apart anyway.
"""

import logging
import random
import selectors
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from stadthub_ingest.sources.wire import EXACTLY_ONCE, BufferedClient, Wake
from stadthub_schemas.errors import FeedError, SourceError, StadthubError
from stadthub_schemas.feed import MqttSource, reveal

log = logging.getLogger(__name__)

VERSIONS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}

#: Seconds until the first and until any later attempt to connect again; doubled each time, with jitter.
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
CONNECT_SECONDS = 10.0

#: How long a broker may take from there to its answer, in seconds.
ANSWER_SECONDS = 20.0

#: How many topics are remembered as ours, so that matching them costs one look-up.
KNOWN_TOPICS = 100_000

#: What the broker's refusals mean for the operator; any other is told by its own name.
REFUSALS = {
    "Bad user name or password": "the broker refused user name or password: mend source.username and source.password",
    "Not authorized": "the broker refused the login (not authorized): mend source.username and source.password",
    "Bad authentication method": "the broker wants another way to log in",
    "Client identifier not valid": "the broker refused the client id: mend source.client_id",
    "Unsupported protocol version": "the broker doesn't speak this version of MQTT: mend source.version",
    "Session taken over": "another client uses the same client id: mend source.client_id",
}


class Message:
    """One message. Unless it is acknowledged, the broker sends it again after the next connect."""

    __slots__ = ("_acknowledge", "_mid", "body", "topic")

    def __init__(self, topic: str, body: bytes, mid: int, acknowledge: Callable[[int], None] | None) -> None:
        self.topic = topic
        self.body = body
        self._mid = mid
        self._acknowledge = acknowledge

    def acknowledge(self) -> None:
        """Tell the broker, from any thread, that the message is durable; it forgets it then."""
        if self._acknowledge is not None:
            self._acknowledge(self._mid)


class _Acknowledgements:
    """What is to be acknowledged on one connection. After a new connect the numbers mean other messages: a new object then."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._mids: deque[int] = deque()
        self._wake = wake

    def add(self, mid: int) -> None:
        """Acknowledge this one soon."""
        self._mids.append(mid)
        self._wake()

    def take(self) -> list[int]:
        """The numbers that have come since the last call."""
        return [self._mids.popleft() for _ in range(len(self._mids))]


class Subscription:
    """The topics of one feed. `deliver` is called in the subscription's own thread; `dropped` hears (topic, size) of what is too big."""

    def __init__(
        self,
        feed_id: str,
        source: MqttSource,
        deliver: Callable[[Message], None],
        dropped: Callable[[str, int], None] | None = None,
    ) -> None:
        self.connected = False
        self.error: str | None = None
        self.last_connect: datetime | None = None
        self._source = source
        self._deliver = deliver
        self._dropped = dropped
        self._place = f"{source.host}:{source.port}"
        self._client_id = source.client_id or f"stadthub-{feed_id}"
        self._known: dict[bytes, str] = {}
        self._acknowledgements = _Acknowledgements(_nobody)
        self._wake: Callable[[], None] = _nobody
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Connect in the background and keep connected for ever. FeedError if a secret or a certificate can't be read."""
        client = self._make_client()
        self._thread = threading.Thread(target=self._run, args=(client,), name=f"mqtt-{self._client_id}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what is acknowledged, and leave. The broker keeps the session and what was not acknowledged."""
        self._stopping.set()
        self._wake()
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join()

    def _make_client(self) -> BufferedClient:
        source = self._source
        client = BufferedClient(
            self._receive,
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=VERSIONS[source.version],
            clean_session=False if source.version == "3.1.1" else None,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.has_properties = source.version == "5"
        client.connect_timeout = CONNECT_SECONDS
        if source.username is not None:
            client.username_pw_set(source.username, reveal(source.password) if source.password is not None else None)
        if source.tls:
            client.tls = _tls(source)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _run(self, client: BufferedClient) -> None:
        delay = FIRST_DELAY
        with Wake() as wake:
            self._wake = wake.set
            while not self._stopping.is_set():
                before = self.last_connect
                try:
                    self._connect(client)
                    self._converse(client, wake)
                except StadthubError as error:
                    self.error = str(error)
                except OSError as error:
                    self.error = f"{self._place}: {_reason(error)}"
                finally:
                    self.connected = False
                    client.hang_up()
                delay = FIRST_DELAY if self.last_connect != before else min(delay * 2, LONGEST_DELAY)
                self._stopping.wait(delay * random.uniform(0.5, 1.0))

    def _connect(self, client: BufferedClient) -> None:
        source = self._source
        keep_alive = max(5, int(source.keep_alive.total_seconds()))
        self._acknowledgements = _Acknowledgements(self._wake)
        if source.version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
            properties.ReceiveMaximum = source.in_flight
            properties.SessionExpiryInterval = min(int(source.session_expiry.total_seconds()), 0xFFFFFFFF)
            client.connect(source.host, source.port, keep_alive, clean_start=False, properties=properties)
        else:
            client.connect(source.host, source.port, keep_alive)

    def _converse(self, client: BufferedClient, wake: Wake) -> None:
        """Read, deliver and acknowledge until the connection ends or the subscription is stopped."""
        answered_until = time.monotonic() + ANSWER_SECONDS
        with selectors.DefaultSelector() as selector:
            socket = client.socket()
            if socket is None:
                return
            selector.register(wake, selectors.EVENT_READ)
            selector.register(socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while client.socket() is not None:
                stopping = self._stopping.is_set()
                client.acknowledge(self._acknowledgements.take())
                if stopping and self.connected:
                    client.disconnect()
                client.loop_write()
                if stopping or client.socket() is None:
                    return
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent() else 0)
                if selector.get_key(socket).events != wanted:
                    selector.modify(socket, wanted)
                for key, events in selector.select(timeout=1.0):
                    if key.fileobj is wake:
                        wake.clear()
                    elif events & selectors.EVENT_READ:
                        client.read_all()
                client.loop_misc()
                if not self.connected and time.monotonic() > answered_until:
                    raise SourceError(f"{self._place}: the broker does not answer")

    def _on_connect(self, client: Client, _: object, flags: ConnectFlags, reason: ReasonCode, __: Properties | None) -> None:
        if reason.is_failure:
            self.error = f"{self._place}: {REFUSALS.get(str(reason), f'the broker refused the connection: {reason}')}"
            return
        self.last_connect = datetime.now(UTC)
        log.info("%s: connected to %s, session %s", self._client_id, self._place, "kept" if flags.session_present else "new")
        # Subscribed always: the session may be older than the feed file. MQTT 5 sends retained messages for new ones only.
        qos: int = min(self._source.qos, 1)
        if self._source.version == "5":
            options = SubscribeOptions(qos=qos, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            client.subscribe([(self._filter(topic), options) for topic in self._source.topics])
        else:
            client.subscribe([(self._filter(topic), qos) for topic in self._source.topics])

    def _filter(self, topic: str) -> str:
        return f"$share/{self._source.shared}/{topic}" if self._source.shared else topic

    def _on_subscribe(self, _: Client, __: object, ___: int, reasons: list[ReasonCode], ____: Properties | None) -> None:
        refused = [topic for topic, reason in zip(self._source.topics, reasons, strict=False) if reason.is_failure]
        self.connected = True
        self.error = f"{self._place}: the broker refused the subscription to {', '.join(refused)}" if refused else None

    def _on_disconnect(self, _: Client, __: object, flags: DisconnectFlags, reason: ReasonCode, ___: Properties | None) -> None:
        self.connected = False
        if self.error is None and not self._stopping.is_set():
            said = str(reason) if flags.is_disconnect_packet_from_server else "the connection was lost"
            self.error = f"{self._place}: {REFUSALS.get(said, said)}"

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        """A message with QoS 2 out of an older session: paho has taken it over already, its last packet waits for us."""
        self._receive(message.topic.encode(), bytes(message.payload), message.mid | EXACTLY_ONCE)

    def _receive(self, topic_bytes: bytes, body: bytes, mid: int) -> None:
        """Hand one message on; what must not come in at all is acknowledged, so that it doesn't come for ever."""
        topic = self._known.get(topic_bytes) or self._ours(topic_bytes)
        acknowledge = self._acknowledgements.add if mid else None
        if topic is None or len(body) > self._source.max_bytes:
            if acknowledge is not None:
                acknowledge(mid)
            if self._dropped is not None:
                self._dropped(topic or topic_bytes.decode("utf-8", "replace"), len(body))
            return
        self._deliver(Message(topic, body, mid, acknowledge))

    def _ours(self, topic_bytes: bytes) -> str | None:
        """The topic, if the feed asks for it: a session may hold subscriptions of an older feed file."""
        try:
            topic = topic_bytes.decode("utf-8")
        except UnicodeDecodeError:
            return None
        if not topic or not any(topic_matches_sub(wanted, topic) for wanted in self._source.topics):
            return None
        if len(self._known) < KNOWN_TOPICS:
            self._known[topic_bytes] = topic
        return topic


def _tls(source: MqttSource) -> ssl.SSLContext:
    """The TLS settings of the source; FeedError names the key whose file can't be read."""
    try:
        context = ssl.create_default_context(cafile=_name(source.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise FeedError(f"source.ca_file: it can't be read: {_reason(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if source.certificate_file is not None:
        try:
            context.load_cert_chain(source.certificate_file, _name(source.key_file))
        except (OSError, ssl.SSLError) as error:
            raise FeedError(f"source.certificate_file or source.key_file: it can't be read: {_reason(error)}") from error
    return context


def _nobody() -> None:
    """Nobody to wake: the subscription isn't started."""


def _name(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _reason(error: OSError) -> str:
    """Why a connection or a file failed, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'no reason given'}"
    return error.strerror or str(error) or type(error).__name__
