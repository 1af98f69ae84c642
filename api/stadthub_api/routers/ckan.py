"""CKAN's action API, for reading: `/api/action/<name>` and `/api/3/action/<name>`, with CKAN's envelope and its own error forms."""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from stadthub_api.deps import DATASET, PUBLIC, CatalogDep, HubDep, SiteDep, header_token
from stadthub_catalog import actions
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.refusals import Refusal, UnknownAction
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY, Principal
from stadthub_schemas.errors import AccessError, StorageError

router = APIRouter(tags=["CKAN"])

_JSON = "application/json;charset=utf-8"
_HEADERS = {"Cache-Control": "public, max-age=0, must-revalidate"}
_PRIVATE = {"Cache-Control": "private, no-store"}

#: Both headers in which clients send their token; the second is that of CKAN up to 2.10.
_TOKENS = ("authorization", "x-ckan-api-key")

#: What may be called with JSONP: a JavaScript name, with dots.
_CALLBACK = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*", re.ASCII)


class _BadRequest(Exception):
    """What CKAN answers with a bare text, outside its envelope."""


@router.get("/api/action/{name}", openapi_extra=DATASET, include_in_schema=False)
@router.get("/api/3/action/{name}", openapi_extra=DATASET)
async def read(name: str, request: Request, hub: HubDep, catalog: CatalogDep, site: SiteDep) -> Response:
    """Call a read action; the parameters stand in the query string."""
    callback = request.query_params.get("callback")
    if callback is None:
        return await _answer(name, request, hub, catalog, site)
    if not _CALLBACK.fullmatch(callback) or len(callback) > 100:
        return _bare("Bad request: callback must be the name of a function")
    parameters = {key: value for key, value in _query(request).items() if key != "callback"}
    status, body = await hub.work(_called, catalog, name, parameters, ANYBODY, site)
    if status != 200:
        return Response(body, status, headers=_HEADERS, media_type=_JSON)
    return Response(callback.encode() + b"(" + body + b");", headers=_HEADERS, media_type="application/javascript")


@router.post("/api/action/{name}", openapi_extra=DATASET, include_in_schema=False)
@router.post("/api/3/action/{name}", openapi_extra=DATASET)
async def read_by_post(name: str, request: Request, hub: HubDep, catalog: CatalogDep, site: SiteDep) -> Response:
    """Call a read action; the parameters stand in a form, in the query string, or in a JSON body, the first of these that there is."""
    return await _answer(name, request, hub, catalog, site)


@router.get("/api", openapi_extra=PUBLIC)
@router.get("/api/", openapi_extra=PUBLIC, include_in_schema=False)
async def version() -> dict[str, int]:
    """The version of the API that is meant where none is named."""
    return {"version": 1}


@router.get("/api/3", openapi_extra=PUBLIC)
@router.get("/api/3/", openapi_extra=PUBLIC, include_in_schema=False)
async def version_3() -> dict[str, int]:
    """The version of the action API."""
    return {"version": 3}


async def _answer(name: str, request: Request, hub: HubDep, catalog: Catalog, site: Site) -> Response:
    try:
        parameters = await _parameters(request)
    except _BadRequest as error:
        return _bare(f"Bad request: {error}")
    principal = await hub.work(_principal, catalog, request.headers)
    status, body = await hub.work(_called, catalog, name, parameters, principal, site)
    headers = _HEADERS if principal is ANYBODY else _PRIVATE
    return Response(body, status, headers={**headers, "Vary": ", ".join(_TOKENS)}, media_type=_JSON)


def _called(catalog: Catalog, name: str, parameters: Mapping[str, Any], principal: Principal, site: Site) -> tuple[int, bytes]:
    """The status and the body of one call."""
    envelope: dict[str, Any] = {"help": f"{site.url}/api/3/action/help_show?name={name}"}
    try:
        result = actions.call(catalog, name, parameters, principal, site)
    except UnknownAction as error:
        return 400, _written(f"Bad request: {error}")
    except Refusal as error:
        return error.status, _written({**envelope, "error": error.form(), "success": False})
    except StorageError as error:
        return 503, _written({**envelope, "error": {"__type": "Search Index Error", "message": str(error)}, "success": False})
    return 200, _written({**envelope, "success": True, "result": result})


def _principal(catalog: Catalog, headers: Mapping[str, str]) -> Principal:
    """Who asks. A wrong token is none, as in CKAN: what is public stays readable."""
    for name in _TOKENS:
        token = header_token(headers.get(name))
        if token is not None:
            try:
                return catalog.principal(token)
            except AccessError:
                continue
    return ANYBODY


async def _parameters(request: Request) -> dict[str, Any]:
    """The parameters, looked for in CKAN's order: form fields, query string, JSON body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        form = await _form(request)
        if form:
            return form
    query = _query(request)
    if query or request.method == "GET":
        return query
    body = await request.body()
    return _object(body) if body.strip() else {}


async def _form(request: Request) -> dict[str, Any]:
    """The fields of a form; one whose only field is empty holds JSON in that field's name: that is how old clients send it."""
    try:
        async with request.form() as form:
            fields = _gathered(form)
    except HTTPException as error:
        raise _BadRequest(f"JSON Error: Invalid request. {error.detail}") from error
    if len(fields) == 1:
        name, value = next(iter(fields.items()))
        if value in ("", "1"):
            return _object(name.encode())
    return fields


def _gathered(form: FormData) -> dict[str, Any]:
    return _lists((name, value.filename if isinstance(value, UploadFile) else value) for name, value in form.multi_items())


def _query(request: Request) -> dict[str, Any]:
    return _lists(request.query_params.multi_items())


def _lists(pairs: Any) -> dict[str, Any]:
    """Parameters by name; a repeated one is a list."""
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _BadRequest(f"JSON Error: Error decoding JSON data. Error: {error} JSON data extracted from the request") from error
    if not isinstance(value, dict):
        raise _BadRequest("JSON Error: Request data JSON decoded to something that is not a dictionary: send an object")
    return value


def _bare(text: str) -> Response:
    return Response(_written(text), 400, headers=_HEADERS, media_type=_JSON)


def _written(value: Any) -> bytes:
    """JSON as CKAN writes it: everything beyond ASCII is escaped."""
    return json.dumps(value).encode()
