"""Processes that tests kill: commands and workers that start quickly, since they are forked off one that has everything imported."""

import contextlib
import multiprocessing
import os
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

from stadthub_api.cli.app import app
from stadthub_pipelines.__main__ import work
from stadthub_pipelines.errands import run_errand
from stadthub_schemas.settings import Settings
from tests.exchange.hubs import harvest_of, home

#: How long anything may take on a busy machine, in seconds.
PATIENCE = 60.0

_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["tests.faults.children"])


def command(folder: Path, *words: str) -> BaseProcess:
    """`stadthub` with these words in this folder; what it says is in `said.txt` there."""
    return forked(_command, folder, words)


def worker(settings: Settings) -> BaseProcess:
    """A worker of this hub."""
    return forked(work, settings)


def harvest(folder: Path, database: str, url: str, more: str) -> None:
    """Run a harvest once."""
    with home(folder, database) as hub:
        run_errand(harvest_of(url, more=more), hub.ground)


def ended(process: BaseProcess, seconds: float = PATIENCE) -> float:
    """How long it took until the process ended well."""
    began = time.monotonic()
    process.join(seconds)
    assert process.exitcode == 0, f"it ended with {process.exitcode}"
    process.close()
    return time.monotonic() - began


def killed(process: BaseProcess, seconds: float) -> bool:
    """Kill the process after so many seconds, as `kill -9` does; whether it was still at work."""
    process.join(seconds)
    was_at_work = process.exitcode is None
    process.kill()
    process.join(PATIENCE)
    process.close()
    return was_at_work


def forked(target: object, *arguments: object) -> BaseProcess:
    """This function in a process of its own."""
    process = _FORKED.Process(target=target, args=arguments)  # type: ignore[arg-type]
    process.start()
    return process


def _command(folder: Path, words: tuple[str, ...]) -> None:
    os.chdir(folder)
    with (folder / "said.txt").open("w", encoding="utf-8") as said, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        app(list(words), prog_name="stadthub")
