"""How large a request's body may be: a question or a form is small, and only a push may be larger (its feed says how large)."""

import re

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1_000_000
#: Routes that bound the body themselves, piece by piece.
BOUND_THEMSELVES = re.compile(r"/api/v1/feeds/[^/]+/push|/api/(3/)?action/[^/]+|(/de|/en)?/operator/import/file")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


#: Pages whose forms carry a sample of data, and how large those may be.
WITH_SAMPLE = re.compile(r"(/de|/en)?/operator/feeds/new/(detect|try)")
MAX_SAMPLE = 8_000_000


class BodyLimit:
    """Pure ASGI: a route that reads too large a body fails there, so that its answer is an ordinary problem (413)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in _WITH_BODY and BOUND_THEMSELVES.fullmatch(scope["path"]) is None:
            receive = bounded(receive, MAX_SAMPLE if WITH_SAMPLE.fullmatch(scope["path"]) else MAX_BODY)
        await self.app(scope, receive, send)


def bounded(receive: Receive, most: int) -> Receive:
    """What is received, until it is more than may be."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, f"the body may hold {most} bytes at most")
        return message

    return counted
