"""What an independent count of the real input answers."""

from dataclasses import dataclass

Files = list[bytes]


@dataclass(frozen=True, slots=True)
class Count:
    """How many values the files hold, how many are missing, come again or can't be used, and the sum of the numbers in a `column`;
    None where there is nothing to sum."""

    stored: int
    dropped: int = 0
    total: float | None = None
    duplicate: int = 0
    rejected: int = 0
    column: str = "result"

    @property
    def received(self) -> int:
        """How many cells there were."""
        return self.stored + self.duplicate + self.rejected + self.dropped
