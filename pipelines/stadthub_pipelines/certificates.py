"""Looking after the certificates of sources: a finding three weeks, a week and a day before one expires."""

from datetime import UTC, datetime

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources.certificate import certificate
from stadthub_ingest.sources.reach import Reach
from stadthub_schemas.errors import SourceError
from stadthub_schemas.feed import Feed
from stadthub_schemas.finding import Severity

#: From how many days before the end on it matters how much.
STEPS = ((1.0, Severity.ERROR), (7.0, Severity.WARNING), (21.0, Severity.INFO))

EXPIRES, EXPIRED = "certificate_expires", "certificate_expired"


def look_at_certificate(feed: Feed, catalog: Catalog, reach: Reach) -> None:
    """Write down when the certificate of the feed's source expires, if that is soon. A source that does not answer is told elsewhere."""
    try:
        found = certificate(feed, reach)
    except SourceError:
        return
    if found is None:
        return
    if found.until is None:
        catalog.resolve_finding(feed.id, EXPIRES)
        catalog.note_finding(feed.id, EXPIRED, found.host, Severity.ERROR, {})
        return
    catalog.resolve_finding(feed.id, EXPIRED)
    days = (found.until - datetime.now(UTC)).total_seconds() / 86_400
    severity = next((severity for least, severity in STEPS if days <= least), None)
    if severity is None:
        catalog.resolve_finding(feed.id, EXPIRES)
        return
    step = next(least for least, _ in STEPS if days <= least)
    details = {"until": found.until.isoformat(), "days": round(days, 1), "step": int(step)}
    catalog.note_finding(feed.id, EXPIRES, found.host, severity, details)
