"""The freshness badge of a dataset, to be shown on other pages: as a picture, and as JSON in the form of shields.io."""

from datetime import UTC, datetime
from html import escape

import orjson
from fastapi import APIRouter, Request, Response

from stadthub_api.answers import cached
from stadthub_api.deps import DATASET, ReadableDep
from stadthub_api.hub import Readable
from stadthub_api.portal.freshness import LOOKS
from stadthub_api.portal.rendering import writing
from stadthub_schemas.freshness import Freshness, freshness

router = APIRouter(include_in_schema=False)

#: Dark enough for white letters (4.5 to 1), and never alone: the words say the same.
COLOURS: dict[Freshness, str] = {
    Freshness.FRESH: "#2e7d32",
    Freshness.LATE: "#8a5200",
    Freshness.STALE: "#b3261e",
    Freshness.UNKNOWN: "#3b5b92",
    Freshness.EMPTY: "#5f5f5f",
}
LEFT = "#3c3c3c"

#: How long a badge may be kept, in seconds; how wide a letter is drawn, and how much room is left beside the words.
SECONDS = 60
LETTER, ROOM = 6.6, 12

SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">
<title>{title}</title>
<rect width="{width}" height="20" rx="3" fill="{colour}"/>
<path d="M3 0h{left_straight}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="{left_colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{label_middle}" y="14" textLength="{label_length}">{label}</text>
<text x="{message_middle}" y="14" textLength="{message_length}">{message}</text>
</g>
</svg>
"""


@router.get("/datasets/{name}/badge.svg", openapi_extra=DATASET)
def badge_picture(request: Request, seen: ReadableDep) -> Response:
    """How fresh the dataset is, as a picture with its words in it."""
    label, message, state = _words(request, seen)
    return cached(request, _drawn(label, message, COLOURS[state]).encode(), "image/svg+xml; charset=utf-8", SECONDS)


@router.get("/datasets/{name}/badge.json", openapi_extra=DATASET)
def badge_words(request: Request, seen: ReadableDep) -> Response:
    """The same as words and colour, in the form that shields.io takes from an endpoint."""
    label, message, state = _words(request, seen)
    body = {"schemaVersion": 1, "label": label, "message": message, "color": COLOURS[state], "cacheSeconds": 300}
    return cached(request, orjson.dumps(body), "application/json", SECONDS, {"Access-Control-Allow-Origin": "*"})


def _words(request: Request, seen: Readable) -> tuple[str, str, Freshness]:
    """The dataset's title, how fresh it is and since when, and the state itself."""
    write = writing(request)
    meta, extent = seen.entry.dataset.metadata, seen.entry.extent
    if "phenomenon_time" in seen.hidden:
        extent = extent.model_copy(update={"last_time": None})
    state = freshness(extent, meta.update_frequency, datetime.now(UTC))
    word = write.word(LOOKS[state].words)
    told = f"{word} · {write.moment(extent.last_time)}" if extent.last_time else word
    return write.phrase(meta.title, meta.title_en), told, state


def _drawn(label: str, message: str, colour: str) -> str:
    label_length, message_length = (round(len(text) * LETTER) for text in (label, message))
    left, right = label_length + ROOM, message_length + ROOM
    return SVG.format(
        width=left + right,
        left_straight=left - 3,
        title=escape(f"{label}: {message}"),
        label=escape(label),
        message=escape(message),
        label_length=label_length,
        message_length=message_length,
        label_middle=left / 2,
        message_middle=left + right / 2,
        colour=colour,
        left_colour=LEFT,
    )
