"""What goes wrong becomes an answer: one table from error to status, one form (RFC 9457, problem details)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from stadthub_catalog.publication import Unfinished
from stadthub_schemas.errors import (
    AccessError,
    Conflict,
    FeedError,
    NotFound,
    PublishError,
    QueryError,
    SettingsError,
    SourceError,
    StadthubError,
    StorageError,
    TypeConflict,
)

MEDIA_TYPE = "application/problem+json"


class Unauthorized(AccessError):
    """The token is missing, wrong, expired or revoked."""


class Busy(StadthubError):
    """Too much is going on at once; try again soon."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its status, its title and the path under which it is explained."""

    name: str
    status: int
    title: str
    title_de: str


#: Which error is which answer; the first class of an error's ancestry that stands here counts.
KINDS: dict[type[StadthubError], Kind] = {
    Unauthorized: Kind("unauthorized", 401, "A valid token is needed", "Ein gültiger Zugangsschlüssel ist nötig"),
    AccessError: Kind("forbidden", 403, "This is not allowed", "Das ist nicht erlaubt"),
    NotFound: Kind("not-found", 404, "Not found", "Nicht gefunden"),
    Conflict: Kind("conflict", 409, "It is there already, or it has changed", "Es ist schon da oder hat sich geändert"),
    TypeConflict: Kind(
        "type-conflict", 409, "The data have another shape than the dataset", "Die Daten haben eine andere Form als der Datensatz"
    ),
    QueryError: Kind("query", 400, "The question can't be answered", "Die Anfrage ist nicht beantwortbar"),
    FeedError: Kind("feed", 422, "The feed file is wrong", "Die Feed-Datei ist fehlerhaft"),
    SettingsError: Kind("settings", 500, "A setting of the hub is wrong", "Eine Einstellung ist fehlerhaft"),
    SourceError: Kind("source", 502, "A source did not answer", "Eine Quelle hat nicht geantwortet"),
    PublishError: Kind("publish", 502, "The catalogue refused the entry", "Der Katalog hat den Eintrag abgelehnt"),
    StorageError: Kind("storage", 503, "The hub can't store or read right now", "Gerade kann nicht gespeichert oder gelesen werden"),
    Unfinished: Kind("unfinished", 503, "The catalogue is not ready yet", "Der Katalog ist noch nicht fertig"),
    Busy: Kind("busy", 503, "Too many requests at once", "Zu viele Anfragen zugleich"),
    StadthubError: Kind("hub", 500, "The hub failed", "Ein Fehler des Portals"),
}

#: Kinds of answers that no error of ours stands behind, by status.
OTHERS: dict[int, Kind] = {
    400: KINDS[QueryError],
    401: KINDS[Unauthorized],
    403: KINDS[AccessError],
    404: KINDS[NotFound],
    405: Kind("method", 405, "This method is not offered here", "Diese Methode gibt es hier nicht"),
    413: Kind("too-large", 413, "The body is too large", "Der gesendete Inhalt ist zu groß"),
    416: Kind("range", 416, "The range lies outside the file", "Der Bereich liegt außerhalb der Datei"),
    500: Kind("unexpected", 500, "Something unexpected went wrong", "Etwas Unerwartetes ist schiefgegangen"),
}

#: Headers that a status must carry.
_HEADERS: dict[int, dict[str, str]] = {401: {"WWW-Authenticate": 'Bearer realm="stadthub"'}, 503: {"Retry-After": "5"}}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that went wrong, ready to be told to a machine or a reader."""

    kind: Kind
    detail: str
    instance: str

    def as_dict(self) -> dict[str, Any]:
        """The problem in the words of RFC 9457."""
        return {
            "type": f"/problems/{self.kind.name}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": self.instance,
        }


#: The portal's way to show a problem to a reader; it is set as `app.state.error_page`.
ErrorPage = Callable[[Request, Problem], Response]


def kind_of(error: StadthubError) -> Kind:
    """The kind of problem that this error is."""
    return next(KINDS[ancestor] for ancestor in type(error).__mro__ if ancestor in KINDS)


def answer(request: Request, problem: Problem) -> Response:
    """The problem as a page for a reader's browser, as problem details for everything else."""
    page: ErrorPage | None = getattr(request.app.state, "error_page", None)
    if page is not None and _wants_html(request):
        response = page(request, problem)
    else:
        response = Response(orjson.dumps(problem.as_dict()), problem.kind.status, media_type=MEDIA_TYPE)
    response.headers.update(_HEADERS.get(problem.kind.status, {}))
    response.headers["Cache-Control"] = "no-store"
    return response


def unexpected(request: Request) -> Response:
    """The answer to a mistake of ours: it names the request, so that the log can be searched, and nothing else."""
    number = request.scope.get("state", {}).get("request_id", "")
    return answer(request, Problem(OTHERS[500], f"the log of the hub explains it under request {number}", request.url.path))


def register(app: FastAPI) -> None:
    """Let the app answer every error that flies out of a route."""
    app.add_exception_handler(StadthubError, _ours)
    app.add_exception_handler(HTTPException, _of_the_framework)
    app.add_exception_handler(RequestValidationError, _of_a_parameter)


def _ours(request: Request, error: Exception) -> Response:
    return answer(request, Problem(kind_of(cast("StadthubError", error)), str(error), request.url.path))


def _of_the_framework(request: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    kind = OTHERS.get(error.status_code) or Kind("http", error.status_code, error.detail, error.detail)
    path = request.url.path
    own = {"Not Found": f"nothing is at {path}", "Method Not Allowed": f"{request.method} is not offered at {path}"}
    detail = own.get(error.detail, error.detail)
    response = answer(request, Problem(kind, detail, path))
    response.headers.update(error.headers or {})
    return response


def _of_a_parameter(request: Request, error: Exception) -> Response:
    sentences = (
        f"{'.'.join(str(part) for part in one['loc'][1:]) or 'body'}: {one['msg']}"
        for one in cast("RequestValidationError", error).errors()
    )
    return answer(request, Problem(OTHERS[400], "; ".join(sentences), request.url.path))


def _wants_html(request: Request) -> bool:
    """Whether the client is a browser that shows pages: HTML stands in `Accept` and JSON does not."""
    accept = request.headers.get("accept", "")
    return "text/html" in accept and "json" not in accept.partition("text/html")[0]
