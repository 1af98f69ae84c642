"""Whole selections as files: streamed as the engine writes them, without a cap, and stopped when the reader goes or takes nothing."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response

from stadthub_api.answers import keep
from stadthub_api.deps import DATASET, HubDep, PrincipalDep, ReadableDep
from stadthub_api.envelope import shortened
from stadthub_api.parameters import EXPORT, FILTER_DOCUMENTATION, Question, documented
from stadthub_api.streamed import streamed
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"])

ExportFormat = Literal["csv", "json", "geojson", "parquet", "arrow"]


@router.get("/{name}/exports/{format}", openapi_extra={**DATASET, "parameters": [*documented(EXPORT), FILTER_DOCUMENTATION]})
async def export(
    request: Request, hub: HubDep, principal: PrincipalDep, seen: ReadableDep, format_: Annotated[ExportFormat, Path(alias="format")]
) -> Response:
    """All rows of a selection as one file, with the same filters as `/rows`. Without `sort` they come as they lie, the same each time: a
    timeseries day by day (its freshest rows last), in each by datastream and time."""
    query, _ = Question(seen.entry, seen.hidden, EXPORT, seen.decision.suppression).rows(request.query_params.multi_items(), None, None)
    known = FORMATS[format_]
    name = f"{seen.entry.name}-{datetime.now(UTC):%Y-%m-%d}.{known.ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": keep(request, 0)}
    if request.state.is_head:
        return Response(media_type=known.media_type, headers=headers)
    who = principal.name or shortened(request.client.host if request.client else "")
    return await streamed(hub, who, lambda: hub.lake.export(query, format_), known.media_type, headers)
