"""One endpoint of Calendly as data: method, path template, and the facts that decide how it is called."""

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
    """An endpoint, identified by its method and path.

    Attributes:
        method: The HTTP method.
        path: The path template, such as `/scheduled_events/{scheduled_event}/cancellation`.
        is_booking: Whether Calendly's rate limits for bookings apply as well.
        is_cacheable: Whether an answer may serve the account again for a few seconds, until it writes.
        parameters: The names in the path, in order.
    """

    method: Method
    path: str
    is_booking: bool = field(default=False, kw_only=True, repr=False, compare=False)
    is_cacheable: bool = field(default=False, kw_only=True, repr=False, compare=False)
    parameters: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the parameters from the path."""
        object.__setattr__(self, "parameters", tuple(_PARAMETER.findall(self.path)))

    def fill(self, ids: Mapping[str, str]) -> str:
        """Return the path with its identifiers, each percent-encoded as one segment (RFC 3986, 3.3).

        Raises:
            ValueError: A name is missing or unknown, or a value is empty or a dot segment. Identifiers
                are checked before, so this is a programming error.
        """
        if set(ids) != set(self.parameters):
            raise ValueError(f"{self} takes {list(self.parameters)}, not {sorted(ids)}.")
        if any(value in {"", ".", ".."} for value in ids.values()):
            raise ValueError(f"{self} takes identifiers, neither empty nor a dot segment.")
        return _PARAMETER.sub(lambda found: quote(ids[found[1]], safe=""), self.path)

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path}"
