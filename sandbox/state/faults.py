"""Faults that a control asks for: what happens to which requests, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Moment = Literal["before", "after"]


@dataclass
class Fault:
    """What happens to the next requests that match.

    Attributes:
        method: The HTTP method; None matches all.
        path: The exact path, where a segment `*` matches any one segment; None matches all.
        status: The status to answer.
        drop: Close the connection without a response.
        moment: Whether `status` or `drop` comes `before` the request acts, so that it never does, or `after`.
        delay: Seconds to hold the request first. It goes on even if the client has left.
        times: How many requests are still to be hit.
        body: The body of the response; None is Calendly's own for the status.
        headers: Further headers of the response.
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
        """Whether the fault replaces the response."""
        return self.drop or self.status is not None

    def matches(self, method: str, path: str) -> bool:
        """Return whether the fault hits this request."""
        return self.method in {None, method} and (self.path is None or _matches(self.path, path))


def _matches(pattern: str, path: str) -> bool:
    wanted, segments = pattern.split("/"), path.split("/")
    return len(wanted) == len(segments) and all(
        want in {"*", segment} for want, segment in zip(wanted, segments, strict=True)
    )


class Faults:
    """The faults that are not used up, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault that matches, and count one use of it."""
        fault = next((one for one in self._waiting if one.matches(method, path)), None)
        if fault is not None:
            fault.times -= 1
            if fault.times == 0:
                self._waiting.remove(fault)
        return fault
