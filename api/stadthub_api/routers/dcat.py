"""The catalogue for other catalogues: DCAT in all forms of RDF, page by page, and each dataset in RDF, Croissant and Frictionless."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from stadthub_api.answers import cached
from stadthub_api.deps import DATASET, PUBLIC, HubDep, PrincipalDep
from stadthub_api.hub import Hub, Readable, absent, readable
from stadthub_catalog import packaged
from stadthub_catalog.dcat_catalog import Page
from stadthub_catalog.dcat_words import PROFILE_NAMES, PROFILES, Profile
from stadthub_catalog.lucene import LONGEST
from stadthub_catalog.rdf import FORMS, wanted
from stadthub_schemas.access import Principal, visible
from stadthub_schemas.errors import NotFound, QueryError

router = APIRouter(tags=["DCAT"])

Ending = Annotated[str, Path(max_length=10, description=", ".join(FORMS))]
Key = Annotated[str, Path(max_length=200, description="id or name of the dataset")]
Profiles = Annotated[str, Query(description=f"{', '.join(PROFILES)}; without: the first", max_length=200)]
Number = Annotated[int, Query(alias="page", ge=1, le=1_000_000, description="which page of 100 datasets")]
Since = Annotated[str, Query(description="only datasets that changed since this time (ISO 8601)", max_length=40)]


@dataclass(frozen=True, slots=True)
class Search:
    """What narrows the catalogue, in the words of `package_search`."""

    q: Annotated[str, Query(description="words or a query, as in package_search", max_length=LONGEST)] = ""
    fq: Annotated[str, Query(description="a filter, as in package_search: organization:umweltamt", max_length=LONGEST)] = ""

    @property
    def asked(self) -> dict[str, str]:
        """Those that were given."""
        return {name: value.strip() for name, value in (("q", self.q), ("fq", self.fq)) if value.strip()}


#: How long an answer may be kept: harvesters come once a day, readers want to see what they changed.
SECONDS = 60


@router.get("/catalog", openapi_extra=PUBLIC)
async def catalogue(request: Request) -> Response:
    """The catalogue in the form that `Accept` asks for (Turtle unasked): leads to its address."""
    ending = wanted(request.headers.get("accept", "")) or "ttl"
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/catalog.{ending}{query}", 303, headers={"Vary": "Accept"})


@router.get("/catalog.{ending}", openapi_extra=PUBLIC)
async def catalogue_page(
    request: Request,
    hub: HubDep,
    ending: Ending,
    search: Annotated[Search, Depends()],
    number: Number = 1,
    profiles: Profiles = "",
    modified_since: Since = "",
) -> Response:
    """A page of the catalogue. 503 while nothing is published yet, 404 beyond the last page: an empty catalogue is never an answer."""
    form, profile = _form(ending), _profile(profiles)
    asked = {"profiles": profiles, "modified_since": modified_since, **search.asked}
    since = _time(modified_since) if modified_since else None
    page = Page(ending, number, 0, tuple((name, value) for name, value in asked.items() if value))
    body = await hub.work(hub.publication.page, page, profile, since, search.asked)
    return cached(request, body, form.media_type, SECONDS)


@router.get("/dataset/{key}/croissant.jsonld", openapi_extra=DATASET)
async def croissant(request: Request, hub: HubDep, principal: PrincipalDep, key: Key) -> Response:
    """The dataset as libraries for machine learning load it (Croissant 1.0)."""
    seen = await hub.work(_seen, hub, principal, key)
    told = packaged.croissant(seen.entry, visible(seen.decision, seen.entry.columns), hub.site)
    return cached(request, _json(told), "application/ld+json", SECONDS)


@router.get("/dataset/{key}/datapackage.json", openapi_extra=DATASET)
async def data_package(request: Request, hub: HubDep, principal: PrincipalDep, key: Key) -> Response:
    """The dataset as a Frictionless data package."""
    seen = await hub.work(_seen, hub, principal, key)
    told = packaged.data_package(seen.entry, visible(seen.decision, seen.entry.columns), hub.site)
    return cached(request, _json(told), "application/json", SECONDS)


@router.get("/dataset/{key}.{ending}", openapi_extra=DATASET)
async def dataset(request: Request, hub: HubDep, principal: PrincipalDep, key: Key, ending: Ending, profiles: Profiles = "") -> Response:
    """One dataset in a form of RDF."""
    form, profile = _form(ending), _profile(profiles)
    seen = await hub.work(_seen, hub, principal, key)
    body = await hub.work(hub.publication.document, seen.entry, profile, ending)
    return cached(request, body, form.media_type, SECONDS)


def _seen(hub: Hub, principal: Principal, key: str) -> Readable:
    """The dataset of this id or name, if the caller may see it; NotFound."""
    try:
        entry = hub.catalog.entry(key)
    except NotFound as error:
        raise NotFound(absent(key)) from error
    return readable(entry, principal)


def _form(ending: str) -> Any:
    if ending not in FORMS:
        raise NotFound(f"there is no form {ending[:10]!r} of the catalogue: use one of {', '.join(FORMS)}")
    return FORMS[ending]


def _profile(said: str) -> Profile:
    """The first profile that is named and known; the hub's own if none is named."""
    names = [PROFILE_NAMES.get(name, name) for name in re.split(r"[\s,]+", said.strip()) if name]
    if not names:
        return next(iter(PROFILES.values()))
    known = next((PROFILES[name] for name in names if name in PROFILES), None)
    if known is None:
        raise QueryError(f"profiles: {said[:50]!r} is not offered: use one of {', '.join(PROFILES)}")
    return known


def _time(said: str) -> datetime:
    try:
        time = datetime.fromisoformat(said.replace(" ", "+"))
    except ValueError as error:
        raise QueryError(f"modified_since: {said!r} is no time: write 2026-03-01 or 2026-03-01T12:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _json(told: dict[str, Any]) -> bytes:
    return orjson.dumps(told, option=orjson.OPT_INDENT_2)
