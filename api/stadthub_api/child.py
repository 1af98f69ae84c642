"""A child process that is started again when it dies, and ends when we do, however we do."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

import structlog

from stadthub_pipelines.running import WITH_PARENT

log = structlog.get_logger()

#: The first and the longest pause before a new start, in seconds; a child that lived long enough begins with the first again.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
LONG_ENOUGH = 60.0
#: How long a child may take to commit and end, in seconds.
PATIENCE = 10.0


class Child:
    """One module run as a program of its own. The pipe to it closes when we end, even by kill -9, and it ends by that."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-m", module, WITH_PARENT]
        self._environment = dict(environment)
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name=f"keeper of {module}", daemon=True)

    def start(self) -> None:
        """Start it, and again whenever it dies."""
        self._process = self._spawn()
        self._keeper.start()

    def stop(self) -> None:
        """Let it end in order; ctrl-C meanwhile, or too long a time, ends it at once."""
        self._ending.set()
        process = self._process
        if process is not None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                process.wait(PATIENCE)
            self.kill()

    def kill(self) -> None:
        """End it at once: what it acknowledged is on disk, the rest is sent again."""
        self._ending.set()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._keeper.join()

    def _spawn(self) -> subprocess.Popen[bytes]:
        # A session of its own: ctrl-C reaches us alone, and we end it in order.
        return subprocess.Popen(self._command, env=self._environment, stdin=subprocess.PIPE, start_new_session=True)

    def _keep(self) -> None:
        pause = FIRST_PAUSE
        while self._process is not None:
            started = time.monotonic()
            code = self._process.wait()
            if self._ending.is_set():
                return
            pause = FIRST_PAUSE if time.monotonic() - started > LONG_ENOUGH else min(pause * 2, LONGEST_PAUSE)
            log.warning("the worker ended, it is started again", exit_code=code, seconds=pause)
            if self._ending.wait(pause):
                return
            self._process = self._spawn()
