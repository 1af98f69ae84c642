"""The pages of plain words: accessibility statement, imprint, privacy, and the way in for developers."""

from fastapi import APIRouter, Request, Response

from stadthub_api.deps import PUBLIC, CatalogDep, PrincipalDep
from stadthub_api.portal.rendering import page, settings

router = APIRouter(include_in_schema=False)


@router.get("/barrierefreiheit", openapi_extra=PUBLIC)
def accessibility(request: Request) -> Response:
    """The accessibility statement."""
    return page(request, "accessibility.html", {})


@router.get("/impressum", openapi_extra=PUBLIC)
def imprint(request: Request) -> Response:
    """Who runs the portal."""
    return page(request, "imprint.html", {})


@router.get("/datenschutz", openapi_extra=PUBLIC)
def privacy(request: Request) -> Response:
    """What is kept of a reader's visit."""
    return page(request, "privacy.html", {})


@router.get("/entwickler", openapi_extra=PUBLIC)
def developers(request: Request, catalog: CatalogDep, principal: PrincipalDep) -> Response:
    """The interfaces, with examples on a dataset that is there."""
    found = catalog.search("", principal=principal, facets={"kind": ("timeseries",)}, sort="modified", limit=1).entries
    return page(request, "developers.html", {"url": settings(request).url, "example": found[0].dataset.name if found else "NAME"})
