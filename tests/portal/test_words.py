"""The English words are complete: every German phrase of templates, tables and code has one, with the same placeholders."""

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from stadthub_api.portal import (
    chart,
    drift,
    errors,
    exchange,
    freshness,
    previews,
    quality,
    rendering,
    snippets,
    states,
    table,
    wizard_pages,
)
from stadthub_api.portal.language import TRANSLATIONS
from stadthub_api.portal.views import datasets, operator, quarantine, wlan

PORTAL = Path(rendering.__file__).parent
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\}")

#: Phrases that stand in tables and are translated when they are shown.
IN_TABLES = (
    *rendering.KINDS.values(),
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
