"""SQL from outside: one question over the datasets that the caller may see, run by the lake in a process of its own."""

from typing import Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from pydantic import Field

from stadthub_api.deps import DATASET, HubDep, PrincipalDep
from stadthub_api.formats import WRITERS, wanted
from stadthub_api.hub import Hub, Readable, readable
from stadthub_schemas.access import Principal
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import NotFound
from stadthub_schemas.model import Strict
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(prefix="/api/v1", tags=["sql"])

OFFERED = ("json", "csv", "parquet", "arrow")


class SqlQuestion(Strict):
    """One SELECT in DuckDB's words; each dataset is a table of its name (in quotes if it has a hyphen)."""

    sql: str = Field(min_length=1, max_length=50_000, examples=['SELECT thing, avg(result) FROM "bicycle-counts" GROUP BY thing'])
    format: Literal["json", "csv", "parquet", "arrow"] | None = None


@router.post("/sql", openapi_extra=DATASET)
async def sql(request: Request, question: SqlQuestion, hub: HubDep, principal: PrincipalDep) -> Response:
    """The rows of one SELECT over what the caller may see; other datasets and hidden columns are as if absent."""
    format_ = wanted(question.format, request.headers.get("accept", ""), OFFERED)
    body = await run_sync(_answer, hub, principal, question.sql, format_, limiter=hub.questions)
    return Response(body, media_type=FORMATS[format_].media_type, headers={"Cache-Control": "no-store"})


def _answer(hub: Hub, principal: Principal, text: str, format_: str) -> bytes:
    seen = list(_seen(hub, principal))
    rules = {one.entry.name: one.decision.suppression for one in seen if one.decision.suppression is not None}
    table = hub.lake.sql(text, [one.entry.name for one in seen], {one.entry.name: one.hidden for one in seen}, rules)
    return WRITERS[format_](table)


def _seen(hub: Hub, principal: Principal) -> list[Readable]:
    found = []
    for entry in hub.catalog.entries():
        if entry.dataset.kind is Kind.FILES:
            continue
        try:
            found.append(readable(entry, principal))
        except NotFound:
            continue
    return found
