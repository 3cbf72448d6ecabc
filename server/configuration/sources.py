"""Which commands there are for settings, and where a setting comes from."""

from dataclasses import dataclass
from typing import Final, Literal

Command = Literal["stdio", "http", "sandbox", "whoami", "doctor", "login", "logout", "token", "access", "keys", "audit"]

SERVING: Final = frozenset({"stdio", "http"})
PICKING: Final = SERVING | {"access"}
TRYING: Final = SERVING | {"doctor"}
_SIGNING_IN: Final = frozenset({"login", "logout", "whoami", "doctor"})
CALLING: Final = SERVING | _SIGNING_IN
LISTENING: Final = frozenset({"http", "sandbox"})
HTTP: Final = frozenset({"http"})
OPERATING: Final = HTTP | {"token"}
KEEPING: Final = OPERATING | {"keys", "audit"}
STORING: Final = KEEPING | {"stdio", "access", "doctor"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a setting comes from.

    Attributes:
        variable: The environment variable, and the name in the file; None where there is only a flag.
        flag: The flag, None where there is none.
        commands: The commands that take the flag.
        help: What `--help` says.
        secret: It may also stand in a file, which the variable with `_FILE` at its end names.
    """

    variable: str | None
    flag: str | None = None
    commands: frozenset[str] = frozenset()
    help: str = ""
    secret: bool = False
