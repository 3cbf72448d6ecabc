"""What a person at the terminal reads, and why a command ended before its work was done."""

import errno
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from socket import gaierror
from typing import Final

PROGRAM: Final = "calendly-mcp"
DISTRIBUTION: Final = "calendly-mcp-server"

_LONGEST: Final = 60


class UsageError(Exception):
    """The command line, a setting or the file of settings is wrong. Exit status 2."""


class CommandError(Exception):
    """The command cannot do its work: an address is taken, Calendly refuses. Exit status 1."""


def say(line: str) -> None:
    """Write a line about the work to stderr, at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def show(line: str, end: str = "\n") -> None:
    """Write a line of the result to stdout, at once."""
    sys.stdout.write(f"{line}{end}")
    sys.stdout.flush()


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows of text as a table, one row a line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the question whether the most similar name was meant; empty if none is similar."""
    bare = {each.lstrip("-"): each for each in known}  # by their dashes short flags are alike
    close = get_close_matches(name.lstrip("-"), bare, n=1)
    return f"did you mean {bare[close[0]]}?" if close else ""


@contextmanager
def reporting(*faults: type[Exception]) -> Generator[None]:
    """Turn exceptions whose message is a sentence for a person into CommandError."""
    try:
        yield
    except faults as fault:
        raise CommandError(str(fault)) from None


def exposed(file: Path) -> str:
    """Return the sentence about a secret in a file that others can read."""
    return f"others on this machine can read {file}: chmod 600 {file}"


def cannot_listen(host: str, port: int, fault: OSError | UnicodeError, flag: str = "--port") -> CommandError:
    """Return the error that nothing can listen at an address, with what to do; `flag` sets the port."""
    if isinstance(fault, gaierror | UnicodeError) or fault.errno == errno.EADDRNOTAVAIL:  # UnicodeError: no name at all
        reason = "this machine has no such address; --host 127.0.0.1 is for programs on it, 0.0.0.0 for others too."
        return CommandError(f"cannot listen on {host[:_LONGEST]} port {port}: {reason}")
    if fault.errno == errno.EADDRINUSE:
        remedy = f"; {flag} names another port, and {flag} 0 takes any free one."
    elif fault.errno == errno.EACCES:
        remedy = f"; {flag} names a port that needs no privilege, such as one above 1023."
    else:
        remedy = "."
    return CommandError(f"cannot listen on {host} port {port}: {fault.strerror}{remedy}")
