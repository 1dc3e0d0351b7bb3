"""Structured logs on standard output: one line for each request and for each attempt to send, ids only."""

import logging
import sys
from collections.abc import Callable

import orjson
import structlog
from structlog.typing import Processor, WrappedLogger

# Loggers of libraries that would say what we say better, or show what must not be shown.
_QUIET = {
    "connexion": logging.ERROR,
    "uvicorn": logging.WARNING,
    "sqlalchemy": logging.ERROR,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "limits": logging.ERROR,
    "twilio": logging.ERROR,
    "aiohttp": logging.ERROR,
    "vonage": logging.ERROR,
    "opentelemetry": logging.ERROR,
}


def configure_logs(*, level: str, form: str) -> None:
    """`form` is `json` or `console`. Our own lines are written straight away; libraries' come by way of `logging`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    last: list[Processor] = [console]
    factory: Callable[..., WrappedLogger] = structlog.PrintLoggerFactory(sys.stdout)
    foreign = last
    if form == "json":
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=orjson.dumps)]
        factory = structlog.BytesLoggerFactory(sys.stdout.buffer)
        foreign = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=factory,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *foreign],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
