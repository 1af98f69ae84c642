"""CKAN's action API: `/api/action/<name>` and `/api/3/action/<name>`, with CKAN's envelope and its own error forms."""

import json
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any

import orjson
from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from stadthub_api.bodies import MAX_BODY, bounded
from stadthub_api.deps import DATASET, PUBLIC, HubDep, header_token
from stadthub_api.hub import Hub
from stadthub_catalog import actions
from stadthub_catalog.actions import Caller
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.refusals import Invalid, Refusal, UnknownAction, WrongMethod
from stadthub_catalog.uploads import Upload
from stadthub_pipelines.datastore.tables import tidy
from stadthub_schemas.access import ANYBODY, Principal
from stadthub_schemas.errors import AccessError, StorageError

router = APIRouter(tags=["CKAN"])

_JSON = "application/json;charset=utf-8"
_HEADERS = {"Cache-Control": "public, max-age=0, must-revalidate"}
#: How large what is said of a package may be, beside the files that come with it.
_MOST_WORDS = 32_000_000
_MULTIPART = "multipart/form-data"

Name = Annotated[str, Path(max_length=200)]

_PRIVATE = {"Cache-Control": "private, no-store"}

#: Both headers in which clients send their token; the second is that of CKAN up to 2.10.
_TOKENS = ("authorization", "x-ckan-api-key")

#: What may be called with JSONP: a JavaScript name, with dots.
_CALLBACK = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*", re.ASCII)


#: Runs in a process of its own, for which there are few places.
_SQL = "datastore_search_sql"


#: What can take resources away, whose tables then go too.
_TAKING = frozenset({"resource_delete", "package_update", "package_patch", "package_revise", "dataset_purge"})


class _BadRequest(Exception):
    """What CKAN answers with a bare text, outside its envelope."""


@router.get("/api/action/{name}", openapi_extra=DATASET, include_in_schema=False)
@router.get("/api/3/action/{name}", openapi_extra=DATASET)
async def read(name: Name, request: Request, hub: HubDep) -> Response:
    """Call an action that changes nothing; the parameters stand in the query string."""
    callback = request.query_params.get("callback")
    parameters = {key: value for key, value in _query(request).items() if key != "callback"}
    if callback is None:
        principal = await hub.work(_principal, hub.catalog, request.headers)
        return await _answer(hub, name, parameters, Caller(principal, only_reads=True, more=hub.datastore))
    if not _CALLBACK.fullmatch(callback) or len(callback) > 100:
        return _bare("Bad request: callback must be the name of a function")
    status, body = await hub.work(_called, hub, name, parameters, Caller(ANYBODY, only_reads=True, more=hub.datastore))
    if status != 200:
        return Response(body, status, headers=_HEADERS, media_type=_JSON)
    return Response(callback.encode() + b"(" + body + b");", headers=_HEADERS, media_type="application/javascript")


@router.post("/api/action/{name}", openapi_extra=DATASET, include_in_schema=False)
@router.post("/api/3/action/{name}", openapi_extra=DATASET)
async def act(name: Name, request: Request, hub: HubDep) -> Response:
    """Call any action; the parameters stand in a form, in the query string, or in a JSON body, the first of these that there is.
    Files come with a form. What it changes is decided by who calls."""
    principal = await hub.work(_principal, hub.catalog, request.headers)
    async with AsyncExitStack() as stack:
        try:
            parameters = await _parameters(request, _most(request, hub, principal), stack)
        except _BadRequest as error:
            return _bare(f"Bad request: {error}")
        except HTTPException as error:
            if error.status_code != 413 or _kind(request) != _MULTIPART:
                raise
            refusal = Invalid({"upload": [f"File upload too large: {error.detail}"]})
            return Response(_refused(hub, name, refusal), refusal.status, headers=_PRIVATE, media_type=_JSON)
        return await _answer(hub, name, parameters, Caller(principal, more=hub.datastore))


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


async def _answer(hub: Hub, name: str, parameters: Mapping[str, Any], caller: Caller) -> Response:
    if name == _SQL:
        status, body = await run_sync(_called, hub, name, parameters, caller, limiter=hub.questions)
    else:
        status, body = await hub.work(_called, hub, name, parameters, caller)
    headers = _HEADERS if caller.principal is ANYBODY else _PRIVATE
    return Response(body, status, headers={**headers, "Vary": ", ".join(_TOKENS)}, media_type=_JSON)


def _called(hub: Hub, name: str, parameters: Mapping[str, Any], caller: Caller) -> tuple[int, bytes]:
    """The status and the body of one call."""
    try:
        answer = actions.answer(hub.catalog, name, parameters, caller, hub.site, hub.uploads)
    except (UnknownAction, WrongMethod) as error:
        return 400, _written(f"Bad request: {error}")
    except Refusal as error:
        return error.status, _refused(hub, name, error)
    except StorageError as error:
        return 503, _written({**_help(hub, name), "error": {"__type": "Search Index Error", "message": str(error)}, "success": False})
    if name in _TAKING:
        tidy(hub.rooms.root, hub.catalog)
    if isinstance(answer.result, bytes):
        return 200, _written(_help(hub, name))[:-1] + b', "success": true, "result": ' + answer.result + b"}"
    changed = {"changed_entities": {"packages": [str(key) for key in answer.changed]}} if answer.changed else {}
    return 200, _written({**_help(hub, name), "success": True, "result": answer.result, **changed})


def _help(hub: Hub, name: str) -> dict[str, Any]:
    return {"help": f"{hub.site.url}/api/3/action/help_show?name={name}"}


def _refused(hub: Hub, name: str, refusal: Refusal) -> bytes:
    return _written({**_help(hub, name), "error": refusal.form(), "success": False})


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


def _most(request: Request, hub: Hub, principal: Principal) -> int:
    """How large the body may be: strangers only ask questions, and only a form brings files."""
    if principal.role is None:
        return MAX_BODY
    return hub.settings.upload_mb * 1_000_000 + _MOST_WORDS if _kind(request) == _MULTIPART else _MOST_WORDS


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _parameters(request: Request, most: int, stack: AsyncExitStack) -> dict[str, Any]:
    """The parameters, looked for in CKAN's order: form fields, query string, JSON body. Files stay open as long as the stack."""
    bound = Request(request.scope, bounded(request.receive, most))
    query = _query(request)
    if _kind(request) in (_MULTIPART, "application/x-www-form-urlencoded"):
        return await _form(bound, stack) or query
    if query:
        return query
    body = await bound.body()
    return _object(body) if body.strip() else {}


async def _form(request: Request, stack: AsyncExitStack) -> dict[str, Any]:
    """The fields of a form; one whose only field is empty holds JSON in that field's name: that is how old clients send it."""
    try:
        form = await stack.enter_async_context(request.form(max_files=50, max_fields=2000, max_part_size=_MOST_WORDS))
    except HTTPException as error:
        if error.status_code == 413:
            raise
        raise _BadRequest(f"JSON Error: Invalid request. {error.detail}") from error
    fields = _gathered(form)
    if len(fields) == 1:
        name, value = next(iter(fields.items()))
        if value in ("", "1"):
            return _object(name.encode())
    return fields


def _gathered(form: FormData) -> dict[str, Any]:
    return _lists(
        (name, Upload(value.filename or "", value.file) if isinstance(value, UploadFile) else value) for name, value in form.multi_items()
    )


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
