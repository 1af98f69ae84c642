"""How the freshness of a dataset is shown: never by colour alone."""

from dataclasses import dataclass

from stadthub_schemas.freshness import Freshness


@dataclass(frozen=True, slots=True)
class Look:
    """Words, colour and icon of a state."""

    words: str
    colour: str
    icon: str


LOOKS: dict[Freshness, Look] = {
    Freshness.FRESH: Look("aktuell", "success", "success"),
    Freshness.LATE: Look("verspätet", "warning", "warning"),
    Freshness.STALE: Look("veraltet", "danger", "danger"),
    Freshness.UNKNOWN: Look("ohne festen Rhythmus", "info", "info"),
    Freshness.EMPTY: Look("noch ohne Daten", "warning", "warning"),
}
