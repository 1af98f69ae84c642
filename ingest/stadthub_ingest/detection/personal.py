"""Whether a column tells of people: by its header and by its cells. What is shown of such cells is masked."""

import ipaddress
import re
from collections.abc import Sequence

from stadthub_ingest.keys import property_key

#: Headers, as keys, that say it themselves; a word counts at the start or the end of the header or between underscores.
_HEADERS: tuple[tuple[str, frozenset[str]], ...] = (
    ("email", frozenset({"email", "e_mail", "mail", "mailadresse", "maintainer_email", "contactemail"})),
    ("phone", frozenset({"telefon", "telefonnummer", "phone", "tel", "mobil", "mobiltelefon", "handy", "fax", "rufnummer"})),
    ("iban", frozenset({"iban", "kontonummer", "bankverbindung"})),
    ("birth", frozenset({"geburtsdatum", "geburtstag", "geboren", "birthday", "birthdate", "date_of_birth", "birth", "geburtsjahr"})),
    ("plate", frozenset({"kennzeichen", "kfz_kennzeichen", "nummernschild", "license_plate", "number_plate", "licence_plate"})),
    ("mac", frozenset({"mac", "mac_adresse", "mac_address", "macaddress", "bssid", "clientmac", "client_mac"})),
    ("ip", frozenset({"ip", "ip_adresse", "ip_address", "ipaddress", "client_ip", "remote_addr"})),
    (
        "name",
        frozenset(
            {
                "vorname", "nachname", "familienname", "vor_und_nachname", "firstname", "lastname", "first_name", "last_name", "surname",
                "givenname", "familyname", "ansprechpartner", "ansprechpartnerin", "halter", "eigentuemer", "inhaber", "antragsteller",
                "sachbearbeiter", "kunde", "patient", "schueler", "mitarbeiter", "person", "personenname", "owner", "contact_name",
                "maintainer", "author", "autor", "bearbeiter", "melder", "kontaktperson", "einsender",
            }
        ),
    ),
)  # fmt: skip

_ADDRESS = frozenset({"strasse", "hausnummer", "hausnr", "anschrift", "adresse", "address", "street", "wohnort", "strasse_hausnummer"})
_BARE_NAME = frozenset({"name", "names", "namen"})

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", re.ASCII)
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\Z")
_PHONE = re.compile(r"(?:\+\d{1,3}[ /-]?|0)\(?\d{2,5}\)?[ /-]{1,3}\d[\d /-]{3,14}\Z")
_DIALLED = re.compile(r"(?:\+49|0049)\d{7,13}\Z")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}\Z")
_PLATE = re.compile(r"[A-ZÄÖÜ]{1,3}[- ][A-Z]{1,2}[ -]?\d{1,4}[EH]?\Z")
_SALUTATION = re.compile(r"(?:Herrn?|Frau|Dr\.|Prof\.) ?\S", re.ASCII)

#: Cells longer than this are cut before they are looked at, so that no expression can take long.
_CELL = 400


def by_header(header: str) -> str | None:
    """What of a person the header names, or None."""
    key = property_key(header.rsplit(".", 1)[-1].rsplit("/", 1)[-1]).replace(".", "_")
    words = set(key.split("_"))
    for kind, names in _HEADERS:
        if key in names or (words & names and kind not in ("mac", "ip")) or any(len(name) > 5 and key.endswith(name) for name in names):
            return kind
    return None


def by_cells(cells: Sequence[str]) -> str | None:
    """What of a person the cells are; None if too few of them are."""
    there = [cell.strip()[:_CELL] for cell in cells if cell and cell.strip()]
    if not there:
        return None
    if any(_EMAIL.search(cell) for cell in there):
        return "email"
    for kind, test, least in _TESTS:
        if sum(map(test, there)) >= max(1, least * len(there)):
            return kind
    return None


def _is_ip(cell: str) -> bool:
    if cell.count(".") != 3 and cell.count(":") < 2:
        return False
    try:
        ipaddress.ip_address(cell)
    except ValueError:
        return False
    return True


def _is_iban(cell: str) -> bool:
    """Whether it is one, by its check digits."""
    tight = cell.replace(" ", "")
    if not _IBAN.match(tight):
        return False
    return int("".join(str(int(sign, 36)) for sign in tight[4:] + tight[:4])) % 97 == 1


def _is_phone(cell: str) -> bool:
    return bool(_PHONE.match(cell) or _DIALLED.match(cell))


#: In this order: the kind, how a cell is told, and which share of the cells must be such.
_TESTS = (
    ("mac", lambda cell: bool(_MAC.match(cell)), 0.02),
    ("iban", _is_iban, 0.02),
    ("ip", _is_ip, 0.2),
    ("phone", _is_phone, 0.3),
    ("plate", lambda cell: bool(_PLATE.match(cell)), 0.8),
    ("name", lambda cell: bool(_SALUTATION.match(cell)), 0.3),
)


#: Beside one of these a bare "name" is the name of a thing, not of a person.
_OF_THINGS = frozenset(
    {"title", "titel", "description", "beschreibung", "bezeichnung", "kapazitaet", "capacity", "lat", "latitude", "breitengrad"}
)
_OF_PEOPLE = frozenset({"email", "e_mail", "mail", "telefon", "phone", "mobil", "handy", "geburtsdatum", "geboren", "iban", "vorname"})


def personal_kinds(columns: Sequence[tuple[str, Sequence[str]]]) -> list[str | None]:
    """What of people each column tells, seen together: a street or a bare name is a person's only beside the person."""
    found = [by_header(header) or by_cells(cells) for header, cells in columns]
    keys = [property_key(header.rsplit(".", 1)[-1]) for header, _ in columns]
    around = [header.rpartition(".")[0] for header, _ in columns]
    for number, key in enumerate(keys):
        if found[number] is not None or (key not in _ADDRESS and key not in _BARE_NAME):
            continue
        beside = [other for other, place in enumerate(around) if place == around[number] and other != number]
        words = {keys[other] for other in beside}
        if key in _BARE_NAME and words & _OF_PEOPLE and not words & _OF_THINGS:
            found[number] = "name"
        elif key in _ADDRESS and {found[other] for other in beside} & {"name", "birth"} | (words & _BARE_NAME and words & _OF_PEOPLE):
            found[number] = "address"
    return found


def masked(cell: str) -> str:
    """The cell so that its form can be seen and nobody in it."""
    return "".join(sign if number == 0 or not sign.isalnum() else "•" for number, sign in enumerate(cell[:40]))
