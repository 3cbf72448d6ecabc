from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from events.outgoing.subscribing import (
    UNREADABLE,
    check_room,
    check_secret,
    granted_life,
    read_list,
    read_poll,
    read_subscribe,
    read_unsubscribe,
    subscription_id,
    watermark,
)
from events.outgoing.wire import EventsRefusal, Meaning
from tests.cases import each

DELIVERY = {"mode": "webhook", "url": "https://connectors.example/hook", "secret": "whsec_x"}
GOOD: Mapping[str, Any] = {"name": "meeting.booked", "arguments": {}, "delivery": DELIVERY, "cursor": None}
Reader = Callable[[Mapping[str, Any]], object]


def changed(**changes: object) -> Mapping[str, Any]:
    return {name: value for name, value in {**GOOD, **changes}.items() if value != "absent"}


def test_a_request_is_read_and_what_it_does_not_name_is_ignored() -> None:
    request = read_subscribe({**GOOD, "_meta": {}, "other": [1], "maxAgeMs": 60_000, "ttlMs": 300_000})

    assert (request.query.name, request.query.arguments, request.query.cursor) == ("meeting.booked", {}, None)
    assert (request.query.max_age, request.life) == (timedelta(minutes=1), timedelta(minutes=5))
    assert (request.mode, request.url, request.secret) == ("webhook", DELIVERY["url"], "whsec_x")
    assert read_subscribe(changed(arguments="absent", cursor="absent")).query == read_subscribe(GOOD).query
    assert read_unsubscribe(changed(cursor=5)).url == DELIVERY["url"]
    assert read_poll(changed(cursor="c1-00000000-7")).query.cursor == "c1-00000000-7"
    for cursor in ("", "\n", "\x00", "c1-00000000-7\n", "\u202ec1-00000000-7", "c" * 5000):
        assert read_poll(changed(cursor=cursor)).query.cursor == UNREADABLE
    assert [read_poll(changed(maxEvents=most)).most for most in (1, 100, "absent")] == [1, 100, 50]
    # Another mode than ours is refused for itself, not for the fields that it does not have.
    assert read_subscribe(changed(delivery={"mode": "push"})).mode == "push"


@each(
    "field, params",
    [
        ("name", changed(name="absent")),
        ("name", changed(name=None)),
        ("name", changed(name=7)),
        ("name", changed(name="")),
        ("name", changed(name="m" * 129)),
        ("arguments", changed(arguments=None)),
        ("arguments", changed(arguments=[])),
        ("arguments", changed(arguments="{}")),
        ("arguments", changed(arguments={"event_type": "e" * 5000})),
        ("arguments", changed(arguments={"event_type": "\ud800" * 2000})),
        ("delivery", changed(delivery="absent")),
        ("delivery", changed(delivery=None)),
        ("delivery", changed(delivery=["webhook"])),
        ("delivery.mode", changed(delivery={})),
        ("delivery.mode", changed(delivery={**DELIVERY, "mode": 1})),
        ("delivery.url", changed(delivery={"mode": "webhook", "secret": "s"})),
        ("delivery.url", changed(delivery={**DELIVERY, "url": 1})),
        ("delivery.secret", changed(delivery={**DELIVERY, "secret": None})),
        ("cursor", changed(cursor=5)),
        ("cursor", changed(cursor={})),
        ("ttlMs", changed(ttlMs=0)),
        ("ttlMs", changed(ttlMs=-1)),
        ("ttlMs", changed(ttlMs=True)),
        ("ttlMs", changed(ttlMs=1.5)),
        ("ttlMs", changed(ttlMs="300000")),
        ("maxAgeMs", changed(maxAgeMs=-1)),
        ("maxAgeMs", changed(maxAgeMs=False)),
        ("maxAgeMs", changed(maxAgeMs=[])),
        ("params", changed(other="x" * 66_000)),
    ],
)
def test_what_has_another_shape_is_refused_with_the_name_of_the_field(field: str, params: Mapping[str, Any]) -> None:
    with pytest.raises(EventsRefusal) as refused:
        read_subscribe(params)

    assert (refused.value.meaning, refused.value.data) == (Meaning.INVALID_PARAMS, {"field": field})


@each(
    "reader, field, params",
    [
        (read_poll, "maxEvents", changed(maxEvents=0)),
        (read_poll, "maxEvents", changed(maxEvents=101)),
        (read_poll, "maxEvents", changed(maxEvents=True)),
        (read_poll, "maxEvents", changed(maxEvents=None)),
        (read_poll, "maxEvents", changed(maxEvents="10")),
        (read_list, "cursor", {"cursor": "c1"}),
        (read_list, "cursor", {"cursor": 0}),
        (read_list, "params", {"other": "x" * 66_000}),
        (read_unsubscribe, "delivery.url", changed(delivery={})),
    ],
)
def test_the_other_methods_refuse_alike(reader: Reader, field: str, params: Mapping[str, Any]) -> None:
    with pytest.raises(EventsRefusal) as refused:
        reader(params)

    assert refused.value.data == {"field": field}


def test_a_secret_that_cannot_sign_is_refused_without_being_repeated() -> None:
    with pytest.raises(EventsRefusal) as refused:
        check_secret("whsec_short")

    assert refused.value.data == {"field": "delivery.secret"}
    assert "short" not in str(refused.value)


def test_the_same_request_of_one_grant_is_the_same_subscription() -> None:
    asked = subscription_id("grant", "https://a.example/", "meeting.booked", {"b": 1, "a": [2, {"d": 3, "c": 4}]})

    assert asked == subscription_id(
        "grant", "https://a.example/", "meeting.booked", {"a": [2, {"c": 4, "d": 3}], "b": 1}
    )
    assert asked == "sub_448114cf127950a59b72b16ad0a86f5c"
    others: list[tuple[str, str, str, dict[str, str]]] = [
        ("other", "https://a.example/", "meeting.booked", {}),
        ("grant", "https://a.example", "meeting.booked", {}),
        ("grant", "https://a.example/", "meeting.canceled", {}),
        ("grant", "https://a.example/", "meeting.booked", {}),
        ("grant", "https://a.example/", "meeting.booked", {"event_type": "a"}),
    ]
    assert len({asked, *(subscription_id(*other) for other in others)}) == 6


@each(
    "ttl, is_listed, expected",
    [
        ("absent", False, 86_400),
        (None, False, 86_400),
        (None, True, None),
        ("absent", True, 86_400),
        (1, False, 300),
        (299_999, False, 300),
        (3_600_000, True, 3600),
        (86_400_001, True, 86_400),
        (10**30, False, 86_400),
    ],
)
def test_a_subscription_lives_between_five_minutes_and_a_day(
    ttl: object, *, is_listed: bool, expected: float | None
) -> None:
    life = granted_life(read_subscribe(changed(ttlMs=ttl)), is_listed=is_listed)

    assert (None if life is None else life.total_seconds()) == expected


@each("of_grant, of_person, most", [(50, 50, 50), (0, 200, 200), (50, 200, 50)])
def test_there_is_room_for_so_many_subscriptions(of_grant: int, of_person: int, most: int) -> None:
    check_room(49, 199)
    with pytest.raises(EventsRefusal) as refused:
        check_room(of_grant, of_person)

    assert (refused.value.meaning, refused.value.data) == (
        Meaning.RESOURCE_EXHAUSTED,
        {"limit": "subscriptions", "max": most},
    )


@each("outstanding, head, expected", [([], 7, 7), ([7], 7, 6), ([3, 5], 7, 2), ([1], 1, 0), ([], 0, 0)])
def test_resuming_from_the_watermark_loses_nothing(outstanding: list[int], head: int, expected: int) -> None:
    assert watermark(outstanding, head) == expected


def test_each_profile_has_its_codes() -> None:
    assert [[meaning.code(profile) for meaning in Meaning] for profile in ("chatgpt", "sep-3415")] == [
        [-32602, -32011, -32012, -32013, -32014, -32015],
        [-32602, -32023, -32024, -32025, -32026, -32027],
    ]
