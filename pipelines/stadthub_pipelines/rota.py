"""What a worker has to do and when: each thing at most once at a time, in pools that don't wait for each other."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from stadthub_schemas.errors import StadthubError

LOG = structlog.get_logger()

#: How many datasets have a turn at once, in threads of one interpreter; how many fetches may be under way, since those that wait for a
#: slow server cost nothing; how many tell the catalogue their latest values; how much of the rest is done at once.
TURNS, PULLS, TELLS, HOUSE = 4, 32, 2, 4

#: After how long what went wrong is tried again, in seconds: trouble that was foreseen, and a fault of the program.
AFTER_TROUBLE, AFTER_FAULT = 2.0, 10.0

#: How long work that isn't urgent gives way at most between two pieces: so many times as long as the piece took, and so many seconds; and
#: how often it looks whether turns wait.
TIMES_REST, MOST_REST, REST = 10, 1.0, 0.02

Work = Callable[[], object]


class Rota:
    """Four pools and a calendar. Only the loop of the worker asks what is due."""

    def __init__(self) -> None:
        self._busy: dict[str, Future[None]] = {}
        self._due: dict[str, float] = {}
        self._waiting: dict[str, None] = {}
        self._closing = threading.Event()
        self._turns = ThreadPoolExecutor(TURNS, thread_name_prefix="flow")
        self._pulls = ThreadPoolExecutor(PULLS, thread_name_prefix="pull")
        self._tells = ThreadPoolExecutor(TELLS, thread_name_prefix="hot")
        self._house = ThreadPoolExecutor(HOUSE, thread_name_prefix="house")

    def is_due(self, what: str, seconds: float) -> bool:
        """Whether it is time; then it is due again after so many seconds."""
        now = time.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + seconds
        return True

    def turn(self, what: str, work: Work) -> None:
        """Let a dataset have its turn."""

        def begin() -> None:
            self._waiting.pop(what, None)
            work()

        if self._is_free(what):
            self._waiting[what] = None
            self._start(what, self._turns, begin)

    def pull(self, what: str, work: Work) -> None:
        """Fetch, or do something else that may wait long."""
        self._start(what, self._pulls, work)

    def tell(self, what: str, work: Work) -> None:
        """Tell the catalogue the latest values: no turn waits for it."""
        self._start(what, self._tells, work)

    def keep_house(self, what: str, work: Work) -> None:
        """Do what keeps the hub in order."""
        self._start(what, self._house, work)

    def give_way(self, seconds: float) -> None:
        """Between two pieces of long work: rest as long as the last took, and as long as turns wait, since rows that nobody sees yet go
        first. Never for long, so that everything gets done."""
        now = time.monotonic()
        rested, end = now + seconds, now + min(TIMES_REST * seconds, MOST_REST)
        while now < end and (now < rested or self._waiting) and not self._closing.wait(REST):
            now = time.monotonic()

    def guarded(self, what: str, work: Work) -> None:
        """The top of everything that runs: what goes wrong is told, and tried again at a later look."""
        try:
            work()
        except StadthubError as error:
            LOG.error("failed", what=what, error=str(error))
            self._due[what] = time.monotonic() + AFTER_TROUBLE
        except Exception:
            LOG.exception("fault", what=what)
            self._due[what] = time.monotonic() + AFTER_FAULT

    def close(self) -> None:
        """Wait for what is under way; what has not begun never does."""
        self._closing.set()
        for pool in (self._turns, self._pulls, self._house, self._tells):
            pool.shutdown(wait=True, cancel_futures=True)

    def _start(self, what: str, pool: ThreadPoolExecutor, work: Work) -> None:
        """Hand it to the pool unless the same is still under way."""
        if self._is_free(what):
            self._busy[what] = pool.submit(self.guarded, what, work)

    def _is_free(self, what: str) -> bool:
        under_way = self._busy.get(what)
        return under_way is None or under_way.done()
