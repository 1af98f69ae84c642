"""`stadthub up`: the hub as processes, the api in this one and the worker as its child. Nothing is imported here that the first answer
does not need: the worker's half has a process, and each other command a file of its own."""

import contextlib
import functools
import signal
import socket
from collections.abc import Iterator

import uvicorn
from uvicorn.supervisors import Multiprocess

from stadthub_api.child import Child
from stadthub_api.cli.hub import ConfigOption, DataDirOption, HostOption, PortOption, address_note, as_environment, said
from stadthub_api.cli.output import say
from stadthub_api.serving import UVICORN, serve_with
from stadthub_pipelines.running import HUB, held
from stadthub_schemas.errors import SettingsError
from stadthub_schemas.settings import Settings

#: How many connections may wait to be taken.
BACKLOG = 2048
#: How long answers that are being sent may take at the end, in seconds.
GRACEFUL = 3


def up(config: ConfigOption = None, data_dir: DataDirOption = None, host: HostOption = None, port: PortOption = None) -> None:
    """Start the hub: take data in, serve portal and APIs, until ctrl-C.

    [bold]Examples[/bold]

    stadthub up

    stadthub up --data-dir /srv/stadthub --host 0.0.0.0 --port 8080
    """
    settings = said(config, data_dir=data_dir, host=host, port=port)
    with as_the_only_one(settings):
        serve(settings, listen(settings))


def serve(settings: Settings, listening: socket.socket) -> None:
    """Both halves of the hub until ctrl-C or SIGTERM; a second ctrl-C ends it at once."""
    ours = {**UVICORN, "timeout_graceful_shutdown": GRACEFUL}
    configuration = uvicorn.Config(functools.partial(serve_with, settings), factory=True, workers=settings.api_workers, **ours)
    server = uvicorn.Server(configuration)
    child = Child("stadthub_pipelines", as_environment(settings.model_copy(update={"worker": ""})))
    child.start()
    say(f"{settings.site_title}: {settings.url}   (data in {settings.data_dir}, ctrl-C stops)")
    try:
        # uvicorn sends itself the signal again when it has closed everything; a KeyboardInterrupt then leads to the end below.
        with _sigterm_is_ctrl_c(), contextlib.suppress(KeyboardInterrupt):
            if settings.api_workers > 1:
                Multiprocess(configuration, sockets=[listening]).run()
            else:
                server.run(sockets=[listening])
    finally:
        listening.close()
        if server.force_exit:
            child.kill()
        else:
            child.stop()
        say("Stopped. All that was acknowledged is kept.")


@contextlib.contextmanager
def as_the_only_one(settings: Settings) -> Iterator[None]:
    """No second hub on this data_dir as long as the block runs."""
    with held(settings.data_dir, HUB, f"a hub runs on {settings.data_dir} at {settings.url}", address_note(settings)):
        yield


def listen(settings: Settings) -> socket.socket:
    """The socket of the api; SettingsError if the port is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no address"
        raise SettingsError(
            f"Can't listen on {settings.host} port {settings.port}: {reason}; choose another with --port or STADTHUB_PORT"
        ) from error


@contextlib.contextmanager
def _sigterm_is_ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
