"""The worker as a process of its own: `python -m stadthub_pipelines`. It ends by SIGTERM, by ctrl-C, or with its parent."""

import gc
import os
import signal
import sys
import threading
from types import FrameType

from stadthub_pipelines.logs import configure
from stadthub_pipelines.running import WITH_PARENT, held, without_dumps, worker_file
from stadthub_pipelines.worker import Worker
from stadthub_schemas.errors import StadthubError
from stadthub_schemas.settings import Settings, load_settings

#: After how many new objects the collector of cycles looks.
COLLECT_AFTER = 20_000
#: After how many seconds a thread of the interpreter gives way to another one that waits.
GIVE_WAY = 0.0005
#: How long a worker without a parent may take to commit what it has, in seconds.
GRACE = 20.0


def work(settings: Settings) -> None:
    """Run all feeds until told to stop. Conflict if a worker of this name runs on this data_dir already."""
    words = f"a worker {settings.worker} runs on this data_dir" if settings.worker else "a worker runs on this data_dir"
    with held(settings.data_dir, worker_file(settings.worker), words):
        worker = Worker(settings)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            # The second signal ends it at once: what is acknowledged is on disk in any case.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            threading.Thread(target=worker.stop, name="stop").start()

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        worker.run()


def _end_with_parent() -> None:
    """Wait for the end of the pipe from the parent, then stop as if told so; if that takes too long, end."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    ended = threading.Timer(GRACE, os._exit, (1,))
    ended.daemon = True
    ended.start()


def _tune() -> None:
    """Let the collector of cycles look seldom: messages and rows have none, and looking at them took a fifth of the time. And let the
    threads of a feed that floods give way soon: another feed's message takes many turns of the interpreter until it is stored."""
    sys.setswitchinterval(GIVE_WAY)
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)


def main() -> None:
    """Run the worker with the settings of the environment; a mistake is a sentence and exit code 1."""
    if WITH_PARENT in sys.argv[1:]:
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        settings = load_settings()
        configure(settings)
        without_dumps()
        _tune()
        work(settings)
    except StadthubError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
