"""How uvicorn is to serve the app: the access log is ours, and nothing tells which server answers."""

from typing import Any

from fastapi import FastAPI

from stadthub_api.app import create_app
from stadthub_pipelines.logs import configure
from stadthub_pipelines.running import without_dumps
from stadthub_schemas.settings import Settings, load_settings

UVICORN: dict[str, Any] = {
    "access_log": False,
    "server_header": False,
    "date_header": True,
    "timeout_graceful_shutdown": 5,
    # A process that is still starting on a busy machine must not be taken for a dead one.
    "timeout_worker_healthcheck": 60,
    "log_config": None,
}


def serve_with(settings: Settings) -> FastAPI:
    """The app of a process that serves nothing else: its log looks as the settings say."""
    configure(settings)
    without_dumps()
    return create_app(settings)


def serve_from_environment() -> FastAPI:
    """The same with settings from the environment, for `uvicorn --factory stadthub_api.serving:serve_from_environment`."""
    return serve_with(load_settings())
