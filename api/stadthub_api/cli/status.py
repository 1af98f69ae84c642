"""`stadthub status`: each feed's sum, and whether the hub runs."""

import shutil
from typing import Any

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing
from stadthub_api.cli.output import print_json, print_table, say
from stadthub_catalog.entry import FeedState
from stadthub_pipelines.running import WORKER, holder
from stadthub_schemas.counts import Counts

SUM = ("received", "stored", "duplicate", "rejected", "dropped")


def status(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """What came in and what became of it: received = stored + duplicate + rejected + dropped, for each feed.

    [bold]Example[/bold]: stadthub status --json
    """
    settings = existing(config, data_dir)
    with catalog_of(settings) as catalog:
        feeds = catalog.feeds()
        datasets = len(catalog.entries())
    total = sum((feed.counts for feed in feeds), Counts())
    answer: dict[str, Any] = {
        "worker": holder(settings.data_dir, WORKER) is not None,
        "url": settings.url,
        "data_dir": str(settings.data_dir),
        "free_mb": shutil.disk_usage(settings.data_dir).free // 1_000_000 if settings.data_dir.is_dir() else None,
        "datasets": datasets,
        "balanced": total.balanced,
        "total": total.as_dict(),
        "feeds": [_told(feed) for feed in feeds],
    }
    if as_json:
        print_json(answer)
        return
    rows = [[one["feed"], one["state"], *(one[key] for key in SUM)] for one in answer["feeds"]]
    rows.append(["together", "", *(answer["total"][key] for key in SUM)])
    print_table("Feeds", ["feed", "state", *SUM], rows)
    say(
        f"The worker {'runs' if answer['worker'] else 'does not run'} · {datasets} datasets · {settings.data_dir} · {answer['free_mb']:,} MB free"
    )
    for feed in feeds:
        if feed.frames_missing:
            say(f"{feed.feed}: {feed.frames_missing:,} of {feed.frames_received + feed.frames_missing:,} radio frames were lost")
    if not total.balanced:
        say("The sum does not hold at this moment: rows are being judged, or run `stadthub doctor`.")


def _told(feed: FeedState) -> dict[str, Any]:
    """One feed for scripts."""
    frames = {"frames_received": feed.frames_received, "frames_missing": feed.frames_missing}
    return {"feed": feed.feed, "dataset": feed.dataset, "state": state(feed), **feed.counts.as_dict(), **frames}


def state(feed: Any) -> str:
    """One word for how a feed is."""
    if feed.wrong:
        return "wrong"
    if feed.paused or feed.held:
        return "paused"
    if feed.error:
        return "trouble"
    return "connected" if feed.connected else "waiting"
