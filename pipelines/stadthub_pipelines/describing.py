"""The words of a dataset as forms and prompts ask for them: which there are, what is missing, what the city used before."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from stadthub_catalog.theming import suggested
from stadthub_ingest import registry
from stadthub_ingest.accesspoints import Kept
from stadthub_ingest.detection.proposal import Said
from stadthub_pipelines.drafting import name_of
from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import load_feed

NOTHING = Said("", "")


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that is asked: its place in `[metadata]`, its words, whether it must be answered, a hint."""

    place: str
    words: Said
    needed: bool = False
    hint: Said = NOTHING
    long: bool = False


QUESTIONS: Sequence[Asked] = (
    Asked("title", Said("Titel des Datensatzes", "title of the dataset"), True),
    Asked("title_en", Said("Titel auf Englisch", "title in English")),
    Asked("description", Said("Beschreibung", "description"), True, Said("Was, wo, wie oft, wofür gut?", "What, where, how often, good for what?"), True),
    Asked("description_en", Said("Beschreibung auf Englisch", "description in English"), long=True),
    Asked("license", Said("Lizenz", "licence"), True),
    Asked("attribution", Said("Zu nennende Quelle", "source to be named")),
    Asked("publisher.title", Said("Herausgeber", "publisher"), True, Said("zum Beispiel: Stadt Musterstadt, Umweltamt", "such as: city of Musterstadt")),
    Asked("contact.name", Said("Ansprechstelle", "contact"), True, Said("eine Stelle, keine Person", "an office, not a person")),
    Asked("contact.email", Said("E-Mail der Ansprechstelle", "e-mail of the contact")),
    Asked("themes", Said("Thema", "theme"), True),
    Asked("keywords", Said("Schlagwörter, mit Kommas", "keywords, with commas")),
    Asked("update_frequency", Said("Rhythmus", "cadence"), True),
    Asked("access", Said("Wer darf es sehen?", "who may see it?"), True),
    Asked("purpose", Said("Zweck", "purpose"), False, Said("nötig bei nicht öffentlichen Daten und Personenbezug", "needed for data that are not public or tell of people")),
    Asked("privacy.purpose", Said("Zweck der Zählung von Menschen", "purpose of counting people")),
    Asked("privacy.legal_basis", Said("Rechtsgrundlage der Zählung", "legal basis of counting")),
    Asked(
        "release.by", Said("Freigegeben von", "released by"), False,
        Said("Amt oder Rolle, nicht unbedingt eine Person", "an office or role, not necessarily a person"),
    ),
    Asked("release.date", Said("Freigegeben am", "released on")),
    Asked(
        "release.legal_basis", Said("Rechtsgrundlage der Freigabe", "legal basis of the release"), False,
        Said("zum Beispiel: § 12a EGovG oder eine Satzung der Stadt", "such as: § 12a EGovG or a statute of the city"),
    ),
    Asked("release.note", Said("Bemerkung zur Freigabe", "note on the release")),
    Asked("release.reference", Said("Aktenzeichen oder Adresse der Entscheidung", "file number or address of the decision")),
)  # fmt: skip

#: What themes the data of some decoders are of, where no word says more.
_OF_DECODERS = {
    "TRAN": ("gbfs", "gtfs", "datex"),
    "GOVE": ("oparl", "rss", "schema_event", "ical"),
    "TECH": ("meshviewer", "unifi", "nodelist", "hopglass", "respondd", "meraki"),
    "ENVI": ("senml", "sensor_community"),
}


def theme_of(decoder: str, text: str) -> str:
    """The theme of a feed that is about these words, which this decoder reads."""
    own = next((theme for theme, decoders in _OF_DECODERS.items() if decoder.startswith(decoders)), None)
    return own or suggested(text.replace("_", " ")) or "REGI"


def metadata_of(answers: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
    """`[metadata]` out of the answers; what was left empty is not there."""
    found: dict[str, Any] = {}
    for asked in QUESTIONS:
        answer = answers.get(asked.place)
        value = _read(asked.place, answer) if answer else None
        if value in (None, "", []):
            continue
        table, _, key = asked.place.rpartition(".")
        (found.setdefault(table, {}) if table else found)[key] = value
    if "publisher" in found:
        found["publisher"] = {"name": str(answers.get("publisher.name") or name_of(found["publisher"]["title"])), **found["publisher"]}
    if set(found.get("release", ())) == {"date"}:
        del found["release"]
    return found


def _read(place: str, answer: str | Sequence[str]) -> Any:
    if place in ("themes", "keywords"):
        parts = re.split(r"[,;\n]", answer) if isinstance(answer, str) else answer
        return [part.strip() for part in parts if part.strip()]
    text = (answer if isinstance(answer, str) else ", ".join(answer)).strip().replace("\r\n", "\n")
    if place == "release.date":
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text  # the check says what is wrong with it
    return text


def lacking(metadata: Mapping[str, Any], decoder: str) -> list[Said]:
    """What must be said before these data may be saved: the wizard also wants to know who released public ones."""
    found = []
    for asked in QUESTIONS:
        table, _, key = asked.place.rpartition(".")
        is_there = bool((metadata.get(table, {}) if table else metadata).get(key))
        needed = asked.needed
        if table == "release" and key in ("by", "date", "legal_basis"):
            needed = metadata.get("access", "public") == "public"
        if table == "privacy":
            needed = decoder in registry.names() and issubclass(registry.find(decoder).Options, Kept)
        if asked.place == "purpose":
            needed = metadata.get("access", "public") != "public"
        if needed and not is_there:
            found.append(Said(f"{asked.words.de}: fehlt ({asked.place})", f"{asked.words.en}: missing ({asked.place})"))
    return found


def habits(paths: Iterable[Path]) -> dict[str, str]:
    """What the city's other feeds say of publisher and contact: most likely this one says the same."""
    for path in paths:
        try:
            words = load_feed(path).metadata
        except FeedError:
            continue
        if words is not None:
            return {
                "publisher.title": words.publisher.title,
                "publisher.name": words.publisher.name,
                "contact.name": words.contact.name,
                "contact.email": words.contact.email or "",
            }
    return {}
