"""Actions that write a dataset as they read it: begun afresh where somebody else has written it meanwhile."""

import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from stadthub_catalog.asked import Asked
from stadthub_catalog.refusals import Outdated

T = TypeVar("T")

#: For how long an action is begun again, and how long it waits before that at most, in seconds: two don't meet for ever.
PATIENCE, PAUSE = 30.0, 0.05


def afresh(action: Callable[[Asked], T]) -> Callable[[Asked], T]:
    """The action, which is done with what stands now: what others change meanwhile is not lost. Outdated if that never ends."""

    @wraps(action)
    def done(asked: Asked) -> T:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return action(asked)
            except Outdated:
                if time.monotonic() > end:
                    raise
            time.sleep(PAUSE * secrets.randbelow(1000) / 1000)
            asked.shelf.renew()

    return done
