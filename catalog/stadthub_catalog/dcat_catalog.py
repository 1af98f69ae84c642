"""The catalogue in the words of DCAT-AP: what it is, its services, and its pages as hydra tells them to harvesters."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from stadthub_catalog.dcat_words import Scene, address, agent, concepts, moment, person, portal_contact, words
from stadthub_catalog.entry import Entry
from stadthub_catalog.rdf import Iri, Literal, Node, iri, node, text, typed
from stadthub_catalog.site import Site
from stadthub_schemas import authorities as eu
from stadthub_schemas.vocabularies import LICENSE_IRI

#: How many datasets stand on one page.
SIZE = 100

_TAXONOMY = "http://publications.europa.eu/resource/authority/data-theme"
#: The descriptions themselves are anybody's.
_FREE = LICENSE_IRI + "cc-zero"
_SERVICES = (
    ("rows", "Datenschnittstelle", "Data API", "/api/v1/datasets", "/openapi.json", "/api/docs"),
    ("ckan", "CKAN-Schnittstelle", "CKAN API", "/api/3/action/package_search", "/openapi.json", "/api/docs"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the catalogue: its form (`ttl`), its number from 1, how many datasets there are, what else was asked, and how many
    datasets stand on a page."""

    ending: str
    number: int
    total: int
    asked: tuple[tuple[str, str], ...] = ()
    size: int = SIZE

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.size))

    def path(self, number: int) -> str:
        """The address of another page of the same question."""
        return f"/catalog.{self.ending}?{urlencode([*self.asked, ('page', str(number))])}"


def catalogue(entries: Sequence[Entry], page: Page, scene: Scene) -> tuple[Node, ...]:
    """The catalogue with the datasets of this page, its services, and the way to the other pages."""
    site = scene.site
    here, publisher, contact = _address(site), Iri(f"{site.url}/catalog#publisher"), Iri(f"{site.url}/catalog#contact")
    own = node(
        here,
        "dcat:Catalog",
        ("dct:title", words(site.title)),
        ("dct:description", words(f"Offene Daten: {site.title}", f"Open data: {site.title}")),
        ("dct:publisher", publisher),
        ("foaf:homepage", iri(site.url)),
        ("dct:language", iri(eu.GERMAN)),
        ("dct:license", iri(_FREE if scene.profile.is_german else eu.EU_LICENSES[_FREE])),
        ("dct:issued", moment(min(one.created for one in entries))),
        ("dct:modified", moment(max(one.modified for one in entries))),
        ("dct:spatial", site.geocoding_iri),
        ("dcat:themeTaxonomy", Iri(_TAXONOMY)),
        ("dcat:contactPoint", contact if site.contact else None),
        ("dcat:service", [Iri(f"{site.url}/catalog#{name}") for name, *_ in _SERVICES]),
        ("dcat:dataset", [address(one, site) for one in entries]),
    )
    nodes = [
        own,
        *_turns(page, site),
        agent(publisher, _name(site), site.publisher_type),
        node(iri(site.url), "foaf:Document", ("dct:title", words(site.title))),
    ]
    if site.contact:
        nodes.append(person(contact, portal_contact(site)))
    nodes += _services(scene)
    taxonomy = node(_TAXONOMY, "skos:ConceptScheme", ("dct:title", text("data-theme", "en")))
    return (*nodes, taxonomy, *concepts(nodes))


def _address(site: Site) -> Iri:
    return Iri(f"{site.url}/catalog")


def _name(site: Site) -> str:
    """Who runs the portal: the first line of what the imprint says."""
    return next(iter(site.operator.splitlines()), "").strip() or site.title


def _services(scene: Scene) -> list[Node]:
    """The hub's interfaces to all of its datasets."""
    site, nodes = scene.site, []
    for name, german, english, endpoint, described, documented in _SERVICES:
        page = iri(site.absolute(documented))
        nodes.append(
            node(
                f"{site.url}/catalog#{name}",
                "dcat:DataService",
                ("dct:title", words(german, english)),
                ("dct:description", words(f"{german} von {site.title}", f"{english} of {site.title}")),
                ("dcat:endpointURL", iri(site.absolute(endpoint))),
                ("dcat:endpointDescription", iri(site.absolute(described))),
                ("foaf:page", page),
                ("dct:publisher", Iri(f"{site.url}/catalog#publisher")),
                ("dcat:contactPoint", Iri(f"{site.url}/catalog#contact") if site.contact else None),
                ("dct:accessRights", iri(eu.PUBLIC)),
            )
        )
    return nodes


def _turns(page: Page, site: Site) -> list[Node]:
    """The page among the pages. The last one has no next, so that whoever follows it comes to an end."""
    turns = {"first": 1, "last": page.last}
    turns |= {"next": page.number + 1} if page.number < page.last else {}
    turns |= {"previous": page.number - 1} if page.number > 1 else {}
    addresses = {word: site.absolute(page.path(number)) for word, number in turns.items()}
    pairs: list[tuple[str, Iri | Literal]] = []
    for word, there in addresses.items():
        # the old names are texts, as CKAN writes them and old harvesters read them
        pairs += [(f"hydra:{word}", iri(there)), (f"hydra:{word}Page", text(there))]
    pairs.append(("hydra:itemsPerPage", typed(str(page.size), "xsd:integer")))
    pairs.append(("hydra:totalItems", typed(str(page.total), "xsd:integer")))
    return [node(iri(site.absolute(page.path(page.number))), "hydra:PagedCollection hydra:PartialCollectionView", *pairs)]
