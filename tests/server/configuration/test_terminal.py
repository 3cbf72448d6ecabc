"""What a person at the terminal reads."""

import errno
import os

import pytest

from server.configuration.terminal import cannot_listen


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (errno.EADDRINUSE, "; --port names another port, and --port 0 takes any free one."),
        (errno.EACCES, "; --port names a port that needs no privilege, such as one above 1023."),
        (errno.EADDRNOTAVAIL, "."),
    ],
)
def test_an_address_at_which_nothing_can_listen_comes_with_what_to_do(fault: int, words: str) -> None:
    told = cannot_listen("127.0.0.1", 80, OSError(fault, os.strerror(fault)))
    assert str(told) == f"cannot listen on 127.0.0.1 port 80: {os.strerror(fault)}{words}"
