"""The wheel in an empty environment: everything is inside, and the demo city runs from it."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest
from tests.cli.running import free_port

ROOT = Path(__file__).parents[2]
UV = importlib.util.find_spec("uv") is not None
PATIENCE = 120.0


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"}  # uv trusts what the machine trusts
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built out of the source archive: so that archive has all it needs, too."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        r"stadthub_api/portal/static/built/manifest\.json",
        r"stadthub_api/portal/static/built/map-.*\.js",
        r"stadthub_api/portal/templates/.*\.html",
        r"stadthub_api/portal/translations/en/LC_MESSAGES/.*\.po",
        r"stadthub_api/demo/feeds/.*\.toml",
        r"stadthub_catalog/migrations/versions/0001_.*\.py",
        r"stadthub_ingest/decoders/csv_table\.py",
        r"stadthub_schemas/py\.typed",
        r".*dist-info/licenses/LICENSE",
    ):
        assert any(re.fullmatch(wanted, name) for name in names), wanted
    assert not [name for name in names if re.search(r"node_modules|(^|/)tests/|frontend/|\.pyc$", name)]


@pytest.mark.timeout(900)
def test_the_demo_runs_from_the_wheel_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "environment" / "bin" / "python"
    if UV:
        _run(sys.executable, "-m", "uv", "venv", "--python", sys.executable, str(python.parents[1]))
        _run(sys.executable, "-m", "uv", "pip", "install", "--python", str(python), str(wheel))
    else:
        _run(sys.executable, "-m", "venv", str(python.parents[1]))
        _run(str(python), "-m", "pip", "install", "--quiet", str(wheel))
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("STADTHUB_")}
    hub = subprocess.Popen(
        [str(python.with_name("stadthub")), "demo", "--port", str(port)], cwd=tmp_path, env=clean, stderr=subprocess.PIPE, text=True
    )
    try:
        page, latest = _wait_for(f"http://127.0.0.1:{port}", hub)
        (style,) = re.findall(r'href="(/static/built/style-[^"]+\.css)"', page)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{style}", timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("text/css")
        assert latest
        hub.send_signal(signal.SIGINT)
        said = hub.communicate(timeout=40)[1]
        assert hub.returncode == 0, said
    finally:
        hub.kill()
        hub.communicate()


def _wait_for(address: str, hub: subprocess.Popen[str]) -> tuple[str, object]:
    """The home page and the newest values, as soon as there are any."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and hub.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/", timeout=10) as home:
                page = home.read().decode()
            with urllib.request.urlopen(f"{address}/api/v1/datasets/luftqualitaet/latest", timeout=10) as answer:
                latest = json.load(answer)
            if latest:
                return page, latest
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError("no live value came in time")
