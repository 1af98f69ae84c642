"""How many requests were answered and how quickly, over all api processes of a hub. By route, never by address, name or caller.

Each process counts for itself and writes its sums into a file of its own now and then; whoever is asked adds them up. A process that
is gone leaves its file, so that the sums never fall; the first process of a new start removes what no living process left.
"""

import contextlib
import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import structlog
from starlette.types import Scope

LOG = structlog.get_logger()

#: How often the sums are written, in seconds.
FLUSH = 5.0

#: The upper ends of the classes of how long an answer took, in seconds; the last class has none.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

#: Where nothing is found, and what the quick way answers before it is routed.
NOWHERE = "nowhere"
QUICK = "/api/v1/datasets/{name}/rows"

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

SQL_ROUTE = "/api/v1/sql"

#: Route, method and status of answers.
Key = tuple[str, str, str]


@dataclass(slots=True)
class Sum:
    """Answers of one sort: how many, how long together, and how many in each class of time."""

    count: int = 0
    seconds: float = 0.0
    classes: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))

    def add(self, other: "Sum") -> None:
        """Take another sum in."""
        self.count += other.count
        self.seconds += other.seconds
        self.classes = [one + more for one, more in zip(self.classes, other.classes, strict=True)]


class Requests:
    """The sums of this process, and those of the others out of their files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / f"{os.getpid()}-{uuid4().hex[:8]}.json"
        self._sums: dict[Key, Sum] = {}
        self._written = 0
        self._begin()

    def count(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        """An answer was given."""
        key = (_route(scope), method if method in METHODS else "other", str(status))
        known = self._sums.get(key)
        if known is None:
            known = self._sums[key] = Sum()
        known.count += 1
        known.seconds += seconds
        known.classes[bisect_left(BUCKETS, seconds)] += 1

    def flush(self) -> None:
        """Write this process's sums if there are new ones. Without room on the disk the others don't learn of them for a while."""
        answered = sum(one.count for one in self._sums.values())
        if answered == self._written:
            return
        rows = [[*key, one.count, one.seconds, one.classes] for key, one in list(self._sums.items())]
        hidden = self._file.with_suffix(".tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            hidden.write_bytes(orjson.dumps(rows))
            hidden.replace(self._file)
        except OSError as error:
            LOG.warning("request sums can't be written", error=error.strerror)
            return
        self._written = answered

    def together(self) -> Mapping[Key, Sum]:
        """The sums of all processes."""
        found: dict[Key, Sum] = {}
        for key, one in [*self._sums.items(), *self._others()]:
            found.setdefault(key, Sum()).add(one)
        return found

    def _others(self) -> Iterator[tuple[Key, Sum]]:
        for path in self._folder.glob("*.json"):
            if path != self._file:
                with contextlib.suppress(OSError, orjson.JSONDecodeError):
                    for route, method, status, count, seconds, classes in orjson.loads(path.read_bytes()):
                        yield (route, method, status), Sum(count, seconds, classes)

    def _begin(self) -> None:
        """Begin from nothing if no process of before is alive."""
        left = list(self._folder.glob("*.json"))
        if not any(_is_alive(int(path.name.partition("-")[0])) for path in left):
            for path in left:
                path.unlink(missing_ok=True)


def _route(scope: Scope) -> str:
    """The form of the address; never the address itself, in which anybody may write anything."""
    route: Any = scope.get("route")
    path = getattr(route, "path", None)
    if isinstance(path, str):
        return path
    asked = scope["path"]
    return QUICK if asked.startswith("/api/v1/datasets/") and asked.endswith("/rows") and "endpoint" not in scope else NOWHERE


def _is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()
