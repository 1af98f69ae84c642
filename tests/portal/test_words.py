"""The English words are complete: every German phrase of templates, tables and code has one, with the same placeholders."""

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from stadthub_api.portal import (
    cells,
    chart,
    drift,
    errors,
    exchange,
    freshness,
    previews,
    quality,
    rendering,
    sentences,
    snippets,
    states,
    table,
    wizard_pages,
)
from stadthub_api.portal.language import TRANSLATIONS
from stadthub_api.portal.views import datasets, operator, quarantine, wlan

PORTAL = Path(rendering.__file__).parent
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w*\}")

#: Phrases that stand in tables and are translated when they are shown.
IN_TABLES = (
    *rendering.KINDS.values(),
    *rendering.SOURCES.values(),
    *cells.SHAPES.values(),
    cells.POINTS,
    *rendering.MAP_WORDS.values(),
    *rendering.COUNTS.values(),
    *rendering.COLUMN_TYPES.values(),
    *errors.ADVICE.values(),
    errors.LATER,
    *(look.words for look in freshness.LOOKS.values()),
    *(look.words for look in states.STATES.values()),
    *(look.words for look in drift.SEVERITIES.values()),
    *previews.STATES.values(),
    *quality.RATINGS.values(),
    *quality.DIMENSIONS.values(),
    *quarantine.STATES.values(),
    *exchange.TALLIES.values(),
    *operator.BACKFILL_STATES.values(),
    *(words for _, words in chart.SPANS.values()),
    snippets.QGIS_WAY,
    *datasets.FACETS.values(),
    *datasets.ORDERS.values(),
    *wlan.WEEKDAYS,
    *wlan.REASONS.values(),
    *wizard_pages.STEPS,
    *wizard_pages.ACCESS.values(),
    *(words for fields in table.FIELDS.values() for _, words, _ in fields),
)


def _phrases() -> set[str]:
    keywords = {"_": None, "word": None}
    found = extract_from_dir(PORTAL, [("templates/**.html", "jinja2"), ("**.py", "python")], {}, keywords=keywords)
    return {str(message) for _, _, message, _, _ in found} | set(IN_TABLES)


def _english() -> dict[str, str]:
    with (TRANSLATIONS / "en" / "LC_MESSAGES" / "portal.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id and not message.fuzzy}


def test_every_phrase_has_an_english_one() -> None:
    english = _english()
    assert sorted(phrase for phrase in _phrases() if not english.get(phrase)) == []


def test_no_english_phrase_is_left_over() -> None:
    assert sorted(_english().keys() - _phrases()) == []


def test_placeholders_are_the_same_in_both_languages() -> None:
    differ = {
        german: english
        for german, english in _english().items()
        if sorted(PLACEHOLDER.findall(german)) != sorted(PLACEHOLDER.findall(english))
    }
    assert differ == {}


def test_the_hubs_own_sentences_are_known_word_by_word_and_keep_their_values_in_german() -> None:
    rooms = [
        path for room in ("schemas", "ingest", "lake", "catalog", "pipelines", "api") for path in (PORTAL.parents[2] / room).rglob("*.py")
    ]
    said = "\n".join(path.read_text("utf-8") for path in rooms if path.name != "sentences.py" and "node_modules" not in path.parts)
    for english, german in sentences.WORDINGS:
        names = re.findall(r"\{(\w+)\}", english)
        assert set(re.findall(r"\{(\w+)\}", german)) == set(names), english
        assert all(part in said for part in re.split(r"\{\w+\}|\d+", english) if len(part) > 9), f"nobody says this any more: {english}"
        values = {name: f"«{number}»" for number, name in enumerate(names)}
        assert sentences.german(english.format(**values)) == german.format(**values), english


def test_what_stands_before_a_sentence_and_what_is_not_known_stays_as_it_is() -> None:
    assert sentences.german("result: 900 is outside 0..500 (pm10)") == "result: 900 liegt außerhalb von 0 bis 500 (Feinstaub PM10)"
    assert (
        sentences.german("result: 4711 Cel is outside -60..60 (air_temperature)")
        == "result: 4711 °C liegt außerhalb von -60 bis 60 (Lufttemperatur)"
    )
    assert sentences.german("payload: line 4: 'a: b' is not a number") == "payload: Zeile 4: 'a: b' ist keine Zahl"
    told = "phenomenon_time: 2027-01-01T00:00:00Z lies 1 day ahead"
    assert sentences.german(told) == "phenomenon_time: 2027-01-01T00:00:00Z liegt 1 Tag in der Zukunft"
    assert sentences.german("https://x.example/: the server answered 404 Not Found: mend source.url") == (
        "https://x.example/: der Server antwortete 404 Not Found: ändern Sie source.url"
    )
    assert sentences.german("something else") is None
    assert sentences.shown("there is no dataset '<b>'", "de") == "Den Datensatz &#39;&lt;b&gt;&#39; gibt es nicht"
    assert sentences.shown("something <b>", "de") == '<span lang="en">something &lt;b&gt;</span>'
    assert sentences.shown("there is no dataset 'x'", "en") == "there is no dataset &#39;x&#39;"
