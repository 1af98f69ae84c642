"""Whole selections as files: streamed as the engine writes them, without a cap, and stopped when the reader goes or takes nothing."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import anyio
import structlog
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from stadthub_api.answers import keep
from stadthub_api.deps import DATASET, HubDep, PrincipalDep, ReadableDep
from stadthub_api.envelope import shortened
from stadthub_api.hub import Hub
from stadthub_api.parameters import EXPORT, FILTER_DOCUMENTATION, Question, documented
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"])

LOG = structlog.get_logger()

#: How long a reader may take nothing, in seconds, and how many bytes it must have taken by then.
PATIENCE = 60.0
PART = 256 * 1024

ExportFormat = Literal["csv", "json", "geojson", "parquet", "arrow"]


@router.get("/{name}/exports/{format}", openapi_extra={**DATASET, "parameters": [*documented(EXPORT), FILTER_DOCUMENTATION]})
async def export(
    request: Request, hub: HubDep, principal: PrincipalDep, seen: ReadableDep, format_: Annotated[ExportFormat, Path(alias="format")]
) -> Response:
    """All rows of a selection as one file, with the same filters as `/rows`."""
    query, _ = Question(seen.entry, seen.hidden, EXPORT, seen.decision.suppression).rows(request.query_params.multi_items(), None, None)
    known = FORMATS[format_]
    name = f"{seen.entry.name}-{datetime.now(UTC):%Y-%m-%d}.{known.ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": keep(request, 0)}
    if request.state.is_head:
        return Response(media_type=known.media_type, headers=headers)
    who = principal.name or shortened(request.client.host if request.client else "")
    hub.exports.take(who)
    try:
        pieces = await hub.work(lambda: hub.lake.export(query, format_))
        first = await hub.work(next, pieces, b"")  # so that a wrong question is told before the answer has begun
    except BaseException:
        hub.exports.give(who)
        raise
    answer = _Streamed(_pieces(hub, first, pieces), media_type=known.media_type, headers=headers)
    answer.at_end = lambda: hub.exports.give(who)
    return answer


async def _pieces(hub: Hub, first: bytes, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
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


class _Streamed(StreamingResponse):
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
