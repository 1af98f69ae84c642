"""The record of processing activities (Art. 30 GDPR): one entry for each feed that counts people, and those of the hub itself."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stadthub_api.portal.language import exactly
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Token
from stadthub_schemas.access import Action, may
from stadthub_schemas.access import Principal as Holder
from stadthub_schemas.dataset import AccessClass, Contact, Dataset, Language, Privacy
from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import Feed, load_feed
from stadthub_schemas.privacy import COUNTED_MEASURES, HUB_PROCESSINGS, MEASURES, SUBJECTS, Phrase, spoken
from stadthub_schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class Processing:
    """One entry of the record, in one language: what Art. 30 (1) a to g asks for, and whatever proves it."""

    name: str
    title: str
    controller: str
    contact: str
    protection_officer: str
    purpose: str
    legal_basis: str
    subjects: str
    categories: tuple[str, ...]
    recipients: tuple[str, ...]
    transfer: str
    retention: tuple[str, ...]
    measures: tuple[str, ...]
    assessment: str
    changed: datetime | None


@dataclass(frozen=True, slots=True)
class FeedFile:
    """A feed, and when its file was last changed."""

    feed: Feed
    changed: datetime


#: What stands where nobody said anything; there is no transfer to third countries by the hub itself.
_UNSAID: Phrase = ("nicht angegeben", "not stated")
_NO_TRANSFER: Phrase = ("keine Übermittlung in Drittländer", "no transfer to third countries")
_FOR_EVER: Phrase = ("unbegrenzt", "without end")


def record(catalog: Catalog, settings: Settings, language: Language) -> list[Processing]:
    """All entries: the feeds in the order of their ids, then the hub's own."""
    files = feed_files(settings.feeds)
    tokens = [token for token in catalog.tokens() if _valid(token)]
    counting = [_of_feed(one, files, tokens, settings, language) for one in files if one.feed.metadata and one.feed.metadata.privacy]
    return [*counting, *_of_hub(settings, language)]


def feed_files(folder: Path) -> list[FeedFile]:
    """The feeds whose files are right, by id; a wrong file is `stadthub feed check`'s to tell."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        try:
            found.append(FeedFile(load_feed(path), datetime.fromtimestamp(path.stat().st_mtime, UTC)))
        except (FeedError, FileNotFoundError):
            continue
    return sorted(found, key=lambda one: one.feed.id)


def _of_feed(file: FeedFile, files: Sequence[FeedFile], tokens: Sequence[Token], settings: Settings, language: Language) -> Processing:
    dataset = file.feed.described()
    assert dataset is not None
    words, privacy = dataset.metadata, dataset.metadata.privacy
    assert privacy is not None
    feeding = [one.feed for one in files if one.feed.dataset == dataset.name]
    return Processing(
        name=file.feed.id,
        title=words.title_en if language == "en" and words.title_en else words.title,
        controller=words.publisher.title,
        contact=_reached(words.publisher.contact or words.contact, language),
        protection_officer=settings.privacy_contact or spoken(_UNSAID, language),
        purpose=privacy.purpose_en if language == "en" and privacy.purpose_en else privacy.purpose,
        legal_basis=privacy.legal_basis,
        subjects=spoken(SUBJECTS, language),
        categories=privacy.kept(language),
        recipients=tuple(_recipients(dataset, privacy, tokens, language)),
        transfer=spoken(_NO_TRANSFER, language),
        retention=tuple(_retention(dataset, feeding, language)),
        measures=tuple(_measures(privacy, language)),
        assessment=str(privacy.assessment_url) if privacy.assessment_url else spoken(_UNSAID, language),
        changed=max(one.changed for one in files if one.feed in feeding),
    )


def _of_hub(settings: Settings, language: Language) -> Iterator[Processing]:
    """What the hub itself processes of people: of those who hold tokens, of operators, of readers."""
    for name, words in HUB_PROCESSINGS.items():
        yield Processing(
            name=name,
            title=spoken(words.title, language),
            controller=settings.site_operator or settings.site_title,
            contact=settings.site_contact or spoken(_UNSAID, language),
            protection_officer=settings.privacy_contact or spoken(_UNSAID, language),
            purpose=spoken(words.purpose, language),
            legal_basis=spoken(words.legal_basis, language),
            subjects=spoken(words.subjects, language),
            categories=(spoken(words.categories, language),),
            recipients=(spoken(words.recipients, language),),
            transfer=spoken(_NO_TRANSFER, language),
            retention=(spoken(words.retention, language),),
            measures=tuple(spoken(one, language) for one in MEASURES),
            assessment=spoken(_UNSAID, language),
            changed=None,
        )


def _recipients(dataset: Dataset, privacy: Privacy, tokens: Iterable[Token], language: Language) -> Iterator[str]:
    """Classes of recipients; for those with a token, what it is for."""
    if dataset.metadata.access is AccessClass.PUBLIC:
        open_: Phrase = ("Öffentlichkeit: Anzahlen ab {k}", "the public: counts from {k} on")
        yield spoken(open_, language).format(k=privacy.k)
    for token in tokens:
        holder = Holder(token.name, token.role, token.datasets, token.columns, token.actions)
        decision = may(holder, Action.READ, dataset)
        if decision.allowed and decision.suppression is None:
            exact: Phrase = ("genaue Anzahlen: {role}, Zweck: {purpose}", "exact counts: {role}, purpose: {purpose}")
            yield spoken(exact, language).format(role=token.role, purpose=token.purpose or spoken(_UNSAID, language))


def _retention(dataset: Dataset, feeds: Sequence[Feed], language: Language) -> Iterator[str]:
    rows: Phrase = ("Messwerte: {time}", "observations: {time}")
    raw: Phrase = ("Eingang von {feed} (schon bereinigt): {time}", "input of {feed} (already reduced): {time}")
    kept_for = dataset.metadata.kept_for
    yield spoken(rows, language).format(time=spoken(_FOR_EVER, language) if kept_for is None else exactly(kept_for, language))
    for feed in feeds:
        yield spoken(raw, language).format(feed=feed.id, time=exactly(timedelta(days=feed.raw_days), language))


def _measures(privacy: Privacy, language: Language) -> Iterator[str]:
    bucket = int(privacy.bucket.total_seconds() // 60)
    for one in (*COUNTED_MEASURES, *MEASURES):
        yield spoken(one, language).format(k=privacy.k, bucket=bucket)


def _reached(contact: Contact | None, language: Language) -> str:
    if contact is None:
        return spoken(_UNSAID, language)
    return ", ".join(str(part) for part in (contact.name, contact.email, contact.url) if part)


def _valid(token: Token) -> bool:
    return token.revoked is None and (token.expires is None or token.expires > datetime.now(UTC))
