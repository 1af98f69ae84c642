"""Hubs with nothing in them, served over real sockets, and the command line of ckanapi that talks to them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from stadthub_api.app import create_app
from stadthub_catalog import Catalog
from stadthub_schemas.access import Role
from stadthub_schemas.settings import Settings
from tests.api.city import served
from tests.servers import free_port


@dataclass(frozen=True)
class Empty:
    """Where the hub is, and a token of its administrator."""

    address: str
    token: str


@contextmanager
def empty(folder: Path) -> Iterator[Empty]:
    """A served hub in which nothing was written yet, and which knows its address."""
    folder.mkdir(exist_ok=True)
    database = f"sqlite:///{folder / 'state.sqlite'}"
    catalog = Catalog(database)
    catalog.migrate()
    token = catalog.create_token("admin", Role.ADMIN)
    catalog.close()
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    settings = Settings(data_dir=folder, database_url=SecretStr(database), site_url=site, site_title="Daten Musterstadt")
    with served(create_app(settings), port) as address:
        yield Empty(address, token)


def ckanapi(hub: Empty, *arguments: str, said: Iterable[Mapping[str, Any]] = ()) -> list[Any]:
    """What ckanapi's command line prints, read line by line; `said` is its input. Its workers are started by the program's name."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        ["ckanapi", *arguments, "-r", hub.address, "-a", hub.token],
        input="".join(f"{json.dumps(one)}\n" for one in said),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n") if line]
