"""The demo city as one thing that is started and stopped; all it keeps is under `demo` in the hub's data folder."""

import json
import logging
import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from stadthub_api.demo import city
from stadthub_api.demo.broker import HOST, Simulator
from stadthub_api.demo.counters import Counters
from stadthub_api.demo.parking import ParkingServer
from stadthub_api.demo.wlan import Controller, Vehicles, register
from stadthub_schemas.errors import StorageError
from stadthub_schemas.settings import Settings, make_data_dir

log = logging.getLogger(__name__)

#: The files of places: they are written once.
PLACES = {"stadtbezirke.geojson": city.districts, "baeume.geojson": city.trees, "haltestellen.geojson": city.stops}

#: What stands in the first line of each feed file that is ours.
OURS = "# Simulated demo city Musterstadt"


@dataclass(frozen=True, slots=True)
class Demo:
    """The running city. `allowed_hosts` must be among the hub's allowed hosts."""

    allowed_hosts: tuple[str, ...]
    mqtt_port: int
    parking_port: int
    parts: ExitStack

    def stop(self) -> None:
        """Stop everything; data and history stay."""
        self.parts.close()


def start(settings: Settings) -> Demo:
    """Start the city: broker, devices, counters and car parks run, and the feed files are there. A second start goes on where the
    first one ended."""
    folder = settings.data_dir.absolute() / "demo"
    try:
        make_data_dir(settings.data_dir.absolute())
        for path in (folder, settings.feeds):
            path.mkdir(parents=True, exist_ok=True)
        before = _ports(folder)
        ports = {name: _usable(before.get(name, 0)) for name in ("mqtt", "parking")}
        _put(folder / "ports.json", json.dumps(ports))
        for name, make in PLACES.items():
            if not (folder / name).exists():
                _put(folder / name, json.dumps(make(), ensure_ascii=False))
        if not (folder / "wlan-zugangspunkte.csv").exists():
            _put(folder / "wlan-zugangspunkte.csv", register())
        _write_feeds(settings.feeds, folder, before, ports)
        with ExitStack() as parts:
            files = (Counters(folder / "zaehlstellen"), Controller(folder / "wlan"), Vehicles(folder / "wlan-fahrzeuge"))
            for part in (Simulator(ports["mqtt"]), ParkingServer(ports["parking"]), *files):
                part.start()
                parts.callback(part.stop)
            return Demo((f"{HOST}:{ports['parking']}",), ports["mqtt"], ports["parking"], parts.pop_all())
    except OSError as error:
        raise StorageError(f"the demo city can't be written: {error.strerror}") from error


def _ports(folder: Path) -> dict[str, int]:
    """The ports of the last start."""
    try:
        found: dict[str, Any] = json.loads((folder / "ports.json").read_text("utf-8"))
        return {name: int(port) for name, port in found.items()}
    except (OSError, ValueError):
        return {}


def _usable(port: int) -> int:
    """This port if it is free, else another one."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(0, "no port is free")


def _write_feeds(feeds: Path, folder: Path, before: dict[str, int], ports: dict[str, int]) -> None:
    """Write the feed files that are not there; where a port is another one than last time, mend it."""
    for template in sorted(resources.files("stadthub_api.demo").joinpath("feeds").iterdir(), key=lambda one: one.name):
        if not template.name.endswith(".toml"):
            continue
        path = feeds / template.name
        if not path.exists():
            text = template.read_text("utf-8").replace("@FOLDER@", json.dumps(folder.as_posix(), ensure_ascii=False)[1:-1])
            _put(path, text.replace("@MQTT_PORT@", str(ports["mqtt"])).replace("@PARKING_PORT@", str(ports["parking"])))
        elif before != ports:
            old = path.read_text("utf-8")
            if old.startswith(OURS):
                _put(path, _with_ports(old, before, ports))


def _with_ports(text: str, before: dict[str, int], ports: dict[str, int]) -> str:
    """The feed file with the ports of this start."""
    for old, new in (
        (f"port = {before.get('mqtt')}\n", f"port = {ports['mqtt']}\n"),
        (f"http://{HOST}:{before.get('parking')}/", f"http://{HOST}:{ports['parking']}/"),
    ):
        text = text.replace(old, new)
    return text


def _put(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    hidden = path.with_name(f".{path.name}.tmp")
    with hidden.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)
