"""What Calendly posts, checked: a delivery is accepted or refused by its headers and its bytes. Pure.

`check_method` and `check_head` decide before the body is read, `check_length` while it is read,
`read_delivery` once it is there. What is decided first hides what follows.
"""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NoReturn, Self, TypeGuard, cast

from calendly.request import JSON
from events.facts import canonical
from events.incoming.calendly_signature import is_verified

LARGEST_BODY: Final = 65_536
"""In bytes."""

SLOWEST_BODY: Final = 10.0
"""How long a body may take to arrive, in seconds."""

RETRY_AFTER: Final = 30
"""After which Calendly may try again where there is no room or no database, in seconds."""

_DEEPEST: Final = 32
_LONE: Final = range(0xD800, 0xE000)
_LONGEST_LENGTH: Final = 20


class Refused(Exception):
    """A delivery is refused.

    Attributes:
        status: The HTTP status.
        sentence: The body of the answer, with nothing of the request in it.
        is_signature: The signature was refused.
        person: Whose receiver it was posted to, None where that is not known.
    """

    def __init__(self, status: int, sentence: str, *, is_signature: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.is_signature = is_signature
        self.person: str | None = None

    def of(self, person: str | None) -> Self:
        """Return the same refusal, with whose receiver it was posted to."""
        self.person = person
        return self


@dataclass(frozen=True, slots=True)
class ReceiverFacts:
    """What is known about a receiver that takes deliveries.

    Attributes:
        person: The person's Calendly user URI.
        keys: The keys that its deliveries may be signed with.
    """

    person: str
    keys: Collection[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedDelivery:
    """A delivery that is Calendly's, for this receiver.

    Attributes:
        event: Calendly's name of the event.
        created_at: When Calendly made the message.
        payload: What it tells.
        body: The whole message.
    """

    event: str
    created_at: str
    payload: JSON = field(repr=False)
    body: bytes = field(repr=False)


def receiver_digest(secret: str) -> str:
    """Return under what a receiver is stored, given the secret in its address."""
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def check_method(method: str) -> None:
    """Check the HTTP method. Raises Refused, 405."""
    if method != "POST":
        raise Refused(405, "Only POST is answered here.")


def check_head(lengths: Sequence[str], encodings: Sequence[str]) -> None:
    """Check what is known before the body is read.

    Args:
        lengths: All values of `Content-Length`.
        encodings: All values of `Content-Encoding`.

    Raises:
        Refused: 413 or 415.
    """
    if any(length.isascii() and length.isdigit() and _number(length) > LARGEST_BODY for length in lengths):
        raise too_large()
    if encodings:
        raise Refused(415, "The body has to be sent without Content-Encoding.")


def check_length(received: int) -> None:
    """Check how much of the body has come. Raises Refused, 413."""
    if received > LARGEST_BODY:
        raise too_large()


def read_delivery(
    body: bytes, signatures: Sequence[str], receiver: ReceiverFacts | None, now: float
) -> VerifiedDelivery:
    """Check a whole delivery.

    Args:
        body: The bytes that were received.
        signatures: All values of the header `Calendly-Webhook-Signature`.
        receiver: What is known about the receiver, None where there is none at this address.
        now: Unix seconds.

    Raises:
        Refused: 404, 401 or 400.
    """
    if receiver is None:
        raise Refused(404, "There is no receiver at this address.")
    if not is_verified(signatures, body, receiver.keys, now):
        raise Refused(401, "The signature is not one of Calendly's for this receiver.", is_signature=True)
    message = _read(body)
    event, created_at, created_by = (message.get(name) for name in ("event", "created_at", "created_by"))
    payload: object = message.get("payload")
    if not (_is_text(event) and _is_text(created_at) and _is_text(created_by) and isinstance(payload, dict)):
        raise _malformed()
    if canonical(created_by) != receiver.person:
        raise Refused(401, "The message is of another person than this receiver.")
    return VerifiedDelivery(event, created_at, message["payload"], body)


def too_large() -> Refused:
    """Return the refusal of a body that is too large."""
    return Refused(413, "The body is too large.")


def too_slow() -> Refused:
    """Return the refusal of a body that did not arrive in time."""
    return Refused(408, "The body did not arrive in time.")


def cut_short() -> Refused:
    """Return the refusal of a body that broke off. Nobody may be there to hear it."""
    return Refused(400, "The body broke off.")


def no_room() -> Refused:
    """Return the refusal of a delivery that cannot be taken now."""
    return Refused(503, "The message cannot be taken now. Send it again later.")


def _malformed() -> Refused:
    return Refused(400, "The body is not a webhook message of Calendly's.")


def _number(digits: str) -> int:
    return int(digits[:_LONGEST_LENGTH])


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _read(body: bytes) -> JSON:
    """Read a JSON object. Raises Refused, 400."""
    try:
        message: Any = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _malformed() from None
    if not isinstance(message, dict):
        raise _malformed()
    cleaned: JSON = _cleaned(message, 1)
    return cleaned


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _cleaned(value: Any, depth: int) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a value in which each text can be written as UTF-8, and each number as JSON.

    Raises:
        Refused: 400, where it is nested too deeply.
    """
    if isinstance(value, str):
        return "".join("\ufffd" if ord(letter) in _LONE else letter for letter in value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list):
        return value
    if depth > _DEEPEST:
        raise _malformed()
    if isinstance(value, list):
        return [_cleaned(each, depth + 1) for each in cast("list[object]", value)]
    fields = cast("dict[str, object]", value).items()
    return {_cleaned(name, depth): _cleaned(each, depth + 1) for name, each in fields}
