"""The quick way: the last rows of one datastream, straight from the hot store to the socket.

`/rows?datastream=…&sort=-phenomenon_time&limit=…` (or `thing=…&observed_property=…`) is what a dashboard asks all day. Without
a token, on a public dataset without hidden columns, it is answered before routing, dependencies and validation begin;
whatever else is asked goes the ordinary way, which gives the same answer.
"""

import hashlib
from collections.abc import Mapping
from urllib.parse import quote, unquote_plus

from starlette.types import ASGIApp, Receive, Scope, Send

from stadthub_api.hub import Hub
from stadthub_schemas.errors import StadthubError
from stadthub_schemas.rows import datastream_key

_PREFIX, _SUFFIX = "/api/v1/datasets/", "/rows"
_WORDS = frozenset({"datastream", "thing", "observed_property", "sort", "limit"})
_MAX_LIMIT = 100
#: How long a shared cache may keep what is new every few seconds.
CACHE = "public, max-age=2"
#: The beginning of a row as the hot store writes it.
_ROW = b'{"phenomenon_time":"'


class Recent:
    """Pure ASGI: answers what it can answer wholly, and leaves everything else alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and scope["method"] == "GET" and path.endswith(_SUFFIX) and path.startswith(_PREFIX):
            asked = _asked(scope["query_string"])
            headers = dict(scope["headers"])
            if asked is not None and b"authorization" not in headers and b"cookie" not in headers and _takes_json(headers):
                name = path[len(_PREFIX) : -len(_SUFFIX)]
                rows = await _rows(scope["app"].state.hub, name, asked)
                if rows is not None:
                    await _answer(send, headers, name, asked, rows)
                    return
        await self.app(scope, receive, send)


def _asked(query: bytes) -> tuple[str, int] | None:
    """The datastream and the limit, if nothing else is asked."""
    if b"phenomenon_time" not in query:
        return None
    pairs = query.decode("latin-1").split("&")
    words = {name: unquote_plus(value) for name, _, value in (pair.partition("=") for pair in pairs)}
    if len(words) != len(pairs) or not words.keys() <= _WORDS or words.get("sort") != "-phenomenon_time":
        return None
    limit = words.get("limit", "100")
    if "datastream" in words and len(words) == 2 + ("limit" in words):
        datastream = words["datastream"]
    elif "datastream" not in words and "thing" in words and "observed_property" in words:
        datastream = datastream_key(words["thing"], words["observed_property"])
    else:
        return None
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= _MAX_LIMIT):
        return None
    return datastream, int(limit)


def _takes_json(headers: Mapping[bytes, bytes]) -> bool:
    accept = headers.get(b"accept", b"*/*")
    return accept == b"*/*" or accept.startswith((b"application/json", b"text/html"))


async def _rows(hub: Hub, name: str, asked: tuple[str, int]) -> bytes | None:
    """The rows, if anybody may see all of them and the hot store has them. SQLite is read at once: a thread would cost more."""
    try:
        if hub.quick:
            return hub.catalog.recent(name, *asked) if hub.is_whole(name) else None
        return await hub.work(_looked_up, hub, name, asked)
    except StadthubError:
        return None  # the ordinary way finds the same error, and tells it


def _looked_up(hub: Hub, name: str, asked: tuple[str, int]) -> bytes | None:
    return hub.catalog.recent(name, *asked) if hub.is_whole(name) else None


async def _answer(send: Send, headers: Mapping[bytes, bytes], name: str, asked: tuple[str, int], rows: bytes) -> None:
    body = b'{"rows":' + rows + b',"next":' + _next(name, asked, rows) + b"}"
    etag = b'W/"' + hashlib.sha1(body, usedforsecurity=False).hexdigest().encode() + b'"'
    fixed = [(b"etag", etag), (b"cache-control", CACHE.encode())]
    if headers.get(b"if-none-match") == etag:
        await send({"type": "http.response.start", "status": 304, "headers": fixed})
        await send({"type": "http.response.body", "body": b""})
        return
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), length, *fixed]})
    await send({"type": "http.response.body", "body": body})


def _next(name: str, asked: tuple[str, int], rows: bytes) -> bytes:
    """The address of the rows before these: times of one datastream are unique, so its oldest one is the cursor."""
    begin = rows.rfind(_ROW) + len(_ROW)
    if begin < len(_ROW):
        return b"null"
    oldest = rows[begin : rows.index(b'"', begin)].decode()
    return (
        f'"{_PREFIX}{name}{_SUFFIX}?datastream={quote(asked[0])}&sort=-phenomenon_time&limit={asked[1]}'
        f'&phenomenon_time__lt={quote(oldest)}"'
    ).encode()
