"""What a person at the terminal sees: names, lines on stderr, and why a command ended before its work was done."""

import sys
from typing import Final

PROGRAM: Final = "calendly-mcp"
DISTRIBUTION: Final = "calendly-mcp-server"


class UsageError(Exception):
    """It was asked for wrongly: the command line, a setting or a file of settings. Exit status 2."""


class CommandError(Exception):
    """It cannot be done: an address is taken, Calendly refuses. Exit status 1."""


def say(line: str) -> None:
    """Write a line to stderr, at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
