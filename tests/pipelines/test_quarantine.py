"""Quarantine that is killed, of whole datasets, and after a replay: nothing lost, nothing twice, in order, and the sums hold."""

import random
import signal
import time
from pathlib import Path

from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.peek import peek
from stadthub_lake.rawlog import RawLog
from stadthub_lake.snapshot import Reader
from stadthub_schemas.counts import Counts
from stadthub_schemas.finding import HeldState
from stadthub_schemas.query import RowsQuery
from tests.pipelines.running import METADATA, PUSH_FEED, Running, row, running, wait, worker

#: How many payloads lie in quarantine when the worker is killed, and how often it is.
HELD, KILLS = 40, 6


def test_a_worker_killed_between_release_and_commit_takes_every_payload_in_once(tmp_path: Path) -> None:
    strange = [{**row(number), "new": 1} for number in range(100, 100 + HELD)]
    with running(tmp_path, {"air": 'contract = "quarantine"\n' + PUSH_FEED}) as hub:
        for number in range(10):
            hub.push("air", row(number))
        hub.wait(lambda: hub.count("air") == 10, 45)
        for one in strange:
            hub.push("air", one)
        hub.wait(lambda: len(hub.catalog.held("air")) == HELD, 45)
        positions = [one.position for one in hub.catalog.held("air")]
        settings = hub.settings
    catalog = Catalog(settings.database)
    lake = Lake(Reader(settings.lake, settings.data_dir))
    catalog.decide("air", positions, HeldState.ACCEPTING, "operator")
    for kill in range(KILLS + 1):
        with worker(settings) as process:
            if kill < KILLS:
                wait(lambda: any(one.release_position for one in catalog.held("air", tuple(HeldState))))
                time.sleep(random.uniform(0.0, 0.5))
            else:
                wait(lambda: lake.count(RowsQuery("air")) == 10 + HELD and not catalog.held("air"))
                wait(lambda: catalog.feed("air").counts == Counts(10 + HELD, 10 + HELD))  # told when it has begun, if not before
            process.send_signal(signal.SIGKILL if kill < KILLS else signal.SIGTERM)
            process.wait(60)
    times = lake.rows(RowsQuery("air", columns=("phenomenon_time",), limit=None)).table.column(0).to_pylist()
    assert len(set(times)) == len(times) == 10 + HELD
    lake.close()
    catalog.close()


def test_a_release_that_stands_in_the_log_twice_takes_the_payload_in_once(tmp_path: Path) -> None:
    """As after a kill between the frame of the release and the note of it."""
    with running(tmp_path, {"air": 'contract = "quarantine"\n' + PUSH_FEED}) as hub:
        for number in range(10):
            hub.push("air", row(number))
        hub.push("air", {**row(20), "new": 1})
        hub.wait(lambda: len(hub.catalog.held("air")) == 1, 45)
        (held,) = hub.catalog.held("air")
        settings = hub.settings
    catalog = Catalog(settings.database)
    catalog.decide("air", [held.position], HeldState.ACCEPTING, "operator")
    log = RawLog(settings.data_dir / "raw" / "air")
    body = f'{{"position":{held.position},"state":"accepting"}}'.encode()
    log.append([(held.received_time, "\0release", body)] * 2)
    log.sync()
    last = log.last
    log.close()
    catalog.close()
    with running(tmp_path, {}) as hub:
        hub.wait(lambda: hub.count("air") == 11 and hub.catalog.held("air") == [], 45)
        hub.wait(lambda: hub.catalog.feed("air").position >= last, 45)
        assert hub.catalog.feed("air").counts == Counts(11, 11)


TABLE = (
    """
id = "offices"
title = "Offices"
dataset = "offices"
kind = "table"
decoder = "csv_table"
key = ["id"]
contract = "quarantine"
[source]
type = "push"
"""
    + METADATA
)


def _bring(hub: Running, text: str) -> None:
    before = hub.catalog.feed("offices").counts.received
    hub.push_bytes("offices", text.encode())
    hub.wait(lambda: hub.catalog.feed("offices").counts.received > before, 45)


def _offices(hub: Running) -> list[dict[str, object]]:
    return hub.lake.rows(RowsQuery("offices", limit=None)).table.to_pylist()  # type: ignore[no-any-return]


def test_a_whole_that_does_not_fit_leaves_the_last_good_one_and_an_older_one_never_comes_back(tmp_path: Path) -> None:
    evolving = TABLE.replace('contract = "quarantine"', 'contract = "evolve"')
    with running(tmp_path, {"offices": evolving}) as hub:
        hub.wait(lambda: hub.catalog.feed("offices").source == "push", 45)
        _bring(hub, "id,desks\n1,10\n2,20\n")
        _bring(hub, "id,desks\n1,ten\n2,many\n")
        hub.wait(lambda: hub.catalog.feed("offices").quarantine is not None, 45)
        (held,) = hub.catalog.held("offices")
        assert "desks" in held.reason
        assert [one["desks"] for one in _offices(hub)] == [10, 20]
        back = hub.catalog.held_back("offices")
        assert back is not None
        assert back.since == held.received_time
        hub.catalog.decide("offices", [held.position], HeldState.ACCEPTING, "operator")
        hub.wait(lambda: hub.catalog.held_payload("offices", held.position).state is HeldState.HELD, 45)
        _bring(hub, "id,desks\n1,11\n2,21\n3,31\n")
        hub.wait(lambda: hub.catalog.feed("offices").quarantine is None, 45)
        assert hub.catalog.held_back("offices") is None
        file = hub.settings.feeds / "offices.toml"
        file.write_text(f'renames = {{ "desks" = "chairs" }}\n{evolving}')
        hub.wait(lambda: hub.worker.feed("offices").renames == {"desks": "chairs"}, 45)
        hub.catalog.decide("offices", [held.position], HeldState.RELEASING, "operator")
        hub.wait(lambda: hub.catalog.held_payload("offices", held.position).state is HeldState.RELEASED, 45)
        assert len(_offices(hub)) == 3
        hub.wait(lambda: hub.catalog.feed("offices").counts == Counts(7, 5, 0, 0, 2), 45)


def test_a_replay_takes_in_what_fits_now_and_leaves_the_rest(tmp_path: Path) -> None:
    with running(tmp_path, {"air": 'contract = "quarantine"\n' + PUSH_FEED}) as hub:
        for number in range(10):
            hub.push("air", row(number))
        hub.wait(lambda: hub.count("air") == 10, 45)
        renamed = {("wert" if name == "result" else name): value for name, value in row(20).items()}
        hub.push("air", renamed)
        hub.push("air", {**row(21), "new": 1})
        hub.wait(lambda: len(hub.catalog.held("air")) == 2, 45)
        first, second = hub.catalog.held("air")
        assert [one.body for one in peek(hub.settings.data_dir / "raw" / "air", first.position)] != []
        file = hub.settings.feeds / "air.toml"
        file.write_text('renames = { "wert" = "result" }\n' + file.read_text())
        hub.wait(lambda: hub.worker.feed("air").renames == {"wert": "result"}, 45)
        hub.catalog.note_feed("air", replay_since=first.received_time)
        hub.wait(lambda: hub.count("air") == 11 and [one.position for one in hub.catalog.held("air")] == [second.position], 45)
        hub.wait(lambda: hub.catalog.feed("air").counts == Counts(12, 11, 0, 1, 0), 45)
