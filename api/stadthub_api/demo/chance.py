"""Chance without chance: the same words give the same number on every machine, so that the city is the same at each start."""

import math
from hashlib import blake2b

#: Everything in the city follows from it.
SEED = "Musterstadt 1"


def chance(*words: object) -> float:
    """A number from 0 up to 1 that these words always give."""
    digest = blake2b("/".join([SEED, *map(str, words)]).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def between(low: float, high: float, *words: object) -> float:
    """A number from `low` up to `high`."""
    return low + (high - low) * chance(*words)


def smooth(time: float, seconds: float, *words: object) -> float:
    """A number from 0 to 1 that wanders: anew every `seconds`, and gently in between."""
    step = math.floor(time / seconds)
    share = (time - step * seconds) / seconds
    share = share * share * (3 - 2 * share)
    return chance(step, *words) * (1 - share) + chance(step + 1, *words) * share
