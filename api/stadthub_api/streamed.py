"""Long answers: pieces that are worked out in the pool, to a reader who takes them in time, with a place that is given back at the end."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import anyio
import structlog
from fastapi import Response
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from stadthub_api.hub import Hub

LOG = structlog.get_logger()

#: How long a reader may take nothing, in seconds, and how many bytes it must have taken by then.
PATIENCE = 60.0
PART = 256 * 1024


async def streamed(hub: Hub, who: str, begin: Callable[[], Iterator[bytes]], media_type: str, headers: Mapping[str, str]) -> Response:
    """The pieces as an answer, in one of the places that `who` has; what is wrong with the question is told before it begins."""
    hub.exports.take(who)
    try:
        pieces = await hub.work(begin)
        first = await hub.work(next, pieces, b"")
    except BaseException:
        hub.exports.give(who)
        raise
    answer = Streamed(taken(hub, first, pieces), media_type=media_type, headers=dict(headers))
    answer.at_end = lambda: hub.exports.give(who)
    return answer


async def taken(hub: Hub, first: bytes, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each taken in the pool; the engine's cursor is closed when nobody takes any more."""
    try:
        piece = first
        while piece:
            yield piece
            piece = await hub.work(next, rest, b"")
    finally:
        with anyio.CancelScope(shield=True):
            await hub.work(_close, rest)


def _close(pieces: Iterator[bytes]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()


class Streamed(StreamingResponse):
    """A stream that gives its place back at its end, also when the reader has gone or takes nothing any more."""

    at_end: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patient(message: Message) -> None:
            for part in _parts(message):
                with anyio.fail_after(PATIENCE):
                    await send(part)

        try:
            await super().__call__(scope, receive, patient)
        except TimeoutError:
            LOG.info("an export was ended: its reader took nothing", path=scope["path"], seconds=PATIENCE)
        finally:
            self.at_end()
            with anyio.CancelScope(shield=True):
                close = getattr(self.body_iterator, "aclose", None)
                if close is not None:
                    await close()


def _parts(message: Message) -> Iterator[Message]:
    """The message in parts that even a slow reader takes within the time."""
    body = message.get("body", b"")
    if len(body) <= PART:
        yield message
        return
    for start in range(0, len(body), PART):
        last = start + PART >= len(body)
        yield {**message, "body": body[start : start + PART], "more_body": message.get("more_body", False) or not last}
