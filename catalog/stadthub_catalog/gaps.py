"""What others publish and we don't: the titles of another catalogue that none of our datasets is like, by theme."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stadthub_catalog.compounds import parts
from stadthub_catalog.entry import Entry
from stadthub_catalog.folding import STOP, stem, words
from stadthub_catalog.foreign.adopting import SOURCE_ID
from stadthub_catalog.synonyms import Synonyms

#: Two datasets are about the same if so much of what one title says is said by the other; rare words count more.
ALIKE = 0.5
#: Our nearest dataset shares at least so much, and a word that stands by itself in one of both; else what is shared is chance.
NEAR = 1 / 3
#: Parts of many words that tell of no subject by themselves: a Krankenhaus is no Parkhaus.
_VAGUE = frozenset(
    stem(word)
    for word in (
        "amt", "art", "bau", "center", "fest", "flaeche", "frei", "gebiet", "haupt", "haus", "hof", "mittel", "nutzung", "ort", "ordnung", "plan", "platz",
        "punkt", "raum", "satz", "stelle", "stoff", "tag", "teil", "werk", "wert", "wesen", "woche", "zeit", "zentrum",
    )
)  # fmt: skip

#: Words of titles that say nothing about the subject.
_EMPTY = frozenset(
    stem(word)
    for word in [
        "stadt",
        "gemeinde",
        "kreis",
        "land",
        "landkreis",
        "daten",
        "data",
        "datensatz",
        "dataset",
        "open",
        "opendata",
        "liste",
        "uebersicht",
        "karte",
        "verzeichnis",
        "stand",
        "aktuell",
        "aktuelle",
        "jahr",
        "jahre",
        "monat",
        "quartal",
        "nach",
        "je",
        "pro",
        "wms",
        "wfs",
        "csv",
        "json",
        "xls",
        "geojson",
        "api",
        "dienst",
        "download",
        "feature",
        "service",
        "layer",
        "statistik",
        "statistisch",
        "verschieden",
        "sonstige",
        "allgemein",
        "gesamt",
        "ergebnis",
        "ergebnisse",
        "prozent",
        "zahl",
        "anzahl",
        "seit",
        "standort",
        "standorte",
        "test",
        "city",
        "list",
        "map",
        "overview",
        "of",
    ]
)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A dataset elsewhere, as far as the report needs it."""

    title: str
    page: str = ""
    publisher: str = ""
    themes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that others publish and we don't. `count`: how many of their datasets are about it; `near`: our dataset that is most
    like it, by name and title, and how much; None and 0 where none tells of anything near."""

    theme: str
    title: str
    page: str
    publisher: str
    count: int
    near: tuple[str, str] | None
    likeness: float


@dataclass(frozen=True, slots=True)
class Report:
    """All gaps, the themes with the most first; how many datasets were compared, and of how many we have the like."""

    source: str
    compared: int
    covered: int
    gaps: tuple[Gap, ...]
    themes: Mapping[str, tuple[Gap, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Ours:
    name: str
    title: str
    said: frozenset[str]
    whole: frozenset[str]


def report(source: str, foreign: Iterable[Foreign], entries: Iterable[Entry], synonyms: Synonyms, place: str = "") -> Report:
    """Compare. `place` are words that stand in their titles without saying anything, such as the name of their city."""
    elsewhere, own_entries = list(foreign), [entry for entry in entries if not _is_harvested(entry)]
    told = [*(one.title for one in elsewhere), *(entry.dataset.metadata.title for entry in own_entries)]
    reading = _Reading(synonyms, frozenset(stem(word) for text in told for word in words(text) if len(word) > 3), _placeless(place))
    theirs = [(one, reading.said(one.title)) for one in elsewhere]
    mine = [reading.ours(entry) for entry in own_entries]
    counted = Counter(word for _, said in theirs for word in said)
    weights = {word: math.log(1 + len(theirs) / number) for word, number in counted.items()}
    having: dict[str, list[_Ours]] = defaultdict(list)
    for own in mine:
        for word in own.said & weights.keys():
            having[word].append(own)
    found: dict[frozenset[str], tuple[Foreign, int, _Ours | None, float]] = {}
    covered = 0
    for one, said in theirs:
        near, likeness = _nearest(said, having, weights)
        shared = (said & near.said) - _VAGUE if near is not None else frozenset()
        if likeness >= ALIKE and shared:
            covered += 1
            continue
        if near is None or likeness < NEAR or not shared & (near.whole | whole_words(one.title)):
            near, likeness = None, 0.0
        first, count, *_ = found.get(said, (one, 0, None, 0.0))
        found[said] = (first, count + 1, near, likeness)
    gaps = [_gap(*seen) for seen in found.values()]
    gaps.sort(key=lambda gap: (gap.theme == "", gap.theme, -gap.count, gap.title.casefold()))
    by_theme = {theme: tuple(gap for gap in gaps if gap.theme == theme) for theme in dict.fromkeys(gap.theme for gap in gaps)}
    ordered = dict(sorted(by_theme.items(), key=lambda pair: (pair[0] == "", -len(pair[1]))))
    return Report(source, len(theirs), covered, tuple(gap for some in ordered.values() for gap in some), ordered)


def whole_words(title: str) -> frozenset[str]:
    """The stems of the words of a title as they stand, compounds whole."""
    return frozenset(stem(word) for word in words(title))


def _gap(one: Foreign, count: int, near: _Ours | None, likeness: float) -> Gap:
    theme = next(iter(one.themes), "")
    return Gap(theme, one.title, one.page, one.publisher, count, (near.name, near.title) if near else None, round(likeness, 2))


def _is_harvested(entry: Entry) -> bool:
    return any(one["key"] == SOURCE_ID for one in (entry.document or {}).get("extras", ()))


def _placeless(place: str) -> frozenset[str]:
    """The stems of the words of a place's name: its citizens' words too (Köln, Kölner)."""
    named = words(place)
    return frozenset(stem(form) for word in named for form in (word, word + "er", word + "s", word + "e"))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How titles are read: our synonyms, the words that compounds may be made of, and those that say nothing here."""

    synonyms: Synonyms
    known: frozenset[str]
    ignored: frozenset[str]

    def said(self, title: str) -> frozenset[str]:
        """What a title is about: the stems of its words, compounds taken apart."""
        found: set[str] = set()
        for word in words(title):
            root = stem(word)
            if len(word) < 3 or word in STOP or root in _EMPTY or root in self.ignored or any(sign.isdigit() for sign in word):
                continue
            pieces = [piece for piece in parts(word, self.known.__contains__) if piece not in _EMPTY]
            found |= set(pieces) if pieces else {root}
        return frozenset(found)

    def ours(self, entry: Entry) -> _Ours:
        """What one of our datasets is about: title, keywords, and what else may be said for them."""
        meta = entry.dataset.metadata
        said: set[str] = set()
        told = (meta.title, meta.title_en or "", entry.name.replace("-", " "), *meta.keywords)
        for text in told:
            said |= self.said(text)
            folded = words(text)
            for place in range(len(folded)):
                _, others = self.synonyms.at(folded, place)
                said |= {piece for other in others for piece in self.said(" ".join(other))}
        return _Ours(entry.name, meta.title, frozenset(said), frozenset().union(*map(whole_words, told)))


def _nearest(said: frozenset[str], having: Mapping[str, list[_Ours]], weights: Mapping[str, float]) -> tuple[_Ours | None, float]:
    """Our dataset that says most of it, and how much of it. A title that says nothing is like nothing."""
    shares: dict[str, float] = defaultdict(float)
    known: dict[str, _Ours] = {}
    for word in said:
        for one in having.get(word, ()):
            shares[one.name] += weights[word]
            known[one.name] = one
    whole = sum(weights[word] for word in said)
    if not shares or not whole:
        return None, 0.0
    name = max(sorted(shares), key=lambda one: shares[one])
    return known[name], shares[name] / whole
