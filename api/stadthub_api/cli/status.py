"""`stadthub status`: each feed's sum, what is broken, and whether the hub runs."""

import shutil
from collections.abc import Sequence
from typing import Any

import typer

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing
from stadthub_api.cli.output import print_json, print_table, say
from stadthub_catalog.entry import FeedState
from stadthub_pipelines.running import HUB, WORKER, holder
from stadthub_schemas.counts import Counts
from stadthub_schemas.finding import Finding, Severity, sentence
from stadthub_schemas.settings import Settings

SUM = ("received", "stored", "duplicate", "rejected", "dropped")


#: More findings than these are only counted.
SHOWN = 20


def status(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """What is broken, and what came in and became of it: received = stored + duplicate + rejected + dropped, for each feed.

    The exit code is 1 when something is broken: an error that is open, a wrong feed file, a full disk, a hub without its worker.

    [bold]Example[/bold]: stadthub status --json
    """
    settings = existing(config, data_dir)
    with catalog_of(settings) as catalog:
        feeds = catalog.feeds()
        datasets = len(catalog.entries())
        findings = catalog.findings()
    total = sum((feed.counts for feed in feeds), Counts())
    broken = _broken(settings, feeds, findings)
    answer: dict[str, Any] = {
        "ok": not broken,
        "broken": broken,
        "findings": findings,
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
    else:
        _tell(answer, findings)
    if broken:
        raise typer.Exit(1)


def _broken(settings: Settings, feeds: Sequence[FeedState], findings: Sequence[Finding]) -> list[str]:
    """A sentence for each thing that is broken."""
    sentences = [f"{one.feed}: {one.wrong.splitlines()[0]}" for one in feeds if one.wrong]
    sentences += [f"{one.feed}: {one.error}" for one in feeds if one.error and state(one) == "trouble"]
    told = {one.feed for one in feeds if one.wrong or (one.error and state(one) == "trouble")}
    sentences += [
        f"{one.feed or 'hub'}: {one.kind}: {sentence(one.kind, one.subject, one.details)}"
        for one in findings
        if one.severity is Severity.ERROR and one.feed not in told
    ]
    if settings.data_dir.is_dir() and shutil.disk_usage(settings.data_dir).free < settings.min_free_mb * 1_000_000:
        sentences.append(f"disk: less than {settings.min_free_mb} MB are free: nothing is acknowledged any more")
    if holder(settings.data_dir, HUB) is not None and holder(settings.data_dir, WORKER) is None:
        sentences.append("worker: the hub runs, its worker does not")
    return sentences


def _tell(answer: dict[str, Any], findings: Sequence[Finding]) -> None:
    """What is broken first, then the sums."""
    if findings:
        rows = [
            [one.severity.value, one.feed or "hub", one.kind, sentence(one.kind, one.subject, one.details), one.first_seen]
            for one in findings[:SHOWN]
        ]
        print_table("What was noticed", ["severity", "feed", "kind", "what", "since"], rows)
        if len(findings) > SHOWN:
            say(f"{SHOWN} of {len(findings)} findings shown: --json gives all of them.")
    rows = [[one["feed"], one["state"], *(one[key] for key in SUM)] for one in answer["feeds"]]
    rows.append(["together", "", *(answer["total"][key] for key in SUM)])
    print_table("Feeds", ["feed", "state", *SUM], rows)
    worker = "runs" if answer["worker"] else "does not run"
    say(f"The worker {worker} · {answer['datasets']} datasets · {answer['data_dir']} · {answer['free_mb']:,} MB free")
    for feed in answer["feeds"]:
        if feed["frames_missing"]:
            say(
                f"{feed['feed']}: {feed['frames_missing']:,} of {feed['frames_received'] + feed['frames_missing']:,} radio frames were lost"
            )
    if not answer["balanced"]:
        say("The sum does not hold at this moment: rows are being judged, or run `stadthub doctor`.")
    for words in answer["broken"]:
        say(f"Broken: {words}")


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
