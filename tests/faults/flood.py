"""Publishes 20,000 different messages again and again, as fast as a broker takes them: `python -m tests.faults.flood HOST PORT TOPIC QOS`."""

import socket
import sys
from datetime import UTC, datetime, timedelta

MESSAGES = 20_000
GROUP = 1000


def packets(topic: bytes, qos: int, first: int) -> bytes:
    """PUBLISH packets of MQTT 3.1.1, each with a time of its own."""
    joined = bytearray()
    for number in range(first, first + GROUP):
        moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        body = b'{"thing":"t%d","time":"%s","value":1}' % (number % 100, moment.isoformat().encode())
        rest = len(topic).to_bytes(2, "big") + topic + ((number + 1).to_bytes(2, "big") if qos else b"") + body
        joined += bytes([0x30 | qos << 1, len(rest)]) + rest
    return bytes(joined)


def main() -> None:
    """Flood until killed; with QoS 1 at most 2,000 are unacknowledged."""
    host, port, topic, qos = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), int(sys.argv[4])
    groups = [packets(topic, qos, first) for first in range(0, MESSAGES, GROUP)]
    with socket.create_connection((host, port)) as link:
        link.sendall(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05flood")
        link.recv(4)
        waiting = 0
        while True:
            for group in groups:
                link.sendall(group)
                waiting += GROUP * qos
                while waiting > 2 * GROUP:
                    waiting -= len(link.recv(65_536)) // 4


if __name__ == "__main__":
    main()
