"""The operator's pages: how each feed is doing, what was rejected and why, pausing and running; behind a token."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from stadthub_api.deps import OPERATE, PUBLIC, SESSION_COOKIE, CatalogDep, HubDep, OperatorDep, SettingsDep
from stadthub_api.hub import Hub
from stadthub_api.portal.drift import SEVERITIES
from stadthub_api.portal.exchange import exchanged
from stadthub_api.portal.language import bare
from stadthub_api.portal.rendering import link, page, writing
from stadthub_api.portal.sentences import german
from stadthub_api.portal.states import STATES, disk, state_of
from stadthub_api.portal.views.quarantine import noticed
from stadthub_catalog.backfills import OPEN
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import FeedState
from stadthub_pipelines.alarms import teller
from stadthub_pipelines.backfill import name_of
from stadthub_pipelines.running import WORKER, holder
from stadthub_schemas.access import Action, may
from stadthub_schemas.counts import Counts
from stadthub_schemas.errors import AccessError, NotFound, StorageError
from stadthub_schemas.finding import Finding, Severity

router = APIRouter(include_in_schema=False, prefix="/operator")

#: The newest rejects, and how many of those with one reason are shown.
REJECTS, SHOWN_ALIKE = 200, 5
RUNS = 20
RESOLVED = 20
ALERTS = 10
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
#: How long a feed is kept silent by the button.
SILENCE = timedelta(hours=2)

#: How a back-fill stands, in German, translated when shown.
BACKFILL_STATES = {
    "wanted": "wartet",
    "running": "läuft",
    "done": "fertig",
    "failed": "gescheitert",
    "stopped": "angehalten",
}

#: What the buttons do: the wish that the worker then fulfils.
ORDERS: dict[str, Callable[[], dict[str, Any]]] = {
    "pause": lambda: {"paused": True},
    "resume": lambda: {"paused": False},
    "run": lambda: {"wanted_run": datetime.now(UTC)},
    "silence": lambda: {"silent_until": datetime.now(UTC) + SILENCE},
    "unsilence": lambda: {"silent_until": None},
}


@router.get("", openapi_extra=OPERATE)
def overview(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """All feeds on one page."""
    feeds = hub.catalog.feeds()
    findings = hub.catalog.findings(open_only=False)
    noticed = _kinds(findings)
    rows = [(feed, state_of(feed, noticed.get(feed.feed, ()))) for feed in feeds]
    total = sum((feed.counts for feed in feeds), Counts())
    context = {
        "who": principal.name,
        "feeds": sorted(rows, key=lambda pair: (list(STATES).index(pair[1]), pair[0].feed)),
        "states": STATES,
        "total": total,
        "trouble": sum(STATES[state].colour == "danger" for _, state in rows),
        "titles": {feed.feed: feed.title or feed.feed for feed in feeds},
        "alerts": hub.catalog.messages(ALERTS),
        "backfills": [one for one in hub.catalog.backfills() if one.state in OPEN],
        "backfill_states": BACKFILL_STATES,
        "worker": holder(hub.settings.data_dir, WORKER) is not None,
        **_findings(request, hub, findings),
        **_machine(hub),
    }
    return _private(page(request, "operator.html", context))


@router.get("/feeds/{feed}", openapi_extra=OPERATE)
def one_feed(request: Request, feed: str, hub: HubDep, principal: OperatorDep) -> Response:
    """One feed: its counts, its runs, what was noticed, what waits in quarantine, its newest rejects with reasons."""
    found = hub.catalog.feed(feed)
    findings = hub.catalog.findings(feed, open_only=False)
    backfills = hub.catalog.backfills(feed)
    rejects = hub.reader.rejects(feed, REJECTS).to_pylist()
    for one in backfills[:1]:
        rejects += hub.reader.rejects(name_of(one), REJECTS - len(rejects)).to_pylist() if len(rejects) < REJECTS else []
    told = _findings(request, hub, findings)
    context = {
        "who": principal.name,
        "feed": found,
        "state": state_of(found, _kinds(findings).get(feed, ())),
        "backfills": backfills,
        "backfill_states": BACKFILL_STATES,
        "states": STATES,
        "runs": hub.catalog.runs(feed, RUNS),
        "rejects": _alike(rejects),
        "most_shown": SHOWN_ALIKE,
        **noticed(hub.catalog, feed, writing(request)),
        **exchanged(hub.catalog, feed, found.source),
        "findings": [(one, told["sentence"](one)) for one in told["open"]],
    }
    return _private(page(request, "feed.html", context))


def _alike(rejects: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The rejects by their reasons, in the order of the newest of each; that they name other moments makes no other reasons."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in rejects:
        found.setdefault(_MOMENT.sub("…", one["reason"]), []).append(one)
    return found


@router.get("/sign-in", openapi_extra=PUBLIC)
def sign_in_form(request: Request) -> Response:
    """Where a token is asked for."""
    return _private(page(request, "sign_in.html", {"wrong": False, "after": link(writing(request).language, "/operator")}))


@router.post("/sign-in", openapi_extra=PUBLIC)
def sign_in(
    request: Request,
    catalog: CatalogDep,
    settings: SettingsDep,
    token: Annotated[str, Form(max_length=200)] = "",
    after: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Keep the token as this browser's session, if it may operate the hub."""
    if not _from_here(request):
        raise AccessError("sign in from the portal's own page")
    try:
        allowed = bool(token.strip()) and may(catalog.principal(token.strip()), Action.OPERATE).allowed
    except AccessError:
        allowed = False
    home = link(writing(request).language, "/operator")
    there = after if after.startswith("/") and not after.startswith("//") and bare(after).startswith("/operator") else home
    if not allowed:
        return _private(page(request, "sign_in.html", {"wrong": True, "after": there}, 401))
    answer = RedirectResponse(there, 303)
    secure = settings.url.startswith("https:") or request.url.scheme == "https"
    answer.set_cookie(SESSION_COOKIE, token.strip(), httponly=True, samesite="strict", secure=secure, path="/")
    return answer


@router.post("/sign-out", openapi_extra=PUBLIC)
def sign_out(request: Request) -> Response:
    """Forget the session."""
    if not _from_here(request):
        raise AccessError("sign out from the portal's own page")
    answer = RedirectResponse(link(writing(request).language, "/"), 303)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict", path="/")
    return answer


@router.post("/feeds/{feed}/{order}", openapi_extra=OPERATE)
def give_order(request: Request, feed: str, order: str, catalog: CatalogDep, principal: OperatorDep) -> Response:
    """Pause, resume or run a feed; the worker sees it within seconds."""
    command(catalog, catalog.feed(feed), order, principal.name)
    return RedirectResponse(link(writing(request).language, f"/operator/feeds/{feed}"), 303)


def command(catalog: Catalog, feed: FeedState, order: str, who: str) -> None:
    """Note the order for the worker and in the audit chain; NotFound for an order that there is not."""
    if order not in ORDERS:
        raise NotFound(f"there is no order {order[:50]!r}: use one of {', '.join(ORDERS)}")
    catalog.note_feed(feed.feed, **ORDERS[order]())
    catalog.record(who, f"feed.{order}", feed.feed)


def _kinds(findings: Sequence[Finding]) -> dict[str, set[str]]:
    """What is open of each feed and wants a look."""
    kinds: dict[str, set[str]] = {}
    for one in findings:
        if one.resolved_time is None and one.severity is not Severity.INFO:
            kinds.setdefault(one.feed, set()).add(one.kind)
    return kinds


def _findings(request: Request, hub: Hub, findings: Sequence[Finding]) -> dict[str, Any]:
    """What is open, the worst first, and what was resolved last; and how a finding is said in the reader's language."""
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    write = writing(request)
    told = teller(hub.settings.model_copy(update={"language": write.language}))

    return {
        "open": sorted((one for one in findings if one.resolved_time is None), key=lambda one: (order.index(one.severity), one.first_seen)),
        "resolved": [one for one in findings if one.resolved_time is not None][:RESOLVED],
        "severities": SEVERITIES,
        "sentence": lambda one: told.sentence(replace(one, details=_told(one.details)) if write.language == "de" else one),
    }


def _told(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details of a finding, sentences of ours among them in German."""
    return {name: (german(value) or value) if isinstance(value, str) else value for name, value in details.items()}


def _machine(hub: Hub) -> dict[str, Any]:
    """The state of disk and database."""
    return {
        "disk": disk(hub.settings.data_dir, hub.settings.min_free_mb),
        "database": "PostgreSQL" if hub.settings.database.startswith("postgresql") else "SQLite",
        "audit_entries": _audit(hub.catalog),
        "datasets": len(hub.catalog.entries()),
    }


def _audit(catalog: Catalog) -> int | None:
    """How long the audit chain is; None if it is broken."""
    try:
        return catalog.verify_audit()
    except StorageError:
        return None


def _from_here(request: Request) -> bool:
    """Whether a page of ours sent this form: browsers say so in `Sec-Fetch-Site`, or at least in `Origin`."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host")


def _private(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
