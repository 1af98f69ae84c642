"""One run of a harvest: a foreign catalogue is read page by page, within bounds, and taken into ours."""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.foreign.item import Asking, Page
from stadthub_catalog.foreign.protocols import WAYS
from stadthub_catalog.ledger import Tally
from stadthub_catalog.site import Site
from stadthub_catalog.taking import Taking
from stadthub_ingest.sources import http
from stadthub_ingest.sources.reach import Reach, tidy
from stadthub_lake.lake import Lake
from stadthub_pipelines.uploads import UploadFolder
from stadthub_schemas.errors import SourceError
from stadthub_schemas.exchange import Harvest
from stadthub_schemas.feed import HttpSource

#: A run ends after so many seconds, whatever the far side still has to say.
LONGEST_RUN = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a run happens: the hub's folder, the catalogue, what may be reached, what the hub says of itself, where files are kept, where
    rows are, and how it waits; `stopped`: the hub ends."""

    data_dir: Path
    catalog: Catalog
    reach: Reach
    site_words: Site
    uploads: UploadFolder
    lake: Lake | None = None
    sleep: Callable[[float], None] = time.sleep
    stopped: Callable[[], bool] = bool

    @property
    def site(self) -> str:
        """This hub's own address."""
        return self.site_words.url.rstrip("/")


def run_harvest(harvest: Harvest, ground: Ground, run: int) -> Tally:
    """Take what the catalogue lists, and withdraw what it lists no more. SourceError where it could not be read to its end: what came
    before stands, nothing was withdrawn. What happened is in the ledger in any case."""
    taking = Taking(ground.catalog, harvest, run, ground.site)
    try:
        for page in pages(harvest, ground):
            if not taking.take(page.items) and page.items and page.following is not None:
                raise SourceError(f"{tidy(harvest.harvest.url)}: it gives the same datasets again and again: its paging doesn't work")
    except SourceError:
        taking.finish(whole=False)
        raise
    return taking.finish(whole=True)


def pages(harvest: Harvest, ground: Ground) -> Iterator[Page]:
    """The pages of the catalogue, one after the other. SourceError where they turn in a circle or come to no end."""
    said = harvest.harvest
    way = WAYS[said.protocol]
    asking = Asking(said.url, said.parameters, said.page_size)
    url: str | None = way.first(asking)
    ends, found = time.monotonic() + LONGEST_RUN, 0
    seen: set[bytes] = set()
    while url is not None:
        if ground.stopped():
            raise SourceError(f"{tidy(said.url)}: the hub was stopped before the catalogue was read to its end")
        if time.monotonic() > ends:
            raise SourceError(f"{tidy(said.url)}: the catalogue was not read to its end within {LONGEST_RUN / 3600:g} hours")
        body = _fetched(url, way.accept, harvest, ground)
        digest = hashlib.sha256(body).digest()
        if digest in seen:
            raise SourceError(f"{tidy(url)}: it gives the same page again and again: its paging doesn't work")
        seen.add(digest)
        page = way.read(body, url, asking)
        found += len(page.items)
        if found > said.max_datasets:
            raise SourceError(f"{tidy(said.url)}: it lists more than harvest.max_datasets ({said.max_datasets})")
        yield page
        url = page.following


def _fetched(url: str, accept: str, harvest: Harvest, ground: Ground) -> bytes:
    """One page. A secret goes to no other site than the one in the file."""
    said = harvest.harvest
    same = urlsplit(url)[:2] == urlsplit(said.url)[:2]
    values = {
        "type": "http",
        "url": url,
        "auth": said.auth if same else None,
        "headers": {"Accept": accept},
        "timeout": said.timeout,
        "max_bytes": said.max_bytes,
        "retries": said.retries,
    }
    try:
        source = HttpSource.model_validate(values)
    except ValidationError as error:
        raise SourceError(f"{tidy(said.url)}: the way to its next page is no address that can be asked") from error
    return b"".join(fetched.body for fetched in http.fetch(source, {}, ground.reach, ground.sleep))
