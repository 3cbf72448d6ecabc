"""The log: one line an event on stderr, as text or JSON. No event has a token or an argument of a tool in it."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Final, Literal

from typing_extensions import override

_MINUTE: Final = 60.0
_OURS: Final = ("server", "tools", "auth", "calendly", "events", "storage", "sandbox")


class _Lines(logging.Formatter):
    """Formats an event as a line of text, with the time in UTC."""

    @override
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _JsonLines(_Lines):
    """Formats an event as a JSON object on one line."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in event.items() if value is not None})


class Seldom(logging.Filter):
    """Lets each warning of one text through once a minute, with how often it came meanwhile, as garbage does."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        now, (began, unsaid) = self._clock(), self._told.get(record.msg, (float("-inf"), 0))
        if now - began < _MINUTE:
            self._told[record.msg] = (began, unsaid + 1)
            return False
        self._told[record.msg] = (now, 0)
        if unsaid:
            record.msg, record.args = f"{record.getMessage()} ({unsaid} more since the last such line)", ()
        return True


def log_to_stderr(level: str, form: Literal["text", "json"]) -> None:
    """Log our own events from `level` on, but only warnings of other packages: they log addresses and bodies."""
    # No line shows these, and finding them out for each event takes time (Python's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines() if form == "json" else _Lines("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger("uvicorn.error").filters = [Seldom()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())
