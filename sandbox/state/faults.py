"""Things that go wrong on request: what to do to which call, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Moment = Literal["before", "after"]


@dataclass
class Fault:
    """What happens to the next calls that match.

    `path` is exact, save that a segment `*` stands for any one segment. `delay` holds the call up first, and it
    goes on even if the caller has left. Then a
    `status` is answered, or the connection is closed without an answer: `before` the call acts, so that it never does,
    or `after` it acted.
    """

    method: str | None
    path: str | None
    status: int | None = None
    drop: bool = False
    moment: Moment = "before"
    delay: float = 0
    times: int = 1
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def ends_call(self) -> bool:
        """Say whether it stands in for the answer."""
        return self.drop or self.status is not None

    def matches(self, method: str, path: str) -> bool:
        """Say whether a call is meant."""
        return self.method in {None, method} and (self.path is None or _matches(self.path, path))


def _matches(pattern: str, path: str) -> bool:
    wanted, segments = pattern.split("/"), path.split("/")
    return len(wanted) == len(segments) and all(
        want in {"*", segment} for want, segment in zip(wanted, segments, strict=True)
    )


class Faults:
    """The faults not used up, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Ask for a fault."""
        self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Use up one turn of the first fault that matches."""
        fault = next((one for one in self._waiting if one.matches(method, path)), None)
        if fault is not None:
            fault.times -= 1
            if fault.times == 0:
                self._waiting.remove(fault)
        return fault
