"""Real servers for tests: the broker mosquitto, plain and with TLS, and a small web server from the standard library."""

import contextlib
import gzip
import http.server
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


def wait_until(true: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    """Wait until `true` is; fail with `what` when it isn't in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, package: str) -> str:
    """The path of a program, or a skipped test that says what to install."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found


@dataclass
class Broker:
    """A running mosquitto; it may be stopped and started again, and keeps its sessions if it was told to."""

    folder: Path
    port: int
    lines: list[str]
    ca_file: Path | None = None
    username: str | None = None
    password: str | None = None
    process: subprocess.Popen[bytes] | None = None
    host: str = "127.0.0.1"

    def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join([f"listener {self.port} 127.0.0.1", *self.lines, ""]))
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([program("mosquitto", "mosquitto"), "-c", str(config)], stdout=log, stderr=log)
        wait_until(self._listens, "mosquitto listens")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def publish(self, topic: str, *bodies: bytes | str) -> None:
        """Publish with QoS 1, one after the other, each acknowledged by the broker."""
        for body in bodies:
            command = [program("mosquitto_pub", "mosquitto-clients"), *self.arguments(), "-t", topic, "-q", "1", "-s"]
            subprocess.run(command, input=body if isinstance(body, bytes) else body.encode(), check=True, timeout=20)

    def arguments(self) -> list[str]:
        """How mosquitto's own clients reach this broker."""
        words = ["-h", self.host, "-p", str(self.port)]
        if self.ca_file is not None:
            words += ["--cafile", str(self.ca_file)]
        if self.username is not None and self.password is not None:
            words += ["-u", self.username, "-P", self.password]
        return words


#: A broker that loses nothing for an absent subscriber and keeps its sessions over a restart.
KEEPING = ["max_queued_messages 0", "max_inflight_messages 65535", "max_packet_size 20000000", "set_tcp_nodelay true"]


@contextlib.contextmanager
def running_mosquitto(folder: Path, *lines: str) -> Iterator[Broker]:
    """A mosquitto on a free port with these lines in its configuration, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    user = ["user root"] if Path("/proc/self").owner() == "root" else []
    broker = Broker(folder, free_port(), [*user, "persistence true", f"persistence_location {folder}/", *lines])
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    """A broker without a password that queues without limits and keeps sessions over a restart."""
    with running_mosquitto(tmp_path / "broker", "allow_anonymous true", *KEEPING) as broker:
        yield broker


@dataclass(frozen=True)
class Certificates:
    """A certificate authority, a server's certificate for localhost and 127.0.0.1, and a client's."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_certificates(folder: Path) -> Certificates:
    """Certificates made by openssl."""
    openssl = program("openssl", "openssl")
    folder.mkdir(parents=True, exist_ok=True)

    def run(*words: str) -> None:
        subprocess.run([openssl, *words], check=True, capture_output=True, cwd=folder, timeout=60)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA")
    (folder / "names.cnf").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        run("req", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        run(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-out", f"{name}.pem", "-days", "2", "-extfile", "names.cnf"),
        )
    return Certificates(*(folder / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")))


@pytest.fixture
def mosquitto_tls(tmp_path: Path) -> Iterator[Broker]:
    """A broker with TLS that wants the user `hub` with the password `richtig`."""
    folder = tmp_path / "broker-tls"
    certificates = make_certificates(folder / "certificates")
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    subprocess.run(
        [program("mosquitto_passwd", "mosquitto"), "-b", str(passwords), "hub", "richtig"], check=True, capture_output=True, timeout=20
    )
    lines = [
        f"cafile {certificates.ca}",
        f"certfile {certificates.server}",
        f"keyfile {certificates.server_key}",
        "allow_anonymous false",
        f"password_file {passwords}",
        *KEEPING,
    ]
    with running_mosquitto(folder, *lines) as broker:
        broker.ca_file, broker.username, broker.password = certificates.ca, "hub", "richtig"
        yield broker


@dataclass
class Answer:
    """What the web server says: status, headers, body."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What the web server was asked: path with query, and headers with names in lower case."""

    path: str
    headers: dict[str, str]


@dataclass
class WebServer:
    """A web server that answers by `answers` (path without query → answer, or a list of answers one after the other)."""

    port: int
    answers: dict[str, Answer | list[Answer] | Callable[[Asked], Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> Answer:
        """The answer to one request."""
        self.asked.append(asked)
        found = self.answers.get(asked.path.partition("?")[0], Answer(b"nothing here", 404))
        if callable(found):
            return found(asked)
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found


@contextlib.contextmanager
def running_web_server() -> Iterator[WebServer]:
    """A web server on a free port of the loopback, until the block ends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = web.answer(Asked(self.path, {name.lower(): value for name, value in self.headers.items()}))
            body = gzip.compress(answer.body) if answer.headers.get("Content-Encoding") == "gzip" else answer.body
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the tests look into `asked`."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        web = WebServer(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    """A small real web server."""
    with running_web_server() as web:
        yield web
