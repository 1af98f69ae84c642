"""A number of places, of which no client gets more than its share: whoever takes many leaves some for the others."""

from collections import Counter

from stadthub_api.problems import Busy


class Shares:
    """Places for work that lasts. Used on the event loop only, so that nothing comes between looking and taking."""

    def __init__(self, places: int, share: int, what: str) -> None:
        self._places = places
        self._share = share
        self._what = what
        self._held: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._held.total()

    def take(self, who: str) -> None:
        """Take a place; Busy if there is none, or if this client has its share."""
        if self._held[who] >= self._share:
            raise Busy(f"you run {self._share} {self._what} already: wait until one has ended")
        if self.taken >= self._places:
            raise Busy(f"too many {self._what} are running: try again in some seconds")
        self._held[who] += 1

    def give(self, who: str) -> None:
        """Give a place back."""
        self._held[who] -= 1
        if self._held[who] <= 0:
            del self._held[who]
