"""What a request of MCP Events asks for, and what a subscription is given. Pure.

A subscription is checked in this order: shape, kind, mode, arguments, level and scope, URL and
secret, limits. Then its callback is challenged.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from events.feed.cursor import Cursor
from events.outgoing.standard_webhooks import secret_key
from events.outgoing.wire import (
    LONGEST_NAME,
    MOST_ARGUMENTS,
    MOST_EVENTS,
    MOST_PARAMS,
    USUAL_EVENTS,
    WEBHOOK,
    EventsRefusal,
    Meaning,
)

SHORTEST_LIFE: Final = timedelta(minutes=5)
LONGEST_LIFE: Final = timedelta(hours=24)

MOST_OF_GRANT: Final = 50
MOST_OF_PERSON: Final = 200

UNREADABLE: Final = "unreadable"
"""Stands for a cursor that cannot be read, whatever characters are in it."""

_MILLISECOND: Final = timedelta(milliseconds=1)
_MOST_MILLISECONDS: Final = 10 * 365 * 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class EventQuery:
    """The events that a request is about.

    Attributes:
        name: Of their kind.
        arguments: What narrows them, as sent.
        cursor: After which position, None from now on. One that cannot be read is `UNREADABLE`.
        max_age: Older ones are left out; None for none.
    """

    name: str
    arguments: Mapping[str, Any]
    cursor: str | None
    max_age: timedelta | None


@dataclass(frozen=True, slots=True)
class SubscribeRequest:
    """What `events/subscribe` asks for.

    Attributes:
        query: Which events.
        mode: How they are to be delivered.
        url: Where to.
        secret: What signs them.
        life: For how long, None where the request does not say.
        is_endless: It asks for a subscription without an end.
    """

    query: EventQuery
    mode: str
    url: str
    secret: str
    life: timedelta | None
    is_endless: bool


@dataclass(frozen=True, slots=True)
class UnsubscribeRequest:
    """What `events/unsubscribe` ends."""

    name: str
    arguments: Mapping[str, Any]
    url: str


@dataclass(frozen=True, slots=True)
class PollRequest:
    """What `events/poll` asks for."""

    query: EventQuery
    most: int


def read_subscribe(params: Mapping[str, Any]) -> SubscribeRequest:
    """Read the parameters of `events/subscribe`. Raises EventsRefusal, InvalidParams."""
    query = _query(params)
    delivery = _object(params, "delivery")
    mode = _text(delivery, "mode", "delivery.mode")
    # Another mode than ours has other fields, and is refused for itself.
    url, secret = (_text(delivery, name, f"delivery.{name}") if mode == WEBHOOK else "" for name in ("url", "secret"))
    life = _milliseconds(params, "ttlMs", least=1)
    return SubscribeRequest(query, mode, url, secret, life, "ttlMs" in params and life is None)


def read_unsubscribe(params: Mapping[str, Any]) -> UnsubscribeRequest:
    """Read the parameters of `events/unsubscribe`. Raises EventsRefusal, InvalidParams."""
    name, arguments = _named(params)
    return UnsubscribeRequest(name, arguments, _text(_object(params, "delivery"), "url", "delivery.url"))


def read_poll(params: Mapping[str, Any]) -> PollRequest:
    """Read the parameters of `events/poll`. Raises EventsRefusal, InvalidParams."""
    query = _query(params)
    most = params.get("maxEvents", USUAL_EVENTS)
    if not _is_whole(most) or not 1 <= most <= MOST_EVENTS:
        raise invalid("maxEvents", f"Pass a whole number from 1 to {MOST_EVENTS}")
    return PollRequest(query, most)


def read_list(params: Mapping[str, Any]) -> None:
    """Check the parameters of `events/list`, which has one page. Raises EventsRefusal, InvalidParams."""
    _check_size(params)
    if params.get("cursor") is not None:
        raise invalid("cursor", "The list has one page: leave it out")


def check_secret(secret: str) -> None:
    """Check that a secret can sign. Raises EventsRefusal, InvalidParams."""
    try:
        secret_key(secret)
    except ValueError:
        told = "Pass `whsec_` and the base64 of 24 to 64 random bytes"
        raise invalid("delivery.secret", told) from None


def check_room(of_grant: int, of_person: int) -> None:
    """Check that one more subscription is allowed. Raises EventsRefusal, ResourceExhausted."""
    for count, most, whose in ((of_grant, MOST_OF_GRANT, "This agent"), (of_person, MOST_OF_PERSON, "This person")):
        if count >= most:
            raise exhausted(
                "subscriptions", most, f"{whose} has {most} subscriptions, which is the most. End one first."
            )


def subscription_id(grant: str, url: str, name: str, arguments: Mapping[str, Any]) -> str:
    """Return the id of a subscription: the same whenever the same is asked for."""
    asked = json.dumps([grant, url, name, arguments], sort_keys=True, separators=(",", ":"))
    return f"sub_{hashlib.sha256(asked.encode()).hexdigest()[:32]}"


def granted_life(request: SubscribeRequest, *, is_listed: bool) -> timedelta | None:
    """Return for how long a subscription lives, None without an end: only callbacks that the operator lists have none.

    Args:
        request: What was asked for.
        is_listed: Whether the operator lists the callback's host.
    """
    if request.is_endless and is_listed:
        return None
    return min(LONGEST_LIFE, max(SHORTEST_LIFE, LONGEST_LIFE if request.life is None else request.life))


def watermark(outstanding: Iterable[int], head: int) -> int:
    """Return the position from which resuming loses nothing.

    Args:
        outstanding: The positions of a subscription's events that have not arrived.
        head: The feed's newest position.
    """
    oldest = min(outstanding, default=None)
    return head if oldest is None else min(head, oldest - 1)


def invalid(field: str, advice: str) -> EventsRefusal:
    """Return the refusal of a parameter, which says what to pass."""
    return EventsRefusal(Meaning.INVALID_PARAMS, f"{field} cannot be used. {advice}.", {"field": field})


def exhausted(limit: str, most: int, message: str, wait: timedelta | None = None) -> EventsRefusal:
    """Return the refusal of what is over a limit.

    Args:
        limit: Its name for clients.
        most: How much it allows.
        message: What to do.
        wait: When there is room again, None where that is not known.
    """
    later = {} if wait is None else {"retryAfterMs": wait // _MILLISECOND}
    return EventsRefusal(Meaning.RESOURCE_EXHAUSTED, message, {"limit": limit, "max": most, **later})


def _named(params: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    _check_size(params)
    name = _text(params, "name", "name")
    if not 0 < len(name) <= LONGEST_NAME:
        raise invalid("name", f"Pass the name of a kind, of at most {LONGEST_NAME} characters")
    arguments = _object(params, "arguments", {})
    if _size(arguments) > MOST_ARGUMENTS:
        raise invalid("arguments", f"Pass at most {MOST_ARGUMENTS} bytes")
    return name, arguments


def _check_size(params: Mapping[str, Any]) -> None:
    if _size(params) > MOST_PARAMS:
        told = f"Pass at most {MOST_PARAMS} bytes of parameters."
        raise EventsRefusal(Meaning.INVALID_PARAMS, told, {"field": "params"})


def _query(params: Mapping[str, Any]) -> EventQuery:
    name, arguments = _named(params)
    cursor = params.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise invalid("cursor", "Pass the cursor of an earlier answer, or null")
    if cursor is not None and Cursor.parse(cursor) is None:
        cursor = UNREADABLE
    return EventQuery(name, arguments, cursor, _milliseconds(params, "maxAgeMs", least=0))


def _milliseconds(params: Mapping[str, Any], name: str, *, least: int) -> timedelta | None:
    value = params.get(name)
    if value is None:
        return None
    if not _is_whole(value) or value < least:
        raise invalid(name, f"Pass a whole number of milliseconds, at least {least}")
    return min(cast("int", value), _MOST_MILLISECONDS) * _MILLISECOND


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(values: Mapping[str, Any], name: str, field: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise invalid(field, "Pass a string")
    return value


def _object(params: Mapping[str, Any], name: str, default: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    value = params.get(name, default)
    if not isinstance(value, dict):
        raise invalid(name, "Pass an object")
    return cast("dict[str, Any]", value)


def _size(value: Mapping[str, Any]) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass"))
