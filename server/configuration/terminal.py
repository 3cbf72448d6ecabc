"""What a person at the terminal sees: names, lines on stderr, and why a command ended before its work was done."""

import errno
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


def cannot_listen(host: str, port: int, fault: OSError, flag: str = "--port") -> CommandError:
    """Say that nothing can listen at an address, and what to do; `flag` sets its port."""
    if fault.errno == errno.EADDRINUSE:
        remedy = f"; {flag} names another port, and {flag} 0 takes any free one."
    elif fault.errno == errno.EACCES:
        remedy = f"; {flag} names a port that is free for everybody, such as one above 1023."
    else:
        remedy = "."
    return CommandError(f"cannot listen on {host} port {port}: {fault.strerror}{remedy}")
