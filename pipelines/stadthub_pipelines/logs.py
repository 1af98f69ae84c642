"""How log lines look: for eyes on a console, or as one JSON object a line. Set once, at the top of a process."""

import logging
import sys
from typing import Any

import orjson
import structlog

from stadthub_schemas.settings import Settings

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(settings: Settings) -> None:
    """Let every log line of this process look as the settings say."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    logger: Any
    if settings.log_format == "json":
        shared.append(structlog.processors.JSONRenderer(serializer=_json))
        logger = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        shared.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback))
        logger = structlog.WriteLoggerFactory(sys.stderr)
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.log_level]),
        logger_factory=logger,
        cache_logger_on_first_use=True,
    )


def _json(line: dict[str, Any], **_: Any) -> bytes:
    return orjson.dumps(line, default=str)
