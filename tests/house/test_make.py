"""The scripts that make the environment: right shell, quick second run, sentences where something is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "deploy").glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_plain_posix_shell(script: Path) -> None:
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    assert script.read_text("utf-8").startswith("#!/bin/sh\n# ")


def test_ci_runs_make_test() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert "exec make test" in run.read_text("utf-8")


def test_make_alone_says_what_there_is() -> None:
    said = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "real", "lock", "format", "bench", "clean"):
        assert f"  {target} " in said


def test_too_old_a_python_is_told_in_a_sentence(tmp_path: Path) -> None:
    checkout = _checkout(tmp_path)
    old = tmp_path / "bin" / "python3"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    old.chmod(0o755)
    done = _make_environment(checkout, {"PYTHON": str(old)})
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert not (checkout / ".venv").exists()


def test_no_python_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = _make_environment(_checkout(tmp_path), {"PYTHON": "python-that-is-not-there"})
    assert done.returncode == 1
    assert "There is no python-that-is-not-there" in done.stderr


def _checkout(folder: Path) -> Path:
    checkout = folder / "checkout"
    (checkout / "deploy").mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml", "hatch_build.py", "deploy/environment.sh", "deploy/apt.sh"):
        shutil.copy(ROOT / name, checkout / name)
    return checkout


def _make_environment(checkout: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "deploy/environment.sh"], cwd=checkout, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("lock", ["requirements.lock", "api/frontend/package-lock.json"])
def test_a_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert "--hash=sha256:" in text or '"integrity"' in text
