"""All derived datasets of a hub in operation: which there are, which are due, what operators want of them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import structlog

from stadthub_catalog.entry import FeedState
from stadthub_pipelines.derive import SOURCE, Derivation, Rooms
from stadthub_pipelines.folder import Look
from stadthub_schemas.dataset import Dataset
from stadthub_schemas.errors import StadthubError

LOG = structlog.get_logger()


class Deriver:
    """The derivations by the id of their files. Its owner calls it from one thread; only `compute` runs in others."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._running: dict[str, Derivation] = {}

    def apply(self, look: Look) -> None:
        """Have those that the folder now holds."""
        for key in [one for one in self._running if one not in look.models and one not in look.wrong]:
            del self._running[key]
            self._rooms.catalog.forget_feed(key)
            LOG.info("derived dataset removed", feed=key)
        for key, model in look.models.items():
            there = self._running.get(key)
            if there is not None and there.model == model and there.dataset == look.datasets[key]:
                continue
            try:
                self._running[key] = derivation = Derivation(model, look.datasets[key], self._rooms)
                self._rooms.catalog.note_feed(key, **derivation.state())
                derivation.obey(paused=self._rooms.catalog.feed(key).paused)
            except StadthubError as error:
                LOG.error("derived dataset can't start", feed=key, error=str(error))
                self._rooms.catalog.note_feed(
                    key, title=model.derived.title, dataset=model.derived.dataset, source=SOURCE, error=str(error)
                )
                continue
            LOG.info("derived dataset taken up", feed=key, dataset=model.derived.dataset, inputs=model.inputs)

    def obey(self, states: Iterable[FeedState]) -> None:
        """Pause, resume and run as operators wish."""
        for state in states:
            derivation = self._running.get(state.feed)
            if derivation is not None:
                derivation.obey(paused=state.paused)
                if state.wanted_run is not None:
                    self._rooms.catalog.note_feed(state.feed, wanted_run=None)
                    derivation.hurry()

    def due(self) -> Iterator[tuple[str, Callable[[], bool]]]:
        """Those for which it is time, by id."""
        for key, derivation in list(self._running.items()):
            if derivation.is_due:
                yield key, derivation.compute

    def states(self) -> dict[str, dict[str, Any]]:
        """What the operator page shows of each."""
        return {key: derivation.state() for key, derivation in list(self._running.items())}

    def changed(self) -> Iterator[tuple[Dataset, str]]:
        """Those that were computed since the last time this was asked, with the ids of their files."""
        for key, derivation in list(self._running.items()):
            if derivation.changed:
                derivation.changed = False
                yield derivation.dataset, key

    def datasets(self) -> list[tuple[Dataset, str]]:
        """All of them with the ids of their files."""
        return [(derivation.dataset, key) for key, derivation in list(self._running.items())]

    def close(self) -> None:
        """Compute no more; what was computed is lasting already."""
        self._rooms.workshop.close()
        for key, derivation in self._running.items():
            self._rooms.catalog.note_feed(key, **{**derivation.state(), "connected": False})
