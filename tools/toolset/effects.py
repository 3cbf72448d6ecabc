"""What access may want to know of a writing call before it is sent, and how a call ends that is only tried."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from calendly.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a writing call is about, as far as a person can limit an agent to it; None where that is not to be had.

    Attributes:
        event_types: The uuids of the event types.
        hosts: The uuids of the users who host.
        addresses: The e-mail addresses of invitees and guests.
    """

    event_types: frozenset[str] | None = None
    hosts: frozenset[str] | None = None
    addresses: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Stakes:
    """What access may want to know of a writing call before it is sent; found out only where a rule asks for it.

    Attributes:
        question: What a person is asked: the effects, in plain words, as far as the agent may read them.
        question_for_person: The same with all that the person may know, for where the agent does not see it.
        subject: What the call is about, as far as these conditions ask: `event_types`, `hosts` or `domains`.
    """

    question: Callable[[], Awaitable[str]]
    question_for_person: Callable[[], Awaitable[str]]
    subject: Callable[[Collection[str]], Awaitable[Subject]]


class Rehearsed(Exception):
    """A writing call came to where it would be sent, and was only to be tried. Not an error.

    Attributes:
        requests: What would be sent, in order; nothing where an earlier call with the same idempotency key was sent.
        unchecked: What could not be looked into before.
    """

    def __init__(self, *requests: Request, unchecked: Sequence[str] = ()) -> None:
        super().__init__("Nothing was sent.")
        self.requests = requests
        self.unchecked = unchecked
