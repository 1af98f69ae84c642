"""The sum that must always hold: received = stored + duplicate + rejected + dropped, counted in rows, per feed and run."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows came, and what became of them."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    dropped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.received + other.received,
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.rejected + other.rejected,
            self.dropped + other.dropped,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            self.received - other.received,
            self.stored - other.stored,
            self.duplicate - other.duplicate,
            self.rejected - other.rejected,
            self.dropped - other.dropped,
        )

    @property
    def balanced(self) -> bool:
        """Whether every received row is accounted for."""
        return self.received == self.stored + self.duplicate + self.rejected + self.dropped

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)
