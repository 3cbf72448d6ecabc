"""One Calendly operation as data: a method and a path template whose identifiers can never leave their segment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from re import compile as pattern
from typing import Final, Literal
from urllib.parse import quote

from typing_extensions import override

Method = Literal["GET", "POST", "PATCH", "DELETE"]

_PARAMETER: Final = pattern(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method and a path template such as `/scheduled_events/{scheduled_event}/cancellation`."""

    method: Method
    path: str
    parameters: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the parameters' names out of the template, in order."""
        object.__setattr__(self, "parameters", tuple(_PARAMETER.findall(self.path)))

    def fill(self, ids: Mapping[str, str]) -> str:
        """Return the path with every identifier in its place, percent-encoded as one segment (RFC 3986, 3.3).

        Raises:
            ValueError: A name is missing or foreign, or a value is empty or a dot segment. Identifiers are checked
                before they come here, so this is a programming error.
        """
        if set(ids) != set(self.parameters):
            raise ValueError(f"{self} takes {list(self.parameters)}, not {sorted(ids)}.")
        if any(value in {"", ".", ".."} for value in ids.values()):
            raise ValueError(f"{self} takes identifiers, neither empty nor a dot segment.")
        return _PARAMETER.sub(lambda found: quote(ids[found[1]], safe=""), self.path)

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path}"
