"""The worker as a process: `python -m stadthub_pipelines`, settings from the environment."""

import signal
import sys
from types import FrameType

from stadthub_pipelines.worker import Worker
from stadthub_schemas.errors import StadthubError
from stadthub_schemas.settings import load_settings


def main() -> int:
    """Run the worker until it is told to stop; 1 when it can't start."""
    try:
        worker = Worker(load_settings())
    except StadthubError as error:
        sys.stderr.write(f"{error}\n")
        return 1

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    worker.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
