"""Who goes first in a worker: rows that nobody sees yet, before files and entries of the catalogue."""

import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from stadthub_pipelines.rota import MOST_REST, TIMES_REST, TURNS, Rota

PATIENCE = 60.0


@pytest.fixture
def rota() -> Iterator[Rota]:
    rota = Rota()
    yield rota
    rota.close()


def _fill(rota: Rota, held: threading.Event) -> None:
    """One turn more than there are threads for."""
    for number in range(TURNS + 1):
        rota.turn(f"turn {number}", partial(held.wait, PATIENCE))


def _after(rota: Rota, seconds: float, done: threading.Event) -> None:
    """Work that took so many seconds, and is done when it has given way."""
    rota.give_way(seconds)
    done.set()


def test_long_work_gives_way_while_turns_wait_and_goes_on_when_they_had_theirs(rota: Rota) -> None:
    held, done = threading.Event(), threading.Event()
    _fill(rota, held)
    rota.keep_house("files", partial(_after, rota, MOST_REST, done))
    started = time.monotonic()
    rota.give_way(0.01)  # a short piece of work waits for the turn that got no thread, up to ten times as long as it took
    assert time.monotonic() - started >= TIMES_REST * 0.01
    held.set()
    assert done.wait(PATIENCE)


def test_nothing_waits_for_ever_for_turns_that_do_not_end(rota: Rota) -> None:
    held, done = threading.Event(), threading.Event()
    _fill(rota, held)
    rota.keep_house("files", partial(_after, rota, 60.0, done))
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
