"""paho's client with a buffer on either side of its socket, and a way to wake a thread that waits for that socket.

paho reads a packet with three system calls and sends each acknowledgement with one; with a buffer a thousand packets need one.
"""

import contextlib
import socket
import ssl
from typing import Any, Self

from paho.mqtt.client import Client

#: How much is read from the socket at once.
READ_BYTES = 262_144


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
    """A socket that reads much at once and sends when it is told to."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._read = b""
        self._at = 0
        self.unsent = bytearray()

    def recv(self, buffer_size: int) -> bytes:
        if self._at == len(self._read):
            self._read, self._at = self._inner.recv(READ_BYTES), 0
        start = self._at
        self._at = min(start + buffer_size, len(self._read))
        return self._read[start : self._at]

    def send(self, buffer: bytes | bytearray) -> int:
        self.unsent += buffer
        return len(buffer)

    def flush(self) -> None:
        """Send as much as the network takes."""
        while self.unsent:
            try:
                sent = self._inner.send(self.unsent)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            del self.unsent[:sent]

    def waiting(self) -> bool:
        """Whether there is something to read that the operating system doesn't know of any more."""
        return self._at < len(self._read) or (isinstance(self._inner, ssl.SSLSocket) and self._inner.pending() > 0)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.flush()
        self._inner.close()

    def fileno(self) -> int:
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001  a socket's own method
        self._inner.setblocking(flag)


class BufferedClient(Client):
    """paho's client on a buffered socket, driven by one thread of its owner."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.tls: ssl.SSLContext | None = None
        self._buffered: _BufferedSocket | None = None
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
        return self._buffered

    def read_all(self) -> None:
        """Read everything that has come, and deliver it."""
        self.loop_read()
        while self._buffered is not None and self.socket() is not None and self._buffered.waiting():
            self.loop_read()

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


def _nothing(*_: object) -> None:
    """Nothing: the owner looks whether there is something to send."""
