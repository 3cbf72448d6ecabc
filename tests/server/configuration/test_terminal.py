"""What a person at the terminal reads."""

import errno
import socket
from collections.abc import Mapping
from typing import Final

from server.configuration.terminal import cannot_listen

_NONE = "this machine has no such address; --host 127.0.0.1 is for programs on it, 0.0.0.0 for others too."
FAULTS: Final[Mapping[OSError | UnicodeError, str]] = {
    OSError(errno.EADDRINUSE, "taken"): "taken; --port names another port, and --port 0 takes any free one.",
    OSError(errno.EACCES, "denied"): "denied; --port names a port that needs no privilege, such as one above 1023.",
    OSError(errno.ENOBUFS, "full"): "full.",
    OSError(errno.EADDRNOTAVAIL, "not here"): _NONE,
    socket.gaierror(socket.EAI_NONAME, "not known"): _NONE,
    UnicodeError("label empty or too long"): _NONE,
}


def test_an_address_at_which_nothing_can_listen_comes_with_what_to_do() -> None:
    for fault, words in FAULTS.items():
        assert str(cannot_listen("127.0.0.1", 80, fault)) == f"cannot listen on 127.0.0.1 port 80: {words}"
