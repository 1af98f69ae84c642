"""Real servers that alarms are sent to: mail, a webhook, Matrix's client API as far as a message needs it. They keep what came."""

import email
import email.policy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_port

ROOM, ROOM_ID, TOKEN = "#alarme:musterstadt.example", "!r1:musterstadt.example", "syt_geheim"


@dataclass
class Mailbox:
    """What a mail server took."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a mail."""
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mail server on a free port."""
    box = Mailbox(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port, ready_timeout=30)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Posts:
    """What a web server was sent, and what it answers."""

    port: int = 0
    status: int = 200
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def texts(self) -> list[str]:
        """The messages, title and text in one."""
        return [f"{body.get('title', '')}\n{body.get('message', body.get('body', ''))}" for _, body in self.taken]


def _matrix(method: str, path: str) -> dict[str, Any]:
    """What a Matrix server answers."""
    if "/join/" in path or path.endswith("/join"):
        return {"room_id": ROOM_ID}
    if "/directory/room/" in path:
        return {"room_id": ROOM_ID, "servers": ["musterstadt.example"]}
    if path.endswith("/joined_rooms"):
        return {"joined_rooms": [ROOM_ID]}
    if path.endswith("/whoami"):
        return {"user_id": "@hub:musterstadt.example", "device_id": "HUB"}
    if path.endswith("/versions"):
        return {"versions": ["v1.1"]}
    return {"event_id": "$1"} if method == "PUT" else {"access_token": TOKEN, "user_id": "@hub:musterstadt.example", "device_id": "HUB"}


@contextmanager
def web_listener() -> Iterator[Posts]:
    """A web server on a free port that takes webhooks at any path, and speaks Matrix below /_matrix."""

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            path = unquote(self.path.partition("?")[0])
            matrix = path.startswith("/_matrix")
            body = json.loads(raw) if raw else {}
            if posts.status == 200 and (not matrix or "/send/m.room.message/" in path):
                posts.taken.append((path, body))
            answer = json.dumps(_matrix(self.command, path) if matrix else {}).encode()
            self.send_response(posts.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = _take  # noqa: N815 - the names of http.server

        def log_message(self, *_: object) -> None:
            """Nothing: the tests look into what was taken."""

    posts = Posts()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        posts.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield posts
        finally:
            server.shutdown()
            thread.join()
