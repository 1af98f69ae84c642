"""What robots look for first: which pages there are, and that they are welcome."""

from collections.abc import Iterable
from typing import Annotated
from xml.sax.saxutils import escape

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse

from stadthub_api.answers import cached
from stadthub_api.deps import PUBLIC, HubDep, SiteDep
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY
from stadthub_schemas.errors import NotFound

router = APIRouter(include_in_schema=False)

#: How many addresses one sitemap holds: with both languages under the 50,000 of sitemaps.org.
SIZE = 20_000

ROBOTS = """# You are welcome: all data here are meant to be found and used.
User-agent: *
Allow: /
Disallow: /operator
Disallow: /en/operator
Disallow: /api/v1/sql

Sitemap: {url}/sitemap.xml
"""
_XML = "application/xml; charset=utf-8"
_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"


@router.get("/robots.txt", openapi_extra=PUBLIC)
async def robots(site: SiteDep) -> Response:
    """All may be read, but not the operator's pages."""
    return PlainTextResponse(ROBOTS.format(url=site.url))


@router.get("/sitemap.xml", openapi_extra=PUBLIC)
async def sitemap(request: Request, hub: HubDep, page: Annotated[int | None, Query(ge=1, le=10_000)] = None) -> Response:
    """The pages that anybody may see, in both languages (sitemaps.org 0.9); where they are many, an index of such lists."""
    entries = list((await hub.work(hub.catalog.shelf.visible, ANYBODY)).values())
    pages = max(1, -(-len(entries) // SIZE))
    if page is None and pages > 1:
        return cached(request, _index(hub.site, pages), _XML, 3600)
    number = page or 1
    if number > pages:
        raise NotFound(f"page: the last one is {pages}")
    part = [(f"/datasets/{entry.name}", f"{entry.modified:%Y-%m-%dT%H:%M:%SZ}") for entry in entries[(number - 1) * SIZE : number * SIZE]]
    fixed = [("/", ""), ("/datasets", ""), ("/entwickler", "")] if number == 1 else []
    return cached(request, _list(hub.site, [*fixed, *part]), _XML, 3600)


def _index(site: Site, pages: int) -> bytes:
    parts = "".join(f"<sitemap><loc>{escape(f'{site.url}/sitemap.xml?page={number}')}</loc></sitemap>" for number in range(1, pages + 1))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="{_SITEMAPS}">{parts}</sitemapindex>'.encode()


def _list(site: Site, pages: Iterable[tuple[str, str]]) -> bytes:
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{_SITEMAPS}" xmlns:xhtml="http://www.w3.org/1999/xhtml">'
    return (head + "".join(_page(site, path, changed) for path, changed in pages) + "</urlset>").encode()


def _page(site: Site, path: str, changed: str) -> str:
    """One page in both languages, each naming the other."""
    addresses = {"de": site.absolute(path), "en": site.absolute(f"/en{path}".rstrip("/"))}
    others = "".join(
        f'<xhtml:link rel="alternate" hreflang="{language}" href="{escape(address)}"/>' for language, address in addresses.items()
    )
    when = f"<lastmod>{changed}</lastmod>" if changed else ""
    return "".join(f"<url><loc>{escape(address)}</loc>{when}{others}</url>" for address in addresses.values())
