"""A hub as a user runs it: its processes, and questions to it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "ingest", "lake", "catalog", "pipelines", "api")
#: How long anything may take on a busy machine, in seconds.
PATIENCE = 90.0


def environment(**variables: str) -> dict[str, str]:
    """This environment without settings of any hub, with the rooms of this checkout."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("STADTHUB_")}
    return others | {"PYTHONPATH": os.pathsep.join(str(ROOT / room) for room in ROOMS), "TERM": "dumb"} | variables


def start(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    """`stadthub` with these arguments, as a process of its own."""
    command = [sys.executable, "-m", "stadthub_api.cli", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(address: str) -> Any:
    """The JSON at this address; None where nothing, or an error, answers."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def until(answer: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    """The first answer that is something; fails when the process ends before, or takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = answer()
        if found:
            return found
        if process.poll() is not None:
            raise AssertionError(f"it ended with {process.returncode}: {process.communicate()[0][-3000:]}")
        time.sleep(0.1)
    raise AssertionError("it took too long")
