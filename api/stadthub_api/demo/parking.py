"""The car parks: a small web server that says how full they are, as JSON."""

import hashlib
import http.server
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from stadthub_api.demo.city import LICENCE_WORDS, car_parks
from stadthub_api.demo.curves import occupied

HOST, PATH = "127.0.0.1", "/parkhaeuser.json"

#: Seconds for which the answer stays the same.
EVERY = 30


def answer(time: float) -> bytes:
    """What the server says at a time."""
    stand = time // EVERY * EVERY
    parks = []
    for spot, capacity in car_parks():
        taken = round(capacity * occupied(stand, spot.id))
        parks.append(
            {
                "id": spot.id,
                "name": f"{spot.name} (simuliert)",
                "kapazitaet": capacity,
                "belegt": taken,
                "frei": capacity - taken,
                "auslastung": round(100 * taken / capacity, 1),
                "lon": spot.longitude,
                "lat": spot.latitude,
            }
        )
    when = datetime.fromtimestamp(stand, UTC).isoformat()
    return json.dumps({"hinweis": LICENCE_WORDS, "stand": when, "parkhaeuser": parks}, ensure_ascii=False).encode()


class ParkingServer:
    """The web server, from `start` to `stop`."""

    def __init__(self, port: int, clock: Callable[[], float] = time.time) -> None:
        self.port = port
        self._clock = clock
        self._server: http.server.ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start to answer."""
        self._server = http.server.ThreadingHTTPServer((HOST, self.port), _handler(self._clock))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="demo-parking", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(timeout=10)
            self._server.server_close()


def _handler(clock: Callable[[], float]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers one path, and says when nothing has changed."""

        timeout = 10

        def do_GET(self) -> None:
            body = answer(clock()) if self.path == PATH else b"nicht gefunden / not found"
            etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            known = self.headers.get("If-None-Match") == etag
            self.send_response(304 if known else 200 if self.path == PATH else 404)
            self.send_header("ETag", etag)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "0" if known else str(len(body)))
            self.end_headers()
            if not known:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the hub's own log says what it fetched."""

    return Handler
