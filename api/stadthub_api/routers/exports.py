"""Whole selections as files: streamed as the engine writes them, without a cap, and stopped when the reader goes."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import anyio
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from stadthub_api.answers import keep
from stadthub_api.deps import DATASET, HubDep, ReadableDep
from stadthub_api.hub import Hub
from stadthub_api.parameters import EXPORT, FILTER_DOCUMENTATION, Question, documented
from stadthub_api.problems import Busy
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"])

ExportFormat = Literal["csv", "json", "geojson", "parquet", "arrow"]


@router.get("/{name}/exports/{format}", openapi_extra={**DATASET, "parameters": [*documented(EXPORT), FILTER_DOCUMENTATION]})
async def export(request: Request, hub: HubDep, seen: ReadableDep, format_: Annotated[ExportFormat, Path(alias="format")]) -> Response:
    """All rows of a selection as one file, with the same filters as `/rows`."""
    query, _ = Question(seen.entry, seen.hidden, EXPORT, seen.decision.suppression).rows(request.query_params.multi_items(), None, None)
    known = FORMATS[format_]
    name = f"{seen.entry.name}-{datetime.now(UTC):%Y-%m-%d}.{known.ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": keep(request, 0)}
    if request.state.is_head:
        return Response(media_type=known.media_type, headers=headers)
    try:
        hub.exports.acquire_on_behalf_of_nowait(request)
    except anyio.WouldBlock as error:
        raise Busy("too many exports are running: try again in some seconds") from error
    try:
        pieces = await hub.work(lambda: hub.lake.export(query, format_))
        first = await hub.work(next, pieces, b"")  # so that a wrong question is told before the answer has begun
    except BaseException:
        hub.exports.release_on_behalf_of(request)
        raise
    return _Streamed(hub, request, _pieces(hub, first, pieces), known.media_type, headers)


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
    """A stream that gives its place back at its end, also when the reader has gone."""

    def __init__(self, hub: Hub, request: Request, pieces: AsyncIterator[bytes], media_type: str, headers: dict[str, str]) -> None:
        super().__init__(pieces, media_type=media_type, headers=headers)
        self._hub, self._request, self._pieces = hub, request, pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.exports.release_on_behalf_of(self._request)
            with anyio.CancelScope(shield=True):
                close = getattr(self._pieces, "aclose", None)
                if close is not None:
                    await close()
