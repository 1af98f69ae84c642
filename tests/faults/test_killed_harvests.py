"""`kill -9` in the middle of a harvest: what came stands, once and with its place in the ledger, nothing is withdrawn for it, and the next
run ends with numbers that add up."""

import os
import random
import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stadthub_catalog.entry import Entry
from stadthub_catalog.ledger import THERE, known
from tests.exchange import payloads
from tests.exchange.hubs import Home, home
from tests.faults.children import PATIENCE, forked, harvest, killed
from tests.servers import Answer, Asked, WebServer, wait_until

#: How many datasets the other catalogue has, how many on a page, and how often a harvest of them is killed.
DATASETS, PAGE, CYCLES = 300, 20, 10
MORE = f"page_size = {PAGE}\n"


class Neighbour:
    """A CKAN whose datasets change: each version has other titles, a few datasets more at its end and a few less at its beginning."""

    def __init__(self, web: WebServer) -> None:
        self.web = web
        self.packages: list[dict[str, Any]] = []
        web.answers["/api/3/action/package_search"] = self._answer
        self.become(0)

    def become(self, version: int) -> None:
        numbers = range(5 * version, DATASETS + 5 * version)
        self.packages = [payloads.package(number, title=f"Paket {number}, Fassung {version if number % 3 else 0}") for number in numbers]

    def was_asked(self, times: int) -> bool:
        return len(self.web.asked) >= times

    def _answer(self, asked: Asked) -> Answer:
        start, rows = (int(re.findall(rf"{name}=(\d+)", asked.path)[0]) for name in ("start", "rows"))
        return Answer(payloads.found(self.packages[start : start + rows], len(self.packages)))


def _shown(hub: Home) -> dict[str, Entry]:
    """What the catalogue shows of the harvest, by its identifiers there; none stands twice."""
    found: dict[str, Entry] = {}
    for entry in hub.catalog.entries():
        key = hub.extras(entry.name)["harvest_object_id"]
        assert key not in found, f"{key} stands twice"
        found[key] = entry
    return found


@pytest.mark.timeout(900)
def test_a_harvest_that_is_killed_doubles_and_withdraws_nothing_and_the_next_one_adds_up(tmp_path: Path, web_server: WebServer) -> None:
    seed = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1, 1_000_000)
    dice, neighbour, database = random.Random(seed), Neighbour(web_server), f"sqlite:///{tmp_path / 'ours.sqlite'}"
    cut = 0
    with home(tmp_path, database) as hub:
        before: dict[str, Entry] = {}
        for version in range(int(os.environ.get("KILL_CYCLES", CYCLES))):
            neighbour.become(version)
            listed = {one["id"] for one in neighbour.packages}
            begun, page = len(web_server.asked), dice.randrange(1, DATASETS // PAGE + 1)
            under_way = forked(harvest, tmp_path, database, web_server.url, MORE)
            wait_until(partial(neighbour.was_asked, begun + page), f"seed {seed}: page {page} is asked", PATIENCE)
            cut += killed(under_way, dice.uniform(0, 0.1))
            shown = _shown(hub)
            in_ledger = {key for key, one in known(hub.catalog.database, "nebenan").items() if one.state == THERE}
            assert in_ledger == shown.keys(), f"seed {seed}: the ledger and the catalogue say the same"
            assert before.keys() - shown.keys() <= before.keys() - listed, f"seed {seed}: nothing is withdrawn that is listed"
            before = shown
        assert cut, "none of them was killed while it was under way"
        tally = hub.harvest(web_server.url, more=MORE)
        shown = _shown(hub)
        assert (tally.found, tally.after, len(shown)) == (DATASETS, DATASETS, DATASETS), f"seed {seed}: {tally}"
        assert {key: one.dataset.metadata.title for key, one in shown.items()} == {one["id"]: one["title"] for one in neighbour.packages}
        runs = hub.catalog.runs("nebenan", 100)
        assert Counter(one.ended is None for one in runs)[True] == 0
        assert sum(one.error is not None for one in runs) <= cut
        assert hub.harvest(web_server.url, more=MORE).unchanged == DATASETS
