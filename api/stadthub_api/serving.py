"""How uvicorn is to serve the app: the access log is ours, and nothing tells which server answers."""

from typing import Any

UVICORN: dict[str, Any] = {
    "access_log": False,
    "server_header": False,
    "date_header": True,
    "timeout_graceful_shutdown": 5,
    "log_config": None,
}
