"""Where a harvested dataset comes from, and what a harvest or a publication did, for readers."""

from dataclasses import dataclass
from typing import Any

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.documents import extras_of
from stadthub_catalog.entry import Entry
from stadthub_catalog.foreign.adopting import ORIGIN_TITLE, PAGE, SOURCE_TITLE, SOURCE_URL
from stadthub_catalog.ledger import Outcome

#: The numbers of a run in German, translated when shown.
TALLIES = {
    "found": "gefunden",
    "created": "neu",
    "updated": "geändert",
    "unchanged": "unverändert",
    "failed": "gescheitert",
    "skipped": "übergangen",
    "withdrawn": "zurückgezogen",
    "spared": "verschont",
    "before": "vorher",
    "after": "nachher",
}
RUNS, NOTED = 10, 200

#: What wants no look.
_QUIET = {Outcome.UNCHANGED}


@dataclass(frozen=True, slots=True)
class Taken:
    """The catalogue that a dataset was taken from: its title, the dataset's page there (or the catalogue), who published it there, and
    where that catalogue has it from."""

    title: str
    page: str
    publisher: str
    before: str


def taken_from(entry: Entry) -> Taken | None:
    """Where the dataset comes from; None if it is of this hub."""
    extras = extras_of(entry.document) if entry.document is not None else {}
    if SOURCE_TITLE not in extras:
        return None
    there = extras.get(PAGE) or extras.get(SOURCE_URL, "")
    page = there if there.startswith(("https://", "http://")) else ""
    return Taken(extras[SOURCE_TITLE], page, extras.get("publisher_name", ""), extras.get(ORIGIN_TITLE, ""))


def exchanged(catalog: Catalog, feed: str, source: str) -> dict[str, Any]:
    """The ledger of a harvest or publication for its page; nothing for a feed."""
    tallies = catalog.tallies(feed, RUNS) if source in ("harvest", "publish") else []
    loud = tuple(outcome for outcome in Outcome if outcome not in _QUIET)
    noted = catalog.outcomes(tallies[0].run, loud, NOTED) if tallies else []
    return {"tallies": tallies, "noted": noted, "tally_words": TALLIES}
