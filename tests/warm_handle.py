"""Has a warm process run a Python program, and stands for it: python -I -S warm_handle.py SOCKET ARGUMENT ..."""

import _socket
import marshal
import os
import signal
import sys
from contextlib import suppress


def main(address: str, *arguments: str) -> int:
    """Have it run. Returns its status, as waitpid has it."""
    held, _ours = os.pipe()  # the process is killed when the other end is closed, as it is when this one is killed
    here = os.open(".", os.O_RDONLY)
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    connection.connect(address)
    files = b"".join(file.to_bytes(4, sys.byteorder) for file in (0, 1, 2, here, held))
    told = marshal.dumps((arguments, dict(os.environ)))
    connection.sendmsg([told], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    nothing = os.open(os.devnull, os.O_RDWR)
    for file in (0, 1, 2):  # so that their other ends see it close them
        os.dup2(nothing, file)
    process = int(connection.recv(100))

    def pass_on(number: int, _: object) -> None:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(process, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    return int(connection.recv(100))


code = os.waitstatus_to_exitcode(main(*sys.argv[1:]))
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
