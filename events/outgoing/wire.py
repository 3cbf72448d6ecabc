"""Everything of MCP Events that may be renumbered: names, codes, headers and limits, in two profiles.

`chatgpt` is what ChatGPT's documentation says (developers.openai.com, MCP Events), `sep-3415` the
draft of the extension. The two differ in the numbers of the errors, in the `webhook-id` of an event,
and in the answer to an unsubscribe of what is not there.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

WireProfile = Literal["chatgpt", "sep-3415"]

EXTENSION: Final = "io.modelcontextprotocol/events"
CAPABILITY: Final = "events"

LIST: Final = "events/list"
SUBSCRIBE: Final = "events/subscribe"
UNSUBSCRIBE: Final = "events/unsubscribe"
POLL: Final = "events/poll"

LISTEN: Final = "subscriptions/listen"
"""Of MCP itself: its answer tells of changes while the client is connected."""

WEBHOOK: Final = "webhook"
POLLED: Final = "poll"

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
SUBSCRIPTION_HEADER: Final = "X-MCP-Subscription-Id"

VERIFICATION: Final = "verification"
TERMINATED: Final = "terminated"

MOST_PARAMS: Final = 64 * 1024
"""Bytes of the parameters of one request."""

MOST_ARGUMENTS: Final = 4 * 1024
"""Bytes of a subscription's arguments."""

LONGEST_NAME: Final = 128
"""Characters of the name of a kind."""

LONGEST_URL: Final = 2048
"""Characters of a callback's URL."""

MOST_EVENTS: Final = 100
"""Events in the answer to one poll."""

USUAL_EVENTS: Final = 50
"""Events in the answer to a poll that names no number."""


class Meaning(Enum):
    """What an error of MCP Events says, with its JSON-RPC code in `chatgpt` and in `sep-3415`."""

    INVALID_PARAMS = (-32602, -32602)
    NOT_FOUND = (-32011, -32023)
    FORBIDDEN = (-32012, -32024)
    RESOURCE_EXHAUSTED = (-32013, -32025)
    UNSUPPORTED = (-32014, -32026)
    CALLBACK_ENDPOINT_ERROR = (-32015, -32027)

    def code(self, profile: WireProfile) -> int:
        """Return the code of this error in a profile."""
        chatgpt, draft = self.value
        return chatgpt if profile == "chatgpt" else draft


class EventsRefusal(Exception):
    """A request of MCP Events that is refused, in a sentence that names the next step.

    Attributes:
        meaning: What the error says.
        data: What a client reads of it.
    """

    def __init__(self, meaning: Meaning, message: str, data: Mapping[str, object]) -> None:
        super().__init__(message)
        self.meaning = meaning
        self.data = data


def event_message_id(profile: WireProfile, event_id: str, delivery: str) -> str:
    """Return the `webhook-id` of an event.

    Args:
        profile: The operator's.
        event_id: The event's.
        delivery: The hexadecimal digits of the delivery's id.
    """
    return event_id if profile == "chatgpt" else f"msg_{delivery[:32]}"


def control_message_id(kind: str, random: bytes) -> str:
    """Return the `webhook-id` of a message that is no event, such as of a verification."""
    return f"msg_{kind}_{random.hex()}"


def forgives_missing(profile: WireProfile) -> bool:
    """Return whether an unsubscribe of what is not there is answered as if it had been."""
    return profile == "chatgpt"
