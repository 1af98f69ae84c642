"""The API's own description: the OpenAPI document, its page (from files of ours), and what each problem means."""

from html import escape

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from stadthub_api.answers import cached
from stadthub_api.deps import PUBLIC, SiteDep
from stadthub_api.problems import KINDS, OTHERS
from stadthub_schemas.errors import NotFound

router = APIRouter(tags=["hub"])

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API – {title}</title>
<link rel="stylesheet" href="/static/built/swagger.css">
<script type="module" src="/static/built/swagger.js"></script>
</head>
<body>
<main id="swagger" data-openapi="/openapi.json">
<h1>API – {title}</h1>
<p lang="de">Die Beschreibung der Schnittstelle steht auch als <a href="/openapi.json">OpenAPI-Dokument</a> bereit.</p>
<p>The description of the interface is also available as an <a href="/openapi.json">OpenAPI document</a>.</p>
</main>
</body>
</html>
"""


@router.get("/openapi.json", openapi_extra=PUBLIC, include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document."""
    return cached(request, orjson.dumps(request.app.openapi()), "application/json", 300)


@router.get("/api/docs", openapi_extra=PUBLIC, include_in_schema=False)
async def page(site: SiteDep) -> Response:
    """The OpenAPI document as a page; without JavaScript it still links to it."""
    return HTMLResponse(PAGE.format(title=escape(site.title)))


@router.get("/problems/{kind}", openapi_extra=PUBLIC, include_in_schema=False)
async def problem(request: Request, kind: str) -> Response:
    """What a problem's `type` means."""
    known = {one.name: (one, (error.__doc__ or "").strip()) for error, one in KINDS.items()}
    known |= {one.name: (one, "") for one in OTHERS.values() if one.name not in known}
    if kind not in known:
        raise NotFound(f"there is no kind of problem {kind[:50]!r}")
    one, words = known[kind]
    body = {"type": f"/problems/{one.name}", "title": one.title, "title_de": one.title_de, "status": one.status, "description": words}
    return cached(request, orjson.dumps(body), "application/json", 300)
