"""The hub as its readers know it: what every machine-readable self-description says of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """`url` is the address of the portal without a slash at its end; `contact` an e-mail address or empty."""

    title: str
    url: str
    contact: str = ""
    version: str = ""

    def absolute(self, address: str) -> str:
        """The address as anybody outside can follow it: a path of this hub gets the hub before it."""
        return f"{self.url}{address}" if address.startswith("/") else address
