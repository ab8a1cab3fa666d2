"""Logs: JSON lines through structlog and orjson, on standard error.

Invariant: no message text, token, secret or address is ever logged; fields are ids, codes, counts and durations.
A line that cannot be written is lost, and nothing else.
"""

import logging
import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import orjson
import structlog

# A library's message may quote a peer: only who spoke and how loud is kept.
_LIBRARY_LINE = '{"level":"%(levelname)s","logger":"%(name)s"}'
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def start_logging(process: str, level: str) -> None:
    """Send this process's logs, ours and the libraries' warnings, to standard error, one JSON object a line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_peer_text,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, _Standing())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format='{"level":"%(levelname)s","logger":"%(name)s"}'
    )


class _Standing:
    """Standard error, without a buffer; a log on a full disk loses lines and never ends the process that wrote them."""

    def write(self, line: str) -> None:
        with suppress(OSError):
            os.write(2, line.encode())

    def flush(self) -> None:
        """Nothing is held back."""


def _dumps(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _without_peer_text(_logger: Any, _name: str, event: Any) -> Any:
    # A library's exception may quote what a peer sent; its type and our own frames say enough.
    trace = event.get("exception")
    if isinstance(trace, str):
        event["exception"] = "\n".join(line for line in trace.splitlines() if line.startswith(("  File", "Traceback")))
    return event
