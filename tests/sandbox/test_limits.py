"""Rate limits per user and plan, and those of bookings."""

from datetime import timedelta

import pytest

from tests.sandbox.api import MONDAY, Api, iso

TOO_MANY = {"title": "Too Many Requests", "message": "You have exceeded the rate limit. Try again later."}


@pytest.mark.requirement("sandbox-limits")
@pytest.mark.parametrize(("token", "limit"), [("free", 50), ("owner", 500), ("enterprise", 500), ("nobody", 50)])
async def test_the_limit_is_that_of_the_persons_plan(api: Api, token: str, limit: int) -> None:
    assert (await api.get("/users/me", token)).headers["X-RateLimit-Limit"] == str(limit)


async def test_the_call_after_the_last_is_refused_until_the_minute_is_over(api: Api) -> None:
    answers = [await api.get("/users/me", "free") for _ in range(51)]
    assert [answer.status_code for answer in answers] == [200] * 50 + [429]
    assert [answers[0].headers["X-RateLimit-Remaining"], answers[49].headers["X-RateLimit-Remaining"]] == ["49", "0"]
    assert answers[50].json() == TOO_MANY
    assert answers[50].headers["X-RateLimit-Reset"] == "60"
    assert "Retry-After" not in answers[50].headers
    await api.control("clock", {"now": iso(MONDAY + timedelta(seconds=60))})
    assert (await api.get("/users/me", "free")).status_code == 200


async def test_all_tokens_of_a_person_share_one_limit_and_others_do_not(api: Api) -> None:
    await api.control("limits", {"per_minute": 2})
    assert [(await api.get("/users/me", token)).status_code for token in ("owner", "legacy", "readonly", "admin")] == [
        200,
        200,
        429,
        200,
    ]


@pytest.mark.requirement("sandbox-older-limits", "control-limits")
@pytest.mark.parametrize("per_minute", [60, 120])
async def test_a_control_sets_the_older_rate_limits(api: Api, per_minute: int) -> None:
    await api.control("limits", {"per_minute": per_minute, "retry_after": True})
    answers = [await api.get("/users/me") for _ in range(per_minute + 1)]
    assert [answer.status_code for answer in answers[-2:]] == [200, 429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert answers[-1].headers["X-RateLimit-Limit"] == str(per_minute)
    assert await api.control("limits", {"per_minute": None}) == {
        "per_minute": None,
        "retry_after": True,
        "available_times_days": 31,
        "available_times_quietly": False,
    }


async def test_bookings_have_rate_limits_of_their_own_per_minute_hour_and_day(api: Api) -> None:
    refused: list[tuple[int, str, str]] = []
    for minute in (0, 2, 4, 6, 8, 10, 60, 62, 64, 66, 68, 120):
        await api.control("clock", {"now": iso(MONDAY + timedelta(minutes=minute))})
        answers = [await api.post("/invitees", {}) for _ in range(11)]
        last = answers[-1]
        assert (last.status_code, last.json()) == (429, TOO_MANY)
        assert [answer.status_code for answer in answers[:10]] == [429 if minute in {10, 120} else 400] * 10
        refused.append((minute, last.headers["X-RateLimit-Limit"], last.headers["X-RateLimit-Reset"]))
    assert refused[0] == (0, "10", "60")
    assert refused[5] == (10, "50", "3000")
    assert refused[-1] == (120, "100", str(22 * 3600))


async def test_an_enterprise_books_five_hundred_a_minute(api: Api) -> None:
    answers = [await api.post("/invitees", {}, "enterprise") for _ in range(12)]
    assert {answer.status_code for answer in answers} == {400}


async def test_sign_in_and_controls_are_not_counted(api: Api) -> None:
    await api.control("limits", {"per_minute": 1})
    for path in ("/.well-known/oauth-authorization-server", "/oauth/authorize", "/_sandbox/requests"):
        assert "X-RateLimit-Limit" not in (await api.get(path)).headers
    assert (await api.get("/users/me")).status_code == 200
