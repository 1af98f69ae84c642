"""What is live now: the newest values of some datastreams of the datasets that got data last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Entry
from stadthub_schemas.access import Action, Principal, may, shown
from stadthub_schemas.dataset import Kind
from stadthub_schemas.properties import is_about_device

#: How many datasets are shown, how many values of each, and among how many of its datastreams these are chosen.
DATASETS = 4
VALUES = 3
AMONG = 60
#: Without these columns a value says nothing.
NEEDED = ("phenomenon_time", "thing", "observed_property", "result")


@dataclass(frozen=True, slots=True)
class Live:
    """One dataset and its newest values, each of another observed property as far as there are several."""

    entry: Entry
    values: tuple[dict[str, Any], ...]


def live(catalog: Catalog, entries: Sequence[Entry], principal: Principal) -> list[Live]:
    """The datasets with the newest observations, newest first, and some values of each."""
    recent = sorted(
        (entry for entry in entries if entry.dataset.kind is Kind.TIMESERIES and entry.extent.last_time),
        key=lambda entry: str(entry.extent.last_time),
        reverse=True,
    )
    found = (Live(entry, tuple(_chosen(catalog, entry, principal))) for entry in recent[:DATASETS])
    return [one for one in found if one.values]


def _chosen(catalog: Catalog, entry: Entry, principal: Principal) -> Iterator[dict[str, Any]]:
    """Some of the newest values, the newest of each observed property first, batteries only if there is nothing else; none where the results are not for everybody."""
    decision = may(principal, Action.READ, entry.dataset)
    if not all(decision.shows(column) for column in NEEDED):
        return
    newest = catalog.latest(entry.dataset.name, AMONG)
    seen = [{**dict.fromkeys(row), **shown(row, decision)} for row in newest]
    rows = sorted(seen, key=lambda row: str(row["phenomenon_time"]), reverse=True)
    rows = [row for row in rows if not is_about_device(row["observed_property"])] or rows
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(row["observed_property"], row)
    chosen = [*first.values(), *(row for row in rows if row is not first[row["observed_property"]])]
    yield from chosen[:VALUES]
