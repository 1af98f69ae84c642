"""Around every answer: request id, access log, security headers, CORS, HEAD, and the last net under unexpected errors."""

import re
import secrets
import time
import traceback
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stadthub_api.problems import unexpected

log = structlog.get_logger("stadthub.access")

#: Scripts and styles come from files of ours only; `data:` is for images that a stylesheet holds, `blob:` for the map's worker.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

SECURITY = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), interest-cohort=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
]

#: Whatever is open data may be read by a page of any origin; cookies are never honoured across origins.
CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Content-Range, Accept-Ranges, ETag, Content-Length, Content-Disposition, Link, X-Request-Id"),
]
PREFLIGHT = [
    *CORS,
    (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"Authorization, X-CKAN-API-Key, Content-Type, Range, If-None-Match, If-Range, If-Modified-Since, X-Request-ID",
    ),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]
#: What another system may call a request: letters, digits and signs that mean nothing to a log, a terminal or a header.
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
OPEN = ("/api/", "/distributions/", "/openapi.json", "/catalog.", "/dataset/")


@lru_cache(maxsize=4096)
def shortened(address: str) -> str:
    """The network of a client's address (/24, /48): enough to see an attack, too little to see a person."""
    try:
        known = ip_address(address)
    except ValueError:
        return "unknown"
    known = getattr(known, "ipv4_mapped", None) or known
    return str(ip_network((known, 24 if known.version == 4 else 48), strict=False).network_address)


def _relative(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A Location without scheme and host (RFC 9110 section 10.2.2): a forged Host header must not lead a reader elsewhere."""
    if name.lower() != b"location" or b"://" not in value:
        return name, value
    return name, b"/" + value.partition(b"://")[2].partition(b"/")[2].lstrip(b"/")


def _number(scope: Scope) -> str:
    """The request's id: the caller's own if it is a plain one, so that it can be followed through several systems; else a new one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
    return given if _PLAIN_ID.fullmatch(given) else secrets.token_hex(8)


def _printable(path: str) -> str:
    """The path without signs that would move the cursor of a terminal or begin a line of their own."""
    return path if path.isprintable() else ascii(path)


class Envelope:
    """Pure ASGI: one wrapper instead of five, because each costs every request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await _Exchange(self.app, scope, send).run(receive)


class _Exchange:
    """One request and its answer."""

    __slots__ = ("app", "extra", "is_head", "request_id", "scope", "sender", "size", "status")

    def __init__(self, app: ASGIApp, scope: Scope, sender: Send) -> None:
        self.app = app
        self.sender = sender
        self.request_id = _number(scope)
        self.is_head = scope["method"] == "HEAD"
        # A route offers GET; HEAD is the same answer without its body, and routes with much work look at `is_head`.
        state = {**scope.get("state", {}), "request_id": self.request_id, "is_head": self.is_head}
        self.scope = {**scope, "method": "GET" if self.is_head else scope["method"], "state": state}
        self.extra = CORS if scope["path"].startswith(OPEN) else []
        self.status = 0
        self.size = 0

    async def run(self, receive: Receive) -> None:
        """Let the app answer; whatever happens, an answer is sent and a line is logged."""
        with structlog.contextvars.bound_contextvars(request_id=self.request_id):
            await self._answer(receive)

    async def _answer(self, receive: Receive) -> None:
        started = time.perf_counter()
        try:
            if self._is_preflight():
                await self.send({"type": "http.response.start", "status": 204, "headers": list(PREFLIGHT)})
                await self.send({"type": "http.response.body", "body": b""})
            else:
                await self.app(self.scope, receive, self.send)
        except Exception:  # noqa: BLE001 - the top of the program: nothing may fall through to the server's own answer
            # the bare traceback: renderers that show local variables would write tokens into the log
            log.error("unexpected", path=_printable(self.scope["path"]), traceback=traceback.format_exc())
            if self.status == 0:
                await unexpected(Request(self.scope))(self.scope, receive, self.send)
        finally:
            self._log(time.perf_counter() - started)

    async def send(self, message: Message) -> None:
        """Pass a message on, with our headers on the first and without a body for HEAD."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = list(message.get("headers", []))
            if "leads_out" not in self.scope["state"]:  # a route that looked the address up in the catalogue says so
                given = [_relative(name, value) for name, value in given]
            names = {name for name, _ in given}
            message = {
                **message,
                "headers": [
                    *given,
                    *((name, value) for name, value in SECURITY if name not in names),
                    *((name, value) for name, value in self.extra if name not in names),
                    (b"x-request-id", self.request_id.encode()),
                ],
            }
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
            if self.is_head:
                message = {**message, "body": b""}
        await self.sender(message)

    def _is_preflight(self) -> bool:
        return self.scope["method"] == "OPTIONS" and bool(self.extra) and any(name == b"origin" for name, _ in self.scope["headers"])

    def _log(self, seconds: float) -> None:
        client: Any = self.scope.get("client")
        method = "HEAD" if self.is_head else self.scope["method"]
        hub = getattr(self.scope["app"].state, "hub", None) if "app" in self.scope else None
        if hub is not None:
            hub.requests.count(self.scope, method, self.status, seconds)
        log.info(
            "request",
            method=method,
            path=_printable(self.scope["path"]),
            status=self.status,
            bytes=self.size,
            ms=round(seconds * 1000, 1),
            client=shortened(client[0]) if client else "unknown",
        )
