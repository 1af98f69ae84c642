"""How good the description of a dataset is, as its page shows it, and the description in the page's head for search engines."""

from typing import Any

import orjson

from stadthub_api.hub import Hub, Readable
from stadthub_api.portal.language import Writing
from stadthub_catalog import packaged
from stadthub_catalog.mqa import EXCELLENT, MOST, Dimension, Rating
from stadthub_catalog.theming import theme_of
from stadthub_schemas.access import ANYBODY, Action, may, visible
from stadthub_schemas.vocabularies import THEMES

#: Words in German, translated when shown.
RATINGS: dict[Rating, str] = {"excellent": "ausgezeichnet", "good": "gut", "sufficient": "ausreichend", "bad": "mangelhaft"}
DIMENSIONS: dict[Dimension, str] = {
    "findability": "Auffindbarkeit",
    "accessibility": "Zugänglichkeit",
    "interoperability": "Verknüpfbarkeit",
    "reusability": "Nachnutzbarkeit",
    "contextuality": "Einordnung",
}


def quality(hub: Hub, seen: Readable, write: Writing) -> dict[str, Any]:
    """What the page says of the description's quality."""
    score = hub.publication.score(seen.entry)
    theme = theme_of(seen.entry)
    return {
        "quality_theme": None if theme is None or seen.entry.dataset.metadata.themes else f"{write.phrase(*THEMES[theme])} ({theme})",
        "quality": score,
        "quality_bounds": (EXCELLENT, MOST),
        "quality_rating": write.word(RATINGS[score.rating]),
        "quality_parts": [
            (write.word(words), [one for one in score.measured if one.metric.dimension == name]) for name, words in DIMENSIONS.items()
        ],
        "is_told": score.is_excellent and may(ANYBODY, Action.SEE, seen.entry.dataset).allowed,
    }


def linked_data(hub: Hub, seen: Readable, write: Writing) -> dict[str, str]:
    """The description for search engines (schema.org), safe within a page, and the dataset's address for ever."""
    columns = visible(seen.decision, seen.entry.columns)
    told = orjson.dumps(packaged.schema_org(seen.entry, columns, hub.site, write.language)).decode()
    return {"linked_data": told.replace("<", "\\u003c"), "address": f"/dataset/{seen.entry.id}"}
