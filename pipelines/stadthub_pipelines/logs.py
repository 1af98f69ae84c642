"""How log lines look: for eyes on a console, or as one JSON object a line. Set once, at the top of a process."""

import logging
import sys
from contextlib import suppress
from typing import Any

import orjson
import structlog

from stadthub_schemas.settings import Settings

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class StandardError:
    """Writes lines to standard error. One that can't be written, since its reader is gone, is lost: the work goes on."""

    def msg(self, line: str) -> None:
        """Write the line."""
        with suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    log = debug = info = warning = error = critical = exception = msg


def configure(settings: Settings) -> None:
    """Let every log line of this process look as the settings say."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if settings.log_format == "json":
        shared.append(structlog.processors.JSONRenderer(serializer=_json))
    else:
        shared.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback))
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.log_level]),
        logger_factory=lambda *_: StandardError(),
        cache_logger_on_first_use=True,
    )


def _json(line: dict[str, Any], **_: Any) -> str:
    return orjson.dumps(line, default=str).decode()
