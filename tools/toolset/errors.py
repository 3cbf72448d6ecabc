"""Why a tool did not run although Calendly was not asked.

    ToolError
    ├── ArgumentError          the arguments cannot be sent
    ├── AlreadyBooked          the same booking exists (kind `conflict`)
    ├── KeyTaken               the idempotency key stands for another booking (kind `conflict`)
    ├── TooLate                what it would end is over already (kind `conflict`)
    ├── NotRecorded            it writes, and its record cannot be stored (kind `access_denied_by_policy`)
    ├── DeniedByPolicy           a rule of the operator or the person forbids it
    ├── ConfirmationRequired   a person has to agree first
    └── Declined               a person said no

What Calendly itself refuses is a `calendly.errors.CalendlyError`.
"""

import re
from collections.abc import Callable, Collection
from typing import Final, NotRequired

from typing_extensions import TypedDict

from tools.toolset.question import Question

_NAME: Final = re.compile(r"\w+")


class ArgumentFault(TypedDict):
    """One fault: the parameter's dotted name, a sentence, and Calendly's code where it has one for that.

    A workflow's fault names no parameter where only an inner tool has it.
    """

    parameter: NotRequired[str]
    message: str
    code: NotRequired[str]


class ToolError(Exception):
    """A call that ended before Calendly was asked to do it. The message is a sentence for the agent.

    Attributes:
        next_step: What the agent should do, where the advice for the kind of the failure would not fit.
    """

    next_step: str | None = None


class ArgumentError(ToolError):
    """The arguments cannot be sent as they are."""

    def __init__(self, *faults: ArgumentFault, next_step: str | None = None) -> None:
        super().__init__(" ".join(map(_told, faults)))
        self.faults = faults
        self.next_step = next_step

    @classmethod
    def of(cls, parameter: str, message: str, next_step: str | None = None) -> "ArgumentError":
        """Return an error about one parameter, with a next step where correcting it would not help."""
        return cls({"parameter": parameter, "message": message}, next_step=next_step)

    def without(self, is_unknown: Callable[[str], bool], words: Collection[str]) -> "ArgumentError":
        """Return the same error, which names no parameter that is unknown: not as one, nor among its `words`."""
        told = [_unnamed(fault) if is_unknown(fault.get("parameter", "")) else fault for fault in self.faults]
        return ArgumentError(*(_plain(fault, words) for fault in told), next_step=self.next_step)


class AlreadyBooked(ToolError):
    """The same invitee has booked the same event type at the same time."""

    next_step = "The booking exists: use that invitee, and do not book again."


class KeyTaken(ToolError):
    """The idempotency key was used with other arguments, so it stands for another booking."""

    next_step = "For another booking, call again with another idempotency_key or none."


class TooLate(ToolError):
    """What the call would end is over already.

    Attributes:
        question: What a person would be asked, were it not.
    """

    def __init__(self, reason: str, question: Question) -> None:
        super().__init__(reason)
        self.question = question


class DeniedByPolicy(ToolError):
    """A rule forbids the call; the message names the rule and who can change it."""


class NotRecorded(ToolError):
    """The call writes, so it has to be recorded first, and the record cannot be written. Nothing was sent."""


class ConfirmationRequired(ToolError):
    """A person has to be asked, and this client cannot be made to ask.

    Attributes:
        token: What the agent sends as `confirmation`, once its user has agreed to the question.
        url: The page on which the user can agree, where there is one.
        only_page: Nothing but that page counts.
        is_unshown: The client answered the question without showing it to its user.
    """

    def __init__(
        self, question: str, token: str, url: str | None = None, *, only_page: bool = False, is_unshown: bool = False
    ) -> None:
        super().__init__(question)
        self.token = token
        self.url = url
        self.only_page = only_page
        self.is_unshown = is_unshown


class Declined(ToolError):
    """The person was asked and did not agree. Nothing was sent."""


def _told(fault: ArgumentFault) -> str:
    parameter = fault.get("parameter")
    return f"{parameter}: {fault['message']}" if parameter else fault["message"]


def _plain(fault: ArgumentFault, words: Collection[str]) -> ArgumentFault:
    """Return a fault with some names written as plain words."""
    message = _NAME.sub(lambda name: name[0].replace("_", " ") if name[0] in words else name[0], fault["message"])
    return {**fault, "message": message}


def _unnamed(fault: ArgumentFault) -> ArgumentFault:
    rest: ArgumentFault = {"message": fault["message"]}
    return {**rest, "code": fault["code"]} if "code" in fault else rest
