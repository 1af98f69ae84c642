"""The harvests and publications of a hub, as commands name them."""

from stadthub_catalog.ledger import Tally
from stadthub_pipelines.mistakes import check_files, feed_files
from stadthub_schemas.errors import FeedError, NotFound
from stadthub_schemas.exchange import Harvest, Publish
from stadthub_schemas.settings import Settings

#: The numbers of a run in their order: the first is the sum of the next five.
NUMBERS = ("found", "created", "updated", "unchanged", "failed", "skipped", "withdrawn", "spared", "before", "after")


def harvests_of(settings: Settings) -> dict[str, Harvest]:
    """The harvests of this hub by id."""
    return {one.errand.id: one.errand for one in check_files(feed_files(settings.feeds)) if isinstance(one.errand, Harvest)}


def publications_of(settings: Settings) -> dict[str, Publish]:
    """The publications of this hub by id; FeedError if one can't be right."""
    found = [one for one in check_files(feed_files(settings.feeds)) if isinstance(one.errand, Publish)]
    wrong = [sentence for one in found for sentence in one.mistakes]
    if wrong:
        raise FeedError("\n".join(wrong))
    return {one.errand.id: one.errand for one in found if isinstance(one.errand, Publish)}


def harvest_named(settings: Settings, name: str) -> Harvest:
    """The harvest of this name; NotFound names those that are there."""
    found = harvests_of(settings)
    if name not in found:
        raise NotFound(f"There is no harvest {name!r} in {settings.feeds}; there are: {', '.join(sorted(found)) or 'none'}")
    return found[name]


def numbers(tally: Tally) -> list[int]:
    """The numbers of a run in their order."""
    return [getattr(tally, name) for name in NUMBERS]
