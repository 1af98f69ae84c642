"""SQL from outside: one question over the datasets that the caller may see, run by the lake in a process of its own."""

import re
from typing import Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from pydantic import Field

from stadthub_api.deps import DATASET, HubDep, PrincipalDep
from stadthub_api.formats import WRITERS, wanted
from stadthub_api.hub import Hub, Readable, readable
from stadthub_pipelines.datastore.tables import PREFIX, table_of
from stadthub_schemas.access import Principal
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import NotFound
from stadthub_schemas.model import Strict
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(prefix="/api/v1", tags=["sql"])

#: How a table of a resource is named.
_TABLE = re.compile(rf"{PREFIX}[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")

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
    names = [one.entry.name for one in seen] + _pushed(hub, principal, text)
    table = hub.lake.sql(text, names, {one.entry.name: one.hidden for one in seen}, rules)
    return WRITERS[format_](table)


def _pushed(hub: Hub, principal: Principal, text: str) -> list[str]:
    """The tables of resources that the question names (`ds-<resource id>`) and that the caller may read."""
    found = []
    for name in dict.fromkeys(_TABLE.findall(text.lower().replace("_", "-"))):
        try:
            entry, one = hub.catalog.shelf.distribution(name.removeprefix(PREFIX))
            readable(entry, principal)
            hub.reader.columns(name)
        except NotFound:
            continue
        if entry.document is not None and one.id is not None:
            found.append(table_of(one.id))
    return found


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
