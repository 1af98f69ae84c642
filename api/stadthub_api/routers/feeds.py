"""Feeds for the operator: how each one is doing, what was noticed, refused or put aside and why, its runs; pause, resume, run now."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from stadthub_api.deps import OPERATE, HubDep, OperatorDep
from stadthub_api.formats import as_json
from stadthub_api.held import Word, give_word
from stadthub_api.parameters import refuse_unknown
from stadthub_catalog.entry import FeedState
from stadthub_schemas.finding import sentence

router = APIRouter(prefix="/api/v1/feeds", tags=["feeds"])

FeedPath = Annotated[str, Path(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("", openapi_extra=OPERATE)
async def list_feeds(hub: HubDep, operator: OperatorDep) -> Response:  # noqa: ARG001 - it is the decision
    """All feeds and how they are doing."""
    found = await hub.work(hub.catalog.feeds)
    return _answer({"feeds": [_told(state) for state in found]})


@router.get("/{feed}", openapi_extra=OPERATE)
async def show_feed(feed: FeedPath, hub: HubDep, operator: OperatorDep) -> Response:  # noqa: ARG001 - it is the decision
    """One feed and how it is doing."""
    return _answer(_told(await hub.work(hub.catalog.feed, feed)))


@router.get("/{feed}/rejects", openapi_extra=OPERATE)
async def rejects(request: Request, feed: FeedPath, hub: HubDep, operator: OperatorDep, limit: Limit = 100) -> Response:  # noqa: ARG001 - it is the decision
    """The newest rows that this feed refused, each with its reason."""
    refuse_unknown(request.query_params.multi_items(), ("limit",))
    await hub.work(hub.catalog.feed, feed)
    table = await hub.work(hub.reader.rejects, feed, limit)
    return Response(b'{"rejects":' + as_json(table) + b"}", media_type="application/json", headers=_UNKEPT)


@router.get("/{feed}/runs", openapi_extra=OPERATE)
async def runs(request: Request, feed: FeedPath, hub: HubDep, operator: OperatorDep, limit: Limit = 20) -> Response:  # noqa: ARG001 - it is the decision
    """The last runs of this feed with their sums."""
    refuse_unknown(request.query_params.multi_items(), ("limit",))
    await hub.work(hub.catalog.feed, feed)
    return _answer({"runs": [asdict(run) for run in await hub.work(hub.catalog.runs, feed, limit)]})


@router.post("/{feed}/pause", openapi_extra=OPERATE)
async def pause(feed: FeedPath, hub: HubDep, operator: OperatorDep) -> Response:
    """Stop taking data from this feed until it is resumed."""
    return await _change(hub, operator.name, feed, "pause", {"paused": True})


@router.post("/{feed}/resume", openapi_extra=OPERATE)
async def resume(feed: FeedPath, hub: HubDep, operator: OperatorDep) -> Response:
    """Take data from this feed again."""
    return await _change(hub, operator.name, feed, "resume", {"paused": False})


@router.post("/{feed}/run", openapi_extra=OPERATE, status_code=202)
async def run(feed: FeedPath, hub: HubDep, operator: OperatorDep) -> Response:
    """Fetch now instead of at the next time of the schedule."""
    return await _change(hub, operator.name, feed, "run", {"wanted_run": datetime.now(UTC)})


@router.get("/{feed}/findings", openapi_extra=OPERATE)
async def findings(feed: FeedPath, hub: HubDep, operator: OperatorDep) -> Response:  # noqa: ARG001 - it is the decision
    """What was noticed of this feed and still holds: drift of its payloads, certificates, spellings."""
    await hub.work(hub.catalog.feed, feed)
    found = await hub.work(hub.catalog.findings, feed)
    return _answer({"findings": [{**asdict(one), "sentence": sentence(one.kind, one.subject, one.details)} for one in found]})


@router.get("/{feed}/quarantine", openapi_extra=OPERATE)
async def quarantine(feed: FeedPath, hub: HubDep, operator: OperatorDep) -> Response:  # noqa: ARG001 - it is the decision
    """The payloads of this feed that are put aside, in the order in which they came: why, and how they differ."""
    await hub.work(hub.catalog.feed, feed)
    return _answer({"quarantine": [asdict(one) for one in await hub.work(hub.catalog.held, feed)]})


@router.post("/{feed}/quarantine/{position}/{word}", openapi_extra=OPERATE, status_code=202)
async def decide(feed: FeedPath, position: int, word: Word, hub: HubDep, operator: OperatorDep) -> Response:
    """Judge a payload in quarantine again (`release`), take it as the new normal (`accept`), or never store it (`discard`)."""
    return _answer({"payload": asdict(await hub.work(give_word, hub.catalog, feed, position, word, operator.name))}, 202)


_UNKEPT = {"Cache-Control": "no-store"}


async def _change(hub: HubDep, who: str, feed: str, what: str, changes: dict[str, Any]) -> Response:
    """Note it for the worker, write it into the audit, and tell how the feed stands now."""

    def note() -> FeedState:
        hub.catalog.feed(feed)  # NotFound: noting would make one
        hub.catalog.note_feed(feed, **changes)
        hub.catalog.record(who, f"feed.{what}", feed)
        return hub.catalog.feed(feed)

    return _answer(_told(await hub.work(note)), 202 if what == "run" else 200)


def _told(state: FeedState) -> dict[str, Any]:
    told = asdict(state)
    told.pop("source_state")  # what a source remembers is its own, and may hold addresses with secrets
    return {**told, "counts": {**told["counts"], "balanced": state.counts.balanced}}


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z, default=str), status, media_type="application/json", headers=_UNKEPT)
