"""Killed at any moment: every acknowledged row is in the lake exactly once, and the counts say so."""

import random
import subprocess
import sys
import time
from pathlib import Path

from .crash_writer import Worker
from .given import ENVIRONMENT, Place, content

KILLS = 6


def run_and_kill(folder: Path, seconds: float) -> int:
    """The last number that the writer acknowledged before it was killed."""
    program = [sys.executable, str(Path(__file__).with_name("crash_writer.py")), str(folder)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as writer:
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            acknowledged = int(writer.stdout.readline())
        writer.kill()
        whole = [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        return int(whole[-1]) if whole else acknowledged


def test_a_worker_that_is_killed_again_and_again_stores_every_acknowledged_row_exactly_once(place: Place) -> None:
    place.store.close()
    acknowledged = 0
    for _ in range(KILLS):
        acknowledged = max(acknowledged, run_and_kill(place.folder, random.uniform(0.0, 0.5)))
    worker = Worker(place.folder)
    while worker.follow(10_000):
        pass
    worker.commit()
    last = worker.log.last
    assert last >= acknowledged > 0
    stored = sorted(int(result) for _, _, result in content(place.reader.snapshot("air")))
    assert stored == [number for number in range(1, last + 1) if number % 50]
    rejected = sorted(place.reader.rejects("feed", limit=10**9)["position"].to_pylist())
    assert rejected == [number for number in range(1, last + 1) if number % 50 == 0]
    counts = worker.store.progress("air", "feed").counts
    assert counts.balanced
    assert (counts.received, counts.stored, counts.rejected) == (last, len(stored), len(rejected))
    assert [finding for finding in worker.store.verify() if finding.severity == "error"] == []
    worker.store.close()
