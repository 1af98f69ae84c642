"""paho's client on a socket with buffers, and a way to wake a thread that waits for that socket.

paho reads a packet with three system calls, makes several objects of it, and sends each acknowledgement with a call of its own.
Here the packets of thousands of messages are read at once and taken apart in place; their acknowledgements leave at once. All
else that MQTT is (connecting, subscribing, keeping alive, other packets) is paho's work: it is fed with those packets only.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any, Self

from paho.mqtt.client import Client

#: How much is read from the socket at once.
READ_BYTES = 262_144

#: The packets that are handled here, by the first byte of MQTT's fixed header.
PUBLISH, PUBACK, PUBCOMP = 0x30, b"\x40\x02", b"\x70\x02"

#: Added to the number of a message with QoS 2, whose acknowledgement is another packet.
EXACTLY_ONCE = 0x10000

#: What a packet's length takes at most: four bytes of seven bits each.
LENGTH_BYTES = 4

NOT_MQTT = "the broker sent a packet that is not MQTT"


class Wake:
    """Something to wait for beside a socket: it becomes readable when any thread calls `set`."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._is_set = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._writer.close()

    def fileno(self) -> int:
        return self._reader.fileno()

    def set(self) -> None:
        """Wake the waiting thread. Costs nothing if it is awake already, and does nothing when it is gone."""
        if not self._is_set:
            self._is_set = True
            with contextlib.suppress(OSError):
                self._writer.send(b"x")

    def clear(self) -> None:
        """Be ready for the next call. What was told before has to be looked at afterwards."""
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(4096)
        self._is_set = False


class _BufferedSocket:
    """What paho takes for its socket: it reads what it is fed with, and what it sends leaves when `flush` is called."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner = inner
        self.fed = bytearray()
        self.has_ended = False
        self.unsent = bytearray()

    def recv(self, buffer_size: int) -> bytes:
        if not self.fed and not self.has_ended:
            raise BlockingIOError
        taken = bytes(self.fed[:buffer_size])
        del self.fed[:buffer_size]
        return taken

    def send(self, buffer: bytes | bytearray) -> int:
        self.unsent += buffer
        return len(buffer)

    def flush(self) -> None:
        """Send as much as the network takes."""
        while self.unsent:
            try:
                sent = self.inner.send(self.unsent)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            del self.unsent[:sent]

    def read(self) -> bytes | None:
        """What has come; nothing at all when the connection has ended, None when there is nothing yet."""
        try:
            return self.inner.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.flush()
        self.inner.close()

    def fileno(self) -> int:
        return self.inner.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001  a socket's own method
        self.inner.setblocking(flag)


class BufferedClient(Client):
    """paho's client, driven by one thread of its owner. `receive` gets topic, body and number (0: QoS 0) of each message."""

    def __init__(self, receive: Callable[[bytes, bytes, int], None], *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.tls: ssl.SSLContext | None = None
        self.has_properties = False
        self._receive = receive
        self._buffered: _BufferedSocket | None = None
        self._partial = bytearray()
        self._wanted = 0
        # With this callback set paho queues what it wants to send instead of sending it from wherever it is called.
        self.on_socket_register_write = _nothing

    def _create_socket(self) -> Any:
        """paho asks this for a connected socket. (paho's own leaves the socket open when the TLS handshake fails.)"""
        inner = socket.create_connection((self.host, self.port), timeout=self.connect_timeout)
        if self.tls is not None:
            try:
                inner = self.tls.wrap_socket(inner, server_hostname=self.host)
            except OSError:
                inner.close()
                raise
        inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffered = _BufferedSocket(inner)
        self._partial, self._wanted = bytearray(), 0
        return self._buffered

    def read_all(self) -> None:
        """Read what has come, and deliver it."""
        while (buffered := self._buffered) is not None and self.socket() is not None:
            data = buffered.read()
            if data is None:
                return
            if not data:
                buffered.has_ended = True
                self.loop_read()
                return
            self._partial += data
            if len(self._partial) >= self._wanted:
                self._take_apart(bytes(self._partial), buffered)
            if not (isinstance(buffered.inner, ssl.SSLSocket) and buffered.inner.pending()):
                return

    def _take_apart(self, data: bytes, buffered: _BufferedSocket) -> None:
        """Deliver each whole packet in `data` and keep the rest; `_wanted` is how much of it makes the next packet whole."""
        at, size = 0, len(data)
        while at + 1 < size:
            body, length = at + 2, data[at + 1]
            if length & 0x80:
                body, length = _length(data, at + 1)
            end = body + length
            if body == 0 or end > size:
                self._wanted = end - at if body else 0
                break
            if data[at] & 0xF4 == PUBLISH:
                self._publish(data[body:end], data[at])
            else:
                buffered.fed += data[at:end]
                while buffered.fed and self.socket() is not None:
                    self.loop_read()
            at, self._wanted = end, 0
        self._partial = bytearray(data[at:])

    def _publish(self, packet: bytes, header: int) -> None:
        """Deliver one message with QoS 0 or 1 (MQTT 5.0, section 3.3)."""
        try:
            topic_end = at = 2 + (packet[0] << 8 | packet[1])
            number = 0
            if header & 0x02:
                number, at = packet[at] << 8 | packet[at + 1], at + 2
            if self.has_properties:
                at, length = (at + 1, packet[at]) if packet[at] < 0x80 else _length(packet, at)
                at += length
        except IndexError as error:
            raise ConnectionError(NOT_MQTT) from error
        if at > len(packet):
            raise ConnectionError(NOT_MQTT)
        self._receive(packet[2:topic_end], packet[at:], number)

    def acknowledge(self, numbers: Iterable[int]) -> None:
        """Send the acknowledgements of these messages with the next `loop_write`."""
        if self._buffered is not None:
            packets = [(PUBCOMP if number & EXACTLY_ONCE else PUBACK) + (number & 0xFFFF).to_bytes(2, "big") for number in numbers]
            self._buffered.unsent += b"".join(packets)

    def loop_write(self) -> Any:
        """Send everything that is queued."""
        answer = super().loop_write()
        if self._buffered is not None and self.socket() is not None:
            self._buffered.flush()
        return answer

    def unsent(self) -> bool:
        """Whether the network has still to take something."""
        return self.want_write() or (self._buffered is not None and bool(self._buffered.unsent))

    def hang_up(self) -> None:
        """Close the connection without a farewell, if there still is one."""
        if self._buffered is not None:
            self._buffered.close()
            self._buffered = None


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Where the length at this place ends, and the length; (0, 0) if it isn't whole yet."""
    length = 0
    for count, digit in enumerate(data[at : at + LENGTH_BYTES]):
        length |= (digit & 0x7F) << 7 * count
        if not digit & 0x80:
            return at + count + 1, length
    if len(data) >= at + LENGTH_BYTES:
        raise ConnectionError(NOT_MQTT)
    return 0, 0


def _nothing(*_: object) -> None:
    """Nothing: the owner looks whether there is something to send."""
