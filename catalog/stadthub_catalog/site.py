"""The hub as its readers know it: what every machine-readable self-description says of it."""

from dataclasses import dataclass

from stadthub_catalog.rdf import Iri
from stadthub_schemas.authorities import GEOCODING_IRI, GEOCODINGS


@dataclass(frozen=True, slots=True)
class Site:
    """`url` is the address of the portal without a slash at its end; `contact` an e-mail address or empty; `operator` who runs it;
    `geocoding` the official key of the city, `contributor` the id of who delivers to GovData."""

    title: str
    url: str
    contact: str = ""
    version: str = ""
    operator: str = ""
    publisher_type: str = "LocalAuthority"
    geocoding: str = ""
    contributor: str = ""

    @property
    def geocoding_iri(self) -> Iri | None:
        """The city in Germany's lists of places."""
        found = GEOCODINGS.get(len(self.geocoding))
        return None if found is None else Iri(f"{GEOCODING_IRI}{found[0]}/{self.geocoding}")

    @property
    def level_iri(self) -> Iri | None:
        """The political level of that place."""
        found = GEOCODINGS.get(len(self.geocoding))
        return None if found is None else Iri(f"{GEOCODING_IRI}Level/{found[1]}")

    def absolute(self, address: str) -> str:
        """The address as anybody outside can follow it: a path of this hub gets the hub before it."""
        return f"{self.url}{address}" if address.startswith("/") else address
