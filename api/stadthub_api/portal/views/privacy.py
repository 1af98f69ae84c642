"""The operator's page of data protection: the record of processing activities, and what retention deleted."""

from fastapi import APIRouter, Request, Response

from stadthub_api.deps import OPERATE, HubDep, OperatorDep
from stadthub_api.portal.rendering import page, writing
from stadthub_api.record import record
from stadthub_api.record_formats import HEADINGS, WRITERS

router = APIRouter(include_in_schema=False, prefix="/operator")

DELETIONS = 100


@router.get("/privacy", openapi_extra=OPERATE)
def data_protection(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """What people's data are processed, in the words of Art. 30 GDPR."""
    context = {
        "who": principal.name,
        "entries": record(hub.catalog, hub.settings, writing(request).language),
        "headings": HEADINGS,
        "record_formats": tuple(WRITERS),
        "deletions": hub.catalog.audited("retention.", DELETIONS),
    }
    answer = page(request, "operator_privacy.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer
