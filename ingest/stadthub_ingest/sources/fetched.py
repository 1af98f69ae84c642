"""What a source that is asked brings home."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fetched:
    """One body with the name of its origin, and the state to remember once the body is durable."""

    name: str
    body: bytes
    state: dict[str, Any]
