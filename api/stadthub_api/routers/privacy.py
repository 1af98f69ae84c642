"""The record of processing activities (Art. 30 GDPR) and the proof of deletions, for those who run the hub."""

from dataclasses import asdict
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response

from stadthub_api.deps import OPERATE, HubDep, OperatorDep
from stadthub_api.parameters import refuse_unknown
from stadthub_api.record import record
from stadthub_api.record_formats import WRITERS
from stadthub_schemas.dataset import Language

router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"])

_UNKEPT = {"Cache-Control": "no-store"}


@router.get("/record", openapi_extra=OPERATE)
async def record_of_processing(
    request: Request,
    hub: HubDep,
    operator: OperatorDep,  # noqa: ARG001 - it is the decision
    format_: Annotated[Literal["md", "csv", "json"], Query(alias="format")] = "json",
    language: Language = "de",
) -> Response:
    """The record as JSON, as a table (`format=csv`) or as a document (`format=md`), in German or English (`language=en`)."""
    refuse_unknown(request.query_params.multi_items(), ("format", "language"))
    media_type, write = WRITERS[format_]
    body = write(await hub.work(record, hub.catalog, hub.settings, language), language)
    named = {} if format_ == "json" else {"Content-Disposition": f'attachment; filename="art-30-{language}.{format_}"'}
    return Response(body, media_type=media_type, headers={**_UNKEPT, **named})


@router.get("/deletions", openapi_extra=OPERATE)
async def deletions(
    request: Request,
    hub: HubDep,
    operator: OperatorDep,  # noqa: ARG001 - it is the decision
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> Response:
    """What retention deleted, newest first: of which dataset or feed, what was older than when, and how much."""
    refuse_unknown(request.query_params.multi_items(), ("limit",))
    found = await hub.work(hub.catalog.audited, "retention.", limit)
    body = orjson.dumps({"deletions": [asdict(one) for one in found]}, option=orjson.OPT_UTC_Z, default=dict)
    return Response(body, media_type="application/json", headers=_UNKEPT)
