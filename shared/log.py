"""structlog: JSON lines for machines, colours for a terminal."""

import io
import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from shared.settings import Settings
from shared.visible import visible


def configure(settings: Settings, service: str) -> None:
    """Send all logging, the libraries' too, to standard error with time, level and service."""
    as_json = settings.log_json if settings.log_json is not None else not sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Never the variables of a traceback: they hold whole records, and a record may hold a maker's name.
    bare = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    render: list[Processor] = (
        [bare, structlog.processors.JSONRenderer()]
        if as_json
        else [_visible, structlog.dev.ConsoleRenderer(pad_event_to=24, exception_formatter=_traceback)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("aiokafka", "faststream", "pymongo", "uvicorn.access", "asyncio", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def _visible(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:  # noqa: ARG001 - a processor's own
    """Values that are no text are shown by their repr, which escapes by itself."""
    return {name: visible(value) if isinstance(value, str) else value for name, value in event.items()}


def _traceback(target: TextIO, fault: ExcInfo) -> None:
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, fault)
    target.write(visible(plain.getvalue(), keep="\n"))
