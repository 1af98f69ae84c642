"""Harvests in operation: the worker runs them on their schedule, operators pause and run them, a kill loses nothing."""

import subprocess
import sys
import threading
from pathlib import Path

from stadthub_catalog.ledger import Outcome
from tests.exchange import payloads
from tests.pipelines.running import PUSH_FEED, running
from tests.servers import Answer, Asked, WebServer

FILE = 'id = "nebenan"\ntitle = "Stadt Nebenan"\n[harvest]\nprotocol = "ckan"\nurl = "{url}"\nretries = 0\n'
LAND = """
id = "land"
title = "Land"
[publish]
url = "https://ckan.example.org"
token = "${FEED_TOKEN}"
organization = "stadt"
mapping = "open-nwr"
"""
SEARCH = "/api/3/action/package_search"


def test_the_worker_harvests_by_itself_and_when_an_operator_wants_it(tmp_path: Path, web_server: WebServer) -> None:
    web_server.answers[SEARCH] = Answer(payloads.found([payloads.package(1)]))
    text = FILE.format(url=web_server.url)
    with running(tmp_path, {"nebenan": text, "air": PUSH_FEED}, allowed_hosts="127.0.0.1") as hub:
        hub.wait(lambda: bool(hub.catalog.tallies("nebenan")))
        hub.wait(lambda: hub.catalog.feed("nebenan").last_success_time is not None)
        state = hub.catalog.feed("nebenan")
        assert (state.source, state.title, state.error, state.counts.stored) == ("harvest", "Stadt Nebenan", None, 1)
        assert state.next_run_time is not None
        assert hub.catalog.entry("paket-1")
        web_server.answers[SEARCH] = Answer(payloads.found([payloads.package(1), payloads.package(2)]))
        hub.catalog.note_feed("nebenan", paused=True)
        hub.wait(lambda: not hub.catalog.feed("nebenan").connected)
        hub.catalog.note_feed("nebenan", paused=False, wanted_run=state.next_run_time)
        hub.wait(lambda: len(hub.catalog.tallies("nebenan")) == 2)
        assert [one.outcome for one in hub.catalog.outcomes(hub.catalog.tallies("nebenan")[0].run)] == [Outcome.UNCHANGED, Outcome.CREATED]
        hub.wait(lambda: hub.catalog.runs("nebenan")[0].ended is not None)
        assert hub.catalog.runs("nebenan")[0].counts.balanced
        (hub.settings.feeds / "nebenan.toml").write_text("id = 7")
        hub.wait(lambda: bool(hub.catalog.feed("nebenan").wrong))
        (hub.settings.feeds / "nebenan.toml").write_text(text.replace("title = ", "titel = "))
        hub.wait(lambda: "did you mean title" in (hub.catalog.feed("nebenan").wrong or ""))
        (hub.settings.feeds / "land.toml").write_text(LAND)
        hub.wait(lambda: "there is no mapping 'open-nwr'" in (hub.catalog.feed("land").wrong or ""))
        (hub.settings.feeds / "nebenan.toml").unlink()
        hub.wait(lambda: "nebenan" not in {one.feed for one in hub.catalog.feeds()})
        assert hub.catalog.entry("paket-2")
    with running(tmp_path, {"nebenan": text}, allowed_hosts="127.0.0.1") as hub:
        hub.wait(lambda: len(hub.catalog.tallies("nebenan")) == 3)
        assert hub.catalog.tallies("nebenan")[0].unchanged == 2
        hub.wait(lambda: hub.catalog.feed("nebenan").last_success_time is not None)
    with running(tmp_path, {"nebenan": text}, allowed_hosts="127.0.0.1") as hub:
        hub.wait(lambda: hub.catalog.feed("nebenan").connected)
        due = hub.catalog.feed("nebenan").next_run_time
        last = hub.catalog.feed("nebenan").last_success_time
        assert due is not None
        assert last is not None
        assert due > last  # a start is no reason to ask again
        assert len(hub.catalog.tallies("nebenan")) == 3


def test_a_kill_in_the_middle_loses_nothing_and_doubles_nothing(tmp_path: Path, web_server: WebServer) -> None:
    packages = [payloads.package(number) for number in range(4)]
    asked, killed = threading.Event(), threading.Event()

    def answer(request: Asked) -> Answer:
        if "start=0" in request.path:
            return Answer(payloads.found(packages[:2], 4))
        asked.set()
        if not killed.is_set():
            killed.wait(60)
            return Answer(b"", 503)
        return Answer(payloads.found(packages[2:], 4))

    web_server.answers[SEARCH] = answer
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "nebenan.toml").write_text(FILE.format(url=web_server.url) + "page_size = 2\n")
    environment = {"PATH": "", "STADTHUB_DATA_DIR": str(tmp_path), "STADTHUB_ALLOWED_HOSTS": "127.0.0.1", "STADTHUB_MIN_FREE_MB": "0"}
    process = subprocess.Popen([sys.executable, "-m", "stadthub_pipelines"], env=environment, stdout=subprocess.DEVNULL)
    try:
        assert asked.wait(60)
    finally:
        process.kill()
        process.wait()
        killed.set()
    with running(tmp_path, {}, allowed_hosts="127.0.0.1") as hub:
        hub.wait(lambda: bool(hub.catalog.tallies("nebenan")))
        tally = hub.catalog.tallies("nebenan")[0]
        assert (tally.unchanged, tally.created, tally.before, tally.after) == (2, 2, 2, 4)
        assert len(hub.catalog.entries()) == 4
        hub.wait(lambda: hub.catalog.runs("nebenan")[0].ended is not None)
        assert [one.error for one in hub.catalog.runs("nebenan")] == [None, "it was cut off when its process ended"]
