"""Who goes first in a worker: rows that nobody sees yet, before files and entries of the catalogue."""

import threading
import time
from collections.abc import Iterator

import pytest

from stadthub_pipelines.rota import MOST_REST, TIMES_REST, TURNS, Rota

PATIENCE = 60.0


@pytest.fixture
def rota() -> Iterator[Rota]:
    rota = Rota()
    yield rota
    rota.close()


def test_long_work_gives_way_while_turns_wait_and_goes_on_when_they_had_theirs(rota: Rota) -> None:
    held, done = threading.Event(), threading.Event()
    for number in range(TURNS + 1):
        rota.turn(f"turn {number}", lambda: held.wait(PATIENCE))
    rota.keep_house("files", lambda: (rota.give_way(MOST_REST), done.set()))
    started = time.monotonic()
    rota.give_way(0.01)  # a short piece of work waits for the turn that got no thread, up to ten times as long as it took
    assert time.monotonic() - started >= TIMES_REST * 0.01
    held.set()
    assert done.wait(PATIENCE)


def test_nothing_waits_for_ever_for_turns_that_do_not_end(rota: Rota) -> None:
    held, done = threading.Event(), threading.Event()
    for number in range(TURNS + 1):
        rota.turn(f"turn {number}", lambda: held.wait(PATIENCE))
    rota.keep_house("files", lambda: (rota.give_way(60.0), done.set()))
    assert done.wait(PATIENCE / 2)
    held.set()


def test_the_same_turn_is_not_begun_twice_at_once(rota: Rota) -> None:
    held, begun = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        begun.release()
        held.wait(PATIENCE)

    rota.turn("turn air", work)
    assert begun.acquire(timeout=PATIENCE)
    rota.turn("turn air", work)
    held.set()
    rota.close()
    assert not begun.acquire(blocking=False)
