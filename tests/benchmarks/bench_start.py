"""How soon a hub answers and how much memory it takes when nothing happens.

    python -m tests.benchmarks.bench_start [--rounds 3]

Starts `stadthub up` over an empty folder, waits for the first answer of /api/v1/datasets, lets it rest, and adds up the resident
memory of its processes. pandas, which is here for tests only, is hidden from it: pyarrow would load it (50 MB a process).
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.servers import free_port

REST = 10.0


def main() -> None:
    """Print seconds to the first answer and resident megabytes at rest, by round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    print(f"{'round':>5} {'first answer s':>15} {'idle memory MB':>15} (sum of RSS / of PSS)")
    for number in range(1, parser.parse_args().rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            seconds, resident, proportional = _round(Path(folder))
        print(f"{number:>5} {seconds:>15.2f} {resident:>7.0f}/{proportional:.0f}", flush=True)


def _round(folder: Path) -> tuple[float, float, float]:
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STADTHUB_")}
    (folder / "pandas.py").write_text("raise ModuleNotFoundError('pandas')\n")
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, sys.path)])
    command = [sys.executable, "-m", "stadthub_api.cli", "up", "--data-dir", str(folder / "data"), "--port", str(port)]
    started = time.perf_counter()
    hub = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/api/v1/datasets").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.02)
        seconds = time.perf_counter() - started
        time.sleep(REST)
        processes = [hub.pid, *_children(hub.pid)]
        return seconds, sum(_memory(one, "Rss") for one in processes), sum(_memory(one, "Pss") for one in processes)
    finally:
        hub.send_signal(signal.SIGINT)
        hub.wait(timeout=60)


def _children(process: int) -> list[int]:
    told = Path(f"/proc/{process}/task").glob("*/children")
    return [int(word) for one in told for word in one.read_text().split()]


def _memory(process: int, what: str) -> float:
    """Megabytes of a process (proc(5), smaps_rollup)."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1000
    return 0.0


if __name__ == "__main__":
    main()
