"""Answers that caches understand: weak ETag over the content, 304, and how long whoever may keep them."""

import hashlib
from collections.abc import Mapping

from fastapi import Request, Response

#: Public answers may be kept a moment by any cache; answers to a token or session only by the caller's own.
_KEEP = {True: "public, max-age={seconds}", False: "private, no-cache"}


def cached(request: Request, body: bytes, media_type: str, seconds: int, headers: Mapping[str, str] | None = None) -> Response:
    """The body with its ETag, or 304 if the caller has it already."""
    etag = 'W/"' + hashlib.sha1(body, usedforsecurity=False).hexdigest() + '"'
    kept = {"ETag": etag, "Cache-Control": keep(request, seconds), **(headers or {})}
    if has(request, etag):
        return Response(status_code=304, headers=kept)
    return Response(body, media_type=media_type, headers=kept)


def keep(request: Request, seconds: int) -> str:
    """The Cache-Control of an answer: shared only if nobody in particular asked."""
    nobody = "authorization" not in request.headers and "cookie" not in request.headers
    return _KEEP[nobody].format(seconds=seconds)


def has(request: Request, etag: str) -> bool:
    """Whether the caller's `If-None-Match` names this ETag (compared weakly, as RFC 9110 wants it there)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    wanted = etag.removeprefix("W/")
    return any(one.strip() == "*" or one.strip().removeprefix("W/") == wanted for one in given.split(","))
