"""What `doctor` makes of what it saw."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

import pytest

from calendly.errors import (
    CalendlyError,
    InsufficientScope,
    PermissionDenied,
    Unauthenticated,
    Unreachable,
    UpstreamError,
)
from calendly.pacing.rate_headers import RateHeaders
from server.doctor import diagnosis
from server.doctor.examination import READS, Whose, read_of
from tools import GUIDE_TOOLS, WORKFLOWS

NOW: Final = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
URL: Final = "https://api.calendly.com"


@pytest.mark.parametrize(
    ("status", "failure", "words"),
    [
        (None, "Name or service not known", "Check the network, and the proxy"),
        (None, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired", "Check this machine's clock"),
        (503, "", "it answers 503. Try again later"),
        (302, "", "something answers 302, as Calendly does not. Check whether this network wants a sign-in"),
        (200, "", "something answers 200"),
    ],
)
def test_a_network_on_which_calendly_is_not_reached_is_to_be_fixed(
    status: int | None, failure: str, words: str
) -> None:
    found = diagnosis.connection(URL, status, failure)
    assert (found.about, found.state) == ("network", "fix")
    assert words in found.text


def test_the_proxy_on_the_way_is_named() -> None:
    found = diagnosis.connection(URL, None, "refused", " The way leads through the proxy that X names: http://p.")
    assert found.text.endswith("the proxy if there is one. The way leads through the proxy that X names: http://p.")


def test_calendly_is_known_by_its_refusal_to_answer_without_a_token() -> None:
    assert diagnosis.connection(URL, 401) == diagnosis.Finding("network", "ok", f"{URL} answers")


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (timedelta(minutes=-7), "7 minutes behind"),
        (timedelta(hours=5), "5 hours ahead of"),
        (timedelta(days=-400), "400 days behind"),
        (timedelta(seconds=90), "90 seconds ahead of"),
    ],
    ids=str,
)
def test_a_clock_that_is_off_is_told_by_how_much(off: timedelta, words: str) -> None:
    found = diagnosis.clock(format_datetime(NOW, usegmt=True), NOW + off)
    assert found.state == "fix"
    assert f"this machine's clock is {words} Calendly's: set it by the network" in found.text


def test_a_clock_may_be_off_by_as_much_as_an_answer_takes() -> None:
    assert diagnosis.clock(format_datetime(NOW, usegmt=True), NOW + timedelta(seconds=59)).state == "ok"
    assert diagnosis.clock("Tue, 01 Dec 2026 09:30:00 -0000", NOW).state == "ok"


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_without_a_date_nothing_is_said_of_the_clock(date: str | None) -> None:
    assert diagnosis.clock(date, NOW).state == "note"


def test_a_token_that_calendly_refuses_is_to_be_made_anew_and_a_sign_in_repeated() -> None:
    refused = Unauthenticated("Calendly answered 401.", status=401)
    assert "Make a new one in Calendly under" in diagnosis.token(diagnosis.TOKEN, None, refused).text
    assert "Run `calendly-mcp login` again" in diagnosis.token(diagnosis.SIGN_IN, None, refused).text
    assert diagnosis.token(diagnosis.SIGN_IN, None, Unreachable("No answer.")).state == "fix"


def test_a_token_works_even_if_it_may_not_say_whose_it_is() -> None:
    assert diagnosis.token(diagnosis.TOKEN, "Ada", None).text == "the token works; it belongs to Ada"
    assert diagnosis.token(diagnosis.TOKEN, None, InsufficientScope("No.")).text == "the token works"


def test_a_scope_that_is_missing_is_named_with_the_tools_that_need_it() -> None:
    seen: dict[str, CalendlyError | None] = {"users:read": None, "availability:read": InsufficientScope("No.")}
    good, missing = diagnosis.scopes(seen, [])
    assert (good.state, good.text) == ("ok", "granted: users:read")
    assert missing.state == "note"
    assert "missing: availability:read (list_event_type_available_times, list_user_busy_times, " in missing.text
    assert "To have them, grant availability:read in Calendly under" in missing.text


def test_a_token_without_any_scope_is_to_be_fixed() -> None:
    nothing, unseen = diagnosis.scopes({"users:read": InsufficientScope("No.")}, ["webhooks:read"])
    assert nothing.state == "fix"
    assert "grant it users:read" in nothing.text
    assert (unseen.state, unseen.text.endswith("webhooks:read")) == ("note", True)


def test_what_a_role_or_plan_does_not_allow_and_what_failed_is_said_as_such() -> None:
    refused = PermissionDenied("No.", message="Please upgrade to a paid Calendly account.")
    failed = UpstreamError("Calendly answered 500.")
    plan, broken = diagnosis.scopes({"webhooks:read": refused, "event_types:read": failed}, [])
    assert plan.text == "webhooks:read: not for this person's role or plan: Please upgrade to a paid Calendly account."
    assert broken.text == "event_types:read: unknown: Calendly answered 500."
    assert {plan.state, broken.state} == {"note"}


@pytest.mark.requirement("doctor-reads-only")
def test_what_writes_is_known_from_a_sign_in_only() -> None:
    unknown = diagnosis.writes(None)
    assert "unknown until used" in unknown.text
    assert "scheduled_events:write" in unknown.text
    some = diagnosis.writes({"scheduled_events:write"})
    assert (
        some.state,
        some.text.startswith("granted: scheduled_events:write; not granted: availability:write data_comp"),
    ) == ("note", True)
    everything = {scope for tool in (*GUIDE_TOOLS, *WORKFLOWS) for scope in tool.scopes}
    assert (diagnosis.writes(everything).state, diagnosis.writes(frozenset()).text[:13]) == ("ok", "granted: none")


@pytest.mark.parametrize(
    ("limit", "plan"), [(50, "Free"), (500, "paid, going by"), (60, "unknown; no published plan has 60")]
)
def test_the_plan_is_told_by_the_limit(limit: int, plan: str) -> None:
    calls, found = diagnosis.limits(RateHeaders(limit=limit, remaining=7))
    assert calls.text == f"{limit} calls a minute, 7 left in this one; the server keeps within them"
    assert found.text.startswith(plan)


def test_without_headers_no_limit_is_told() -> None:
    [found] = diagnosis.limits(RateHeaders())
    assert (found.about, found.state) == ("limits", "note")
    assert diagnosis.limits(RateHeaders(limit=50))[0].text.startswith("50 calls a minute; ")


@pytest.mark.requirement("proxy-noticed")
def test_a_public_address_without_trusted_proxies_is_noted() -> None:
    [note] = diagnosis.proxies("https://mcp.example", trusted=False)
    assert (note.about, note.state) == ("proxy", "note")
    assert "CALENDLY_MCP_TRUSTED_PROXIES" in note.text
    assert (
        diagnosis.proxies("https://mcp.example", trusted=True)
        == diagnosis.proxies("http://127.0.0.1:8000", trusted=False)
        == []
    )


@pytest.mark.requirement("doctor-reads-only")
def test_every_scope_that_reads_is_tried_with_a_read_of_its_own() -> None:
    assert set(READS) == {tool.scope for tool in GUIDE_TOOLS if tool.scope.endswith(":read")}
    whose = Whose(f"{URL}/users/a", f"{URL}/organizations/b")
    for scope in READS:
        request = read_of(scope, whose)
        assert request.is_read
        assert any(tool.scope == scope and tool.endpoint == request.endpoint for tool in GUIDE_TOOLS)
