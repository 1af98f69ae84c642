"""Pushes: bodies that senders bring themselves. Acknowledged means on disk; the worker takes them from there."""

from contextlib import suppress

import anyio
from fastapi import APIRouter, HTTPException, Request, Response
from orjson import dumps
from starlette.requests import ClientDisconnect

from stadthub_api.deps import WRITE, HubDep, Writer, WriterDep
from stadthub_api.hub import Hub
from stadthub_pipelines.spool import Spooling, want_room

EMPTY = "the body is empty: send the payload as the body of the POST"

router = APIRouter(prefix="/api/v1/feeds", tags=["feeds"])


@router.post("/{feed}/push", status_code=202, openapi_extra=WRITE)
async def push(request: Request, hub: HubDep, writer: WriterDep) -> Response:
    """Take a body for a push feed: the answer 202 comes after it is durably written."""
    feed = writer.feed
    _check(_declared(request), feed.max_bytes)
    if await hub.work(hub.doors.of, feed.feed) is not None:
        return await _reduced(request, hub, writer)
    folder = hub.settings.data_dir.absolute() / "push" / feed.name
    await hub.work(want_room, folder, hub.settings.min_free_mb * 1_000_000)
    spooling = await hub.work(Spooling, folder, request.headers.get("content-type", ""), writer.principal.name)
    try:
        async for piece in request.stream():
            _check(spooling.size + len(piece), feed.max_bytes)
            if piece:
                await hub.work(spooling.write, piece)
        if spooling.size == 0:
            raise HTTPException(400, EMPTY)
        spooled = await hub.work(spooling.keep)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it, and nothing was acknowledged
    finally:
        with anyio.CancelScope(shield=True), suppress(OSError):
            await hub.work(spooling.drop)
    return Response(dumps({"received": spooled.size, "id": spooled.id}), 202, media_type="application/json")


async def _reduced(request: Request, hub: Hub, writer: Writer) -> Response:
    """Take a body that can hold personal data: not one byte of it is written before its reducer has seen all of it."""
    try:
        body = await hub.doors.buffered(request, writer.feed.max_bytes)
    except ClientDisconnect:
        return Response(status_code=400)
    if not body:
        raise HTTPException(400, EMPTY)
    spooled = await hub.work(hub.doors.keep, writer.feed.feed, body, writer.principal.name)
    return Response(dumps({"received": len(body), "id": spooled.id if spooled else None}), 202, media_type="application/json")


def _declared(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _check(size: int, most: int) -> None:
    if size > most:
        raise HTTPException(413, f"a push to this feed may hold {most} bytes at most: send smaller pieces")
