"""Which of the EU's themes a dataset is probably of, by its words: a proposal for who describes it, never written unasked."""

from collections import defaultdict
from functools import lru_cache

from stadthub_catalog.entry import Entry
from stadthub_catalog.folding import words

#: How words of each theme begin, or what longer ones hold (from five letters on), folded; in both languages.
_ROOTS = {
    "AGRI": "agrar agricult landwirt farm acker wald forst forest jagd fischerei fisher weinbau ernte viehbestand lebensmittel wochenmarkt wochenmaerkt",
    "ECON": "wirtschaft econom haushaltsplan haushalt budget finanz financ steuer tax gewerbe unternehmen betriebe tourism touris "
    "uebernachtung arbeitsmarkt arbeitslos employ handel einzelhandel markt preise ausgaben einnahmen spending",
    "EDUC": "bildung schul school kita kindertages kindergarten educat hochschul universit studier museum museen theater buecherei "
    "bibliothek library kultur cultur denkmal denkmael sport baeder schwimmbad freibad veranstaltung event spielplatz spielplaetz playground",
    "ENER": "energie energy strom photovoltaik solar windkraft fernwaerme heiz gasverbrauch kraftwerk ladesaeule ladepunkt charging electric",
    "ENVI": "umwelt environ parkanlage gruenanlage baum baeume tree gruen garten gaerten luft air klima climate wetter weather temperatur humidity feucht "
    "pegel wasser water hochwasser flood gewaesser laerm noise schall sound boden soil abfall muell waste recycling wertstoff "
    "naturschutz biotop feinstaub pm10 pm2 ozon dioxid niederschlag precipitation wind strahlung vogel bienen",
    "GOVE": "wahl election rat ratsinformation stadtrat council verwaltung administr behoerde buergeramt beteiligung oparl amtsblatt satzung "
    "vergabe personal dienststelle",
    "HEAL": "gesundheit health krankenhaus kranken klinik hospital arzt aerzte apotheke pharma impf pflege corona covid inzidenz infektion "
    "defibrillator notfall",
    "INTR": "staedtepartner partnerstadt partnerstaedt entwicklungshilfe international",
    "JUST": "polizei police kriminal straftat crime justiz gericht court feuerwehr rettung sicherheit ordnungswidrig bussgeld unfaelle unfall",
    "REGI": "stadtbezirk bezirk stadtteil district quartier strassenverzeichnis adress address bebauungspla bauleit flaechennutzung liegenschaft "
    "gemarkung grenze boundar luftbild orthophoto hoehenmodell gelaende stadtplan bodenrichtwert geobasis statistischebezirke",
    "SOCI": "bevoelkerung einwohner population demograph geburt sterbe alter haushaltsgroesse migration fluechtling sozial social senioren "
    "jugend familie wohngeld obdach vornamen haushalte inklusion gleichstell",
    "TECH": "wlan wifi freifunk breitband glasfaser mobilfunk lorawan gateway technolog wissenschaft science forschung research digital",
    "TRAN": "verkehr traffic transport rad fahrrad radweg bicycl bike pedestrian fussgaeng park parkhaus parking haltestelle stops bus "
    "strassenbahn tram bahn oepnv fahrplan gtfs gbfs auto kfz vehicle car ampel baustelle strasse road mobil carsharing scooter taxi "
    "zaehlstelle flughafen hafen bruecke",
}
#: From so many letters on a root may stand within a word.
_HELD = 5
#: How much more the title says than the description, and after how many words a word says half as much: what comes first is the subject.
_TITLE, _SUBJECT = 3, 4


def suggested(text: str, more: str = "") -> str | None:
    """The theme that these words speak of most, those of `text` above those of `more`; None if they speak of none."""
    counts: defaultdict[str, float] = defaultdict(float)
    for said, weight in ((text, _TITLE), (more, 1)):
        for place, word in enumerate(words(said)):
            for theme, length in _spoken(word):
                counts[theme] += weight * length / (1 + place / _SUBJECT)
    return max(counts, key=lambda theme: counts[theme]) if counts else None


def theme_of(entry: Entry) -> str | None:
    """The same for a dataset by its title, keywords, and then its description."""
    said = entry.dataset.metadata
    return suggested(" ".join([said.title, *said.keywords]), said.description)


@lru_cache(maxsize=16_384)
def _spoken(word: str) -> tuple[tuple[str, int], ...]:
    """The themes of a folded word: by its longest roots, so that a Parkanlage is no car park."""
    found = {theme: max((len(root) for root in roots if _speaks(word, root)), default=0) for theme, roots in _SPLIT.items()}
    longest = max(found.values())
    return tuple((theme, length) for theme, length in found.items() if length == longest > 0)


def _speaks(word: str, root: str) -> bool:
    return word.startswith(root) or (len(root) >= _HELD and root in word)


_SPLIT = {theme: tuple(said.split()) for theme, said in _ROOTS.items()}
