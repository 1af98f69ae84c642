"""Several workers on one timeseries: whichever gets an observation, and whichever gets it again, it is there once."""

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_lake.store import Store
from stadthub_schemas.errors import StorageError
from stadthub_schemas.rows import REJECTS

from .given import START, Place, content, minute, observations, progress


class Crew:
    """A main worker and one more over one lake, each with a raw log of what it was given."""

    def __init__(self, folder: Path) -> None:
        self.place = Place.at(folder)
        self.stores = {"": self.place.store, "b": self._open("b")}
        self.logs: dict[str, list[pa.Table]] = {"": [], "b": []}
        self.done = {"": 0, "b": 0}
        self.place.make("air")

    def _open(self, worker: str) -> Store:
        return Store(str(self.place.folder / "lake"), self.place.folder / "data", worker)

    def feed(self, worker: str) -> str:
        return f"feed@{worker}" if worker else "feed"

    def give(self, worker: str, rows: pa.Table) -> None:
        self.logs[worker].append(rows)
        self.work(worker)

    def work(self, worker: str) -> None:
        """Store what is logged and was not stored."""
        for position in range(self.done[worker], len(self.logs[worker])):
            self.stores[worker].append("air", self.feed(worker), position + 1, self.logs[worker][position])
        self.done[worker] = len(self.logs[worker])

    def commit(self, worker: str) -> None:
        self.stores[worker].commit("air", {self.feed(worker): progress(self.done[worker], self.done[worker])})

    def restart(self, worker: str) -> None:
        """As after a kill: what was not committed is stored again."""
        self.stores[worker].close()
        self.stores[worker] = self._open(worker)
        self.done[worker] = self.stores[worker].progress("air", self.feed(worker)).position
        self.work(worker)

    def rows(self) -> list[tuple[str, int]]:
        found = content(self.place.reader.snapshot("air"))
        return [(datastream, int((time - START).total_seconds()) // 60) for datastream, time, _ in found]

    def close(self) -> None:
        for store in self.stores.values():
            store.close()


WORKERS = st.sampled_from(["", "b"])
MOVES = st.one_of(
    st.tuples(st.just("give"), WORKERS, st.lists(st.tuples(st.sampled_from("xy"), st.integers(0, 12)), min_size=1, max_size=4)),
    st.tuples(st.sampled_from(["commit", "restart", "compact"]), WORKERS),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(MOVES, max_size=14))
def test_at_no_moment_is_an_observation_missing_or_there_twice(moves: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        crew = Crew(Path(folder))
        given_so_far: set[tuple[str, int]] = set()
        for move, worker, *rest in moves:
            if move == "give":
                rows = [(str(thing), int(when)) for thing, when in rest[0]]
                crew.give(worker, observations(*((thing, when, 1.0) for thing, when in rows)))
                given_so_far |= {(f"{thing}:pm10", when) for thing, when in rows}
            elif move == "compact":
                crew.stores[""].compact("air")
            else:
                getattr(crew, move)(worker)
            assert sorted(crew.rows()) == sorted(given_so_far)
        crew.close()


def test_each_worker_goes_on_where_it_was_and_neither_sets_the_other_back(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    for number in range(3):
        crew.give("", observations(("a", 2 * number, 1.0)))
        crew.give("b", observations(("a", 2 * number + 1, 1.0)))
        crew.commit("b")
        crew.commit("")
    crew.restart("")
    crew.restart("b")
    assert [crew.stores[worker].progress("air", crew.feed(worker)) for worker in ("", "b")] == [progress(3, 3), progress(3, 3)]
    assert crew.stores[""].progress("air", "feed@b") == progress(3, 3)
    crew.close()


def test_words_that_one_worker_learned_are_not_forgotten_by_the_other(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    crew.give("", observations(("a", 1, 1.0), thing_name="Am Markt"))
    crew.give("b", observations(("b", 1, 1.0), thing_name="Am Hafen"))
    crew.commit("")
    crew.commit("b")
    crew.give("", observations(("a", 2, 1.0), unit="ug/m3"))
    crew.commit("")
    entities = crew.place.reader.snapshot("air").entities
    assert entities is not None
    names = dict(zip(entities["datastream"].to_pylist(), entities["thing_name"].to_pylist(), strict=True))
    assert names == {"a:pm10": "Am Markt", "b:pm10": "Am Hafen"}
    crew.close()


def test_the_rejects_of_all_workers_are_told_together(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    for number, worker in enumerate(("", "b")):
        row = {"position": 1, "row": 0, "received_time": minute(number), "reason": "no", "excerpt": worker or "main"}
        crew.stores[worker].reject(crew.feed(worker), 1, pa.Table.from_pylist([row], schema=REJECTS))
        crew.stores[worker].commit("air", {crew.feed(worker): progress(1)})
    assert crew.place.reader.rejects("feed")["excerpt"].to_pylist() == ["b", "main"]
    crew.close()


def test_two_workers_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    with pytest.raises(StorageError, match="another process writes to this lake already"):
        Store(str(tmp_path / "lake"), tmp_path / "data", "b")
    crew.close()
