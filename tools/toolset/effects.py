"""What a writing call would do, found out before it is sent, and how a dry run ends."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from calendly.request import Request
from tools.toolset.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """What a writing call affects, as far as conditions can limit it; None where that could not be found out.

    Attributes:
        event_types: The uuids of the event types.
        hosts: The uuids of the users who host.
        addresses: The e-mail addresses of invitees and guests.
    """

    event_types: frozenset[str] | None = None
    hosts: frozenset[str] | None = None
    addresses: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of a writing call, found out only where a rule asks for them. They share what they read.

    Attributes:
        question: Words what a person is asked, as far as the agent may read it.
        question_for_person: The same with all that the person may know, for where the agent does not see it.
        affected: Finds out what the call affects, as far as these conditions ask: `event_types`, `hosts`, `domains`.
        found: What the call was found to be about, beside its arguments: a confirmation is for this alone.
    """

    question: Callable[[], Awaitable[Question]]
    question_for_person: Callable[[], Awaitable[Question]]
    affected: Callable[[Collection[str]], Awaitable[Affected]]
    found: str = ""


class DryRun(Exception):
    """A dry run came to where the call would be sent. Not an error.

    Attributes:
        requests: What would be sent, in order; nothing where an earlier call with the same idempotency key was sent.
        unchecked: What could not be checked before.
    """

    def __init__(self, *requests: Request, unchecked: Sequence[str] = ()) -> None:
        super().__init__("Nothing was sent.")
        self.requests = requests
        self.unchecked = unchecked
