"""What the descriptions of datasets are made of: profiles, addresses, times, words of lists, people, periods."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import chain

from stadthub_catalog.documents import contact_named, extras_of
from stadthub_catalog.entry import Distribution, Entry
from stadthub_catalog.rdf import Iri, Literal, Node, iri, node, text, typed
from stadthub_catalog.site import Site
from stadthub_schemas import authorities as eu
from stadthub_schemas.access import ANYBODY, Action, may
from stadthub_schemas.dataset import Contact, Kind
from stadthub_schemas.filetypes import FileType, file_type
from stadthub_schemas.vocabularies import THEMES

_PLACES = frozenset({"longitude", "latitude", "geometry"})


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of DCAT: a German one has dcat-ap.de's words and licences, an old one the words of before 3.0."""

    name: str
    title: str
    is_german: bool
    is_old: bool


#: By the name in `profiles=`; the first is what is served unasked.
PROFILES: dict[str, Profile] = {
    row.name: row
    for row in (
        Profile("dcat-ap-de", "DCAT-AP.de 3.0", True, False),
        Profile("dcat-ap-3", "DCAT-AP 3.0.1", False, False),
        Profile("dcat-ap-2", "DCAT-AP 2.1.1", False, True),
    )
}

#: What CKAN's DCAT extensions call them.
PROFILE_NAMES = {"dcatap_de": "dcat-ap-de", "dcatapde": "dcat-ap-de", "euro_dcat_ap_3": "dcat-ap-3", "euro_dcat_ap_2": "dcat-ap-2"}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a dataset is described: the hub, the profile, and the ids of the datasets that anybody may see, by name."""

    site: Site
    profile: Profile
    known: Mapping[str, Iri] = field(default_factory=dict)


def address(entry: Entry, site: Site) -> Iri:
    """The dataset's address for ever."""
    return Iri(f"{site.url}/dataset/{entry.id}")


def concepts(nodes: Iterable[Node]) -> Iterable[Node]:
    """The words that the nodes use, with their lists and labels: shapes look them up in the same document."""
    used = (value for one in nodes for _, value in one.said if isinstance(value, Iri) and not value.startswith("mailto:"))
    return dict.fromkeys(chain.from_iterable(map(_concept, dict.fromkeys(used))))


@lru_cache(maxsize=4096)
def _concept(value: Iri) -> tuple[Node, ...]:
    """A word and its list; nothing for what is no word of a list."""
    known = eu.concept(value)
    if known is None:
        return ()
    same = eu.EU_LICENSES.get(value)
    word = node(
        value,
        f"skos:Concept {known.kind}",
        ("skos:prefLabel", (text(known.german, "de"), text(known.english, "en"))),
        ("skos:inScheme", iri(known.scheme)),
        ("skos:exactMatch", iri(same) if same else None),
    )
    return word, node(known.scheme, "skos:ConceptScheme", ("dct:title", text(known.scheme.rstrip("/").rpartition("/")[2], "en")))


def contact_of(entry: Entry, site: Site) -> Contact | None:
    """Whom to ask: the dataset's contact, else that of its publisher or organisation, else the portal's; one that can be reached."""
    words = entry.dataset.metadata
    extras = dict(entry.organization.extras)
    theirs = contact_named(extras.get("contact_name") or words.publisher.title, extras.get("contact_email", ""))
    own = (one for one in (words.contact, words.publisher.contact, theirs) if one and (one.email or one.url))
    return next(own, None) or (portal_contact(site) if site.contact else None)


@lru_cache(maxsize=16)
def portal_contact(site: Site) -> Contact:
    """Those who run the portal."""
    return Contact(name=site.title, email=site.contact)


def license_of(entry: Entry, profile: Profile) -> Iri | None:
    """The licence's address as the profile wants it."""
    said = entry.dataset.metadata.license
    known = eu.license_iri(said)
    if known is not None:
        return iri(known if profile.is_german else eu.EU_LICENSES.get(known, known))
    other = extras_of(entry.document).get("license_url", said) if entry.document is not None else said
    return iri(other) if other and other.startswith(("http://", "https://")) else None


def type_of(one: Distribution) -> FileType | None:
    """What kind of file or service it is, as far as it is known."""
    return file_type(one.format) if one.format else None


def moment(said: str | datetime | None) -> Literal | None:
    """A time or a day as a value; None for what is neither."""
    if isinstance(said, datetime):
        return typed(said.isoformat(), "xsd:dateTime")
    try:
        return typed(date.fromisoformat(said).isoformat(), "xsd:date") if said else None
    except ValueError:
        pass
    try:
        return typed(datetime.fromisoformat(said).isoformat(), "xsd:dateTime") if said else None
    except ValueError:
        return None


def words(german: str, english: str | None = None) -> tuple[Literal, ...]:
    """A text in German and, where it is known, in English."""
    return (text(german, "de"), *((text(english, "en"),) if english else ()))


def box_of(entry: Entry) -> tuple[float, float, float, float] | None:
    """Where the data are; None also where the places may not be seen by everybody."""
    return None if _PLACES & may(ANYBODY, Action.READ, entry.dataset).hidden else entry.extent.bbox


def identifier(entry: Entry) -> str:
    """The dataset's own identifier: one that its writer gave it is passed on unchanged."""
    given = extras_of(entry.document) if entry.document is not None else {}
    return given.get("identifier") or given.get("guid") or str(entry.id)


def keywords(entry: Entry) -> tuple[str, ...]:
    """The keywords; where there are none, the words of the themes."""
    meta = entry.dataset.metadata
    return meta.keywords or tuple(THEMES[one][0] for one in meta.themes)


def agent(subject: str, name: str, kind: str, homepage: str = "") -> Node:
    """An office that publishes; `kind` is one of the publisher types."""
    return node(
        subject,
        "foaf:Agent foaf:Organization",
        ("foaf:name", text(name, "de")),
        ("dct:type", iri(eu.PUBLISHER_IRI + kind)),
        ("foaf:homepage", iri(homepage) if homepage else None),
    )


def person(subject: str, contact: Contact) -> Node:
    """Whom to ask."""
    return node(
        subject,
        "vcard:Kind vcard:Organization",
        ("vcard:fn", text(contact.name)),
        ("vcard:hasEmail", iri(f"mailto:{contact.email}") if contact.email else None),
        ("vcard:hasURL", iri(str(contact.url)) if contact.url else None),
    )


def period(entry: Entry) -> tuple[Literal | None, Literal | None] | None:
    """From when to when the data tell. What still grows has no end. Data without times hold since they were published."""
    begin, end = moment(entry.extent.first_time), moment(entry.extent.last_time)
    if begin is None and end is None:
        return None if entry.dataset.kind is Kind.FILES else (moment(entry.created), None)
    grows = entry.dataset.kind is Kind.TIMESERIES and entry.dataset.metadata.update_frequency != "NEVER"
    return (begin, None if grows else end)
