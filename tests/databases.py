"""Real databases for tests: a SQLite file, and a PostgreSQL server that is started once a session on a socket of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

#: The account that PostgreSQL wants where the tests run as root: it refuses to be root itself.
_ACCOUNT = "postgres"


def _program(name: str) -> str:
    """The path of one of PostgreSQL's programs, or a skipped test that says what to install."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    found = shutil.which(name, path=os.pathsep.join([*map(str, reversed(newest)), os.environ.get("PATH", "")]))
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install postgresql")
    return found


def _run(*command: str) -> None:
    """Run one of PostgreSQL's programs as an account that it accepts."""
    account = ["runuser", "-u", _ACCOUNT, "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*account, *command], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr + done.stdout


@contextmanager
def running_postgresql(*options: str) -> Iterator[str]:
    """The address of the first database of a PostgreSQL server of its own, started with these settings."""
    initdb, control = _program("initdb"), _program("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="stadthub-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _ACCOUNT, _ACCOUNT)
    data = str(folder / "data")
    try:
        _run(initdb, "-D", data, "-U", _ACCOUNT, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        words = " ".join(f"-c {option}" for option in ("listen_addresses=''", f"unix_socket_directories={folder}", *options))
        _run(control, "-D", data, "-o", words, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql://{_ACCOUNT}@/postgres?host={folder}"
        finally:
            _run(control, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL server's first database."""
    with running_postgresql("fsync=off", "max_connections=200") as address:
        yield address


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    name = f"test_{uuid4().hex}"
    engine = create_engine(postgresql_server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield postgresql_server.replace("/postgres?", f"/{name}?")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        engine.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that is not there yet, in a folder that is not there either."""
    return f"sqlite:///{tmp_path / 'state' / 'state.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database: each test runs on both kinds."""
    return str(request.getfixturevalue(f"{request.param}_url"))
