"""The slot picker in a real browser, in the sandboxed frame of a host, with a real server behind it."""

from datetime import UTC, datetime, time, timedelta
from itertools import cycle
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from tests.cases import case
from tests.e2e.app_host import EVERYTHING, TALL, Host, View
from tests.e2e.chromium import Browser
from tests.e2e.conftest import Sandbox
from tests.e2e.pages import Loopback
from tests.e2e.processes import program
from tests.e2e.test_http import ACCEPT, post, request

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("chromium")]

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
ASK, HERE, BOOK = "Ask to book this time", "Book it here", "Book"
NAME, EMAIL = "Name of the invitee", "E-mail of the invitee"
TAKEN = "is not open. Nearest open times"
MARKUP = "<b>strange</b>"
ANA = {"name": "Ana Ruiz", "email": "ana@clients.example", "timezone": BERLIN}


def midnight(days: int) -> datetime:
    """When the day begins in Berlin that is so many days from today."""
    today = datetime.now(ZoneInfo(BERLIN)).date()
    return datetime.combine(today + timedelta(days=days), time(), ZoneInfo(BERLIN))


@pytest.fixture
def host(client: Loopback, endpoint: str) -> Host:
    """Look up whole days: what is left of today may be one time."""
    span = {"start_time": midnight(1).isoformat(), "end_time": midnight(9).isoformat()}
    return Host(loopback=client, endpoint=endpoint, arguments={"event_type": "Deep dive", "timezone": BERLIN, **span})


def called(host: Host, tool: str, **arguments: object) -> dict[str, Any]:
    """Call a tool as any client does; its structured content."""
    with httpx2.Client(base_url=host.endpoint.removesuffix("/mcp"), headers=ACCEPT, timeout=60) as http:
        return dict(post(http, request("tools/call", name=tool, arguments=arguments))["structuredContent"])


def starts(host: Host) -> list[datetime]:
    """When the event type can be booked, as Calendly tells it, by the clocks of Berlin."""
    rows = called(host, host.tool, **host.arguments, detail="full")["collection"]
    return [datetime.fromisoformat(row["start_time"]).astimezone(ZoneInfo(BERLIN)) for row in rows]


def clock(start: datetime, zone: str = BERLIN) -> str:
    return f"{start.astimezone(ZoneInfo(zone)):%H:%M}"


def iso(start: datetime) -> str:
    return start.astimezone(UTC).isoformat().replace("+00:00", "Z")


def long_day(date: datetime) -> str:
    return f"{date:%A} {date.day} {date:%B %Y}"


def show(browser: Browser, host: Host, start: datetime) -> View:
    """Have the host show the app, up to a time being seen."""
    view = host.show(browser)
    view.page.see(clock(start))
    return view


def fill_in(view: View, start: datetime) -> None:
    """Choose a time, and fill in the form by keyboard."""
    view.page.click("radio", clock(start))
    view.page.click("button", HERE)
    view.page.see(NAME)
    assert view.focused() == NAME
    view.page.write(ANA["name"])
    view.tab_to(EMAIL)
    view.page.write(ANA["email"])
    view.page.press("Enter")


def told(view: View) -> str:
    """What the view said in the conversation."""
    [message] = view.heard("ui/message")
    assert message["role"] == "user"
    [content] = message["content"]
    assert content["type"] == "text"
    return str(content["text"])


def mentioned(view: View) -> str:
    """What the view last let the model know."""
    return str(view.heard("ui/update-model-context")[-1]["content"][0]["text"])


def test_a_time_that_is_clicked_is_told_to_the_conversation(browser: Browser, host: Host) -> None:
    start = starts(host)[1]
    view = show(browser, host, start)
    assert "Deep dive" in view.text()
    view.page.click("radio", clock(start))
    assert f"{clock(start)} ({BERLIN})" in view.says("#chosen")
    view.page.click("button", ASK)
    view.page.see("The conversation has it.")
    shown = f"{start:%a}, {start.day} {start:%b %Y}, {clock(start)} ({BERLIN})"
    assert told(view) == f'Book {shown}: start_time {iso(start)}, event_type "Deep dive"'
    assert f"has chosen {shown}: start_time {iso(start)}" in mentioned(view)
    assert view.heard("tools/call") == []
    assert view.page.complaints() == []


def test_a_meeting_is_booked_in_the_frame_once(browser: Browser, host: Host, sandbox: Sandbox) -> None:
    start = starts(host)[0]
    view = show(browser, host, start)
    fill_in(view, start)
    view.page.see("Booked for Ana Ruiz, ana@clients.example.")
    [booking] = view.calls("create_event_invitee")
    assert booking.pop("idempotency_key").startswith("slot-picker-")
    place = {"kind": "google_conference"}
    assert booking == {"event_type": "Deep dive", "start_time": iso(start), "invitee": ANA, "location": place}
    assert sandbox.requests().count("POST /invitees") == 1
    invitee = view.answers()[-1]["structuredContent"]
    assert called(host, "get_event_invitee", invitee=invitee["uri"])["email"] == ANA["email"]
    assert clock(start) not in view.says("#times").split()
    assert f'event_type "Deep dive", invitee "{invitee["uri"]}". Do not book it again.' in mentioned(view)
    view.page.click("button", "Cancel")
    assert view.heard("ui/open-link") == [{"url": invitee["cancel_url"]}]
    assert view.page.complaints() == []


def test_what_the_event_type_asks_is_asked(browser: Browser, host: Host) -> None:
    host = host.but(arguments={**host.arguments, "event_type": "Intro call"})
    start = starts(host)[0]
    view = show(browser, host, start)
    fill_in(view, start)
    assert view.calls("create_event_invitee") == []  # a required question has no answer yet
    assert view.focused() == "What would you like to talk about?"
    view.page.write("Prices")
    view.page.within("document.querySelectorAll('[type=checkbox]').forEach((box) => box.click())")
    view.page.click("button", BOOK)
    view.page.see("Booked for Ana Ruiz")
    [booking] = view.calls("create_event_invitee")
    assert booking["questions_and_answers"] == [
        {"question": "What would you like to talk about?", "answer": "Prices", "position": 0},
        {"question": "Which products do you use?", "answer": "Studio\nPages\nMail", "position": 2},
    ]


def test_the_place_is_chosen_and_what_the_invitee_has_to_say_of_it_is_asked_for(browser: Browser, host: Host) -> None:
    booked = {"structuredContent": {"name": ANA["name"], "email": ANA["email"]}}
    arguments = {**host.arguments, "event_type": "Design review"}
    host = host.but(arguments=arguments, answers={"create_event_invitee": booked})
    places: list[tuple[str, str | None, dict[str, str]]] = [
        ("Where", "Place", {"kind": "ask_invitee", "location": "Ana says"}),
        ("Phone call to", "Phone number of the invitee", {"kind": "outbound_call", "location": "Ana says"}),
        ("Phone call from", None, {"kind": "inbound_call"}),
        ("In person", None, {"kind": "physical", "location": "Northlight Studio, Torstrasse 1, Berlin"}),
        ("As described", None, {"kind": "custom", "location": "A walk around the block"}),
    ]
    times = starts(host)[:2]
    found = {"structuredContent": called(host, host.tool, **arguments)}
    view = show(browser, host, times[0])
    for (typed, label, location), start in zip(places, cycle(times), strict=False):
        with case(typed):
            view.see_answer(found, **arguments)
            view.page.click("radio", clock(start))
            view.page.click("button", HERE)
            view.page.see(NAME)
            view.page.write(ANA["name"])
            view.tab_to(EMAIL)
            view.page.write(ANA["email"])
            view.tab_to("Where")
            view.page.write(typed)  # as in any list of choices, letters lead to what begins with them
            if label:
                view.tab_to(label)
                view.page.write("Ana says")
            view.page.click("button", BOOK)
            view.page.see("Booked for Ana")
            assert view.calls("create_event_invitee")[-1]["location"] == location


def test_no_place_is_sent_where_calendly_assigns_it(browser: Browser, host: Host) -> None:
    host = host.but(arguments={**host.arguments, "event_type": "Support triage"})
    start = starts(host)[0]
    view = show(browser, host, start)
    fill_in(view, start)
    view.page.see("Booked for Ana")
    assert "location" not in view.calls("create_event_invitee")[0]


def test_a_time_that_is_gone_is_told_and_looked_up_again(browser: Browser, host: Host) -> None:
    start = starts(host)[0]
    view = show(browser, host, start)
    place = {"kind": "google_conference"}
    other = {**ANA, "name": "Lee Tan", "email": "lee@clients.example"}
    called(host, "create_event_invitee", event_type="Deep dive", start_time=iso(start), invitee=other, location=place)
    fill_in(view, start)
    view.page.see(TAKEN)
    view.page.click("button", "Look up the times again")
    view.page.miss("radio", clock(start))
    view.page.click("button", "Tell the assistant")
    view.page.see("The conversation has it.")
    assert TAKEN in told(view)


def test_a_call_that_has_to_be_confirmed_is_confirmed_by_the_person(
    browser: Browser, host: Host, settings: dict[str, str], sandbox: Sandbox
) -> None:
    asking = {**settings, "CALENDLY_MCP_ACCESS": "booking=ask"}
    with program("http", "--auth", "none", "--port", "0", **asking) as server:
        host = host.but(endpoint=server.line("ready: "))
        start = starts(host)[0]
        view = show(browser, host, start)
        fill_in(view, start)
        view.page.see("Calendly will e-mail (typed by the agent): “ana@clients.example”")
        assert "POST /invitees" not in sandbox.requests()
        view.page.click("button", "Yes, book it")
        view.page.see("Booked for Ana Ruiz")
        first, second = view.calls("create_event_invitee")
        assert second.pop("confirmation")
        assert first == second
        assert sandbox.requests().count("POST /invitees") == 1


def test_the_keyboard_is_enough(browser: Browser, host: Host) -> None:
    first, second = starts(host)[:2]
    view = show(browser, host, first)
    view.tab_to(f"{first:%A}")
    for key, days_later in (("ArrowRight", 1), ("ArrowLeft", 0)):
        view.page.press(key)
        assert view.focused().replace(",", "").startswith(long_day(first + timedelta(days_later)))
    view.tab_to(clock(first))
    view.page.press("ArrowRight")  # a group of radio buttons is one stop, and the arrows choose within it
    assert f"{clock(second)} ({BERLIN})" in view.says("#chosen")
    view.tab_to(ASK)
    view.page.press("Enter")
    view.page.see("The conversation has it.")
    assert f"start_time {iso(second)}" in told(view)


def test_a_later_month_is_looked_up_when_it_is_turned_to(browser: Browser, host: Host) -> None:
    view = show(browser, host, starts(host)[0])
    view.page.click("button", "Next month")
    month = view.says("#month")
    view.page.miss("button", f"Look up all of {month}")
    arguments = view.calls(host.tool)[-1]
    assert (arguments["event_type"], arguments["timezone"]) == ("Deep dive", BERLIN)
    found = starts(host.but(arguments=arguments))
    assert {f"{start:%B %Y}" for start in found} == {month}
    first = [start for start in found if start.date() == found[0].date()]
    assert long_day(first[0]) in view.says("#day").replace(",", "")
    assert view.says("#times").split() == [clock(start) for start in first]


def test_where_nothing_is_open_it_says_so_and_looks_further(browser: Browser, host: Host) -> None:
    night = midnight(2) + timedelta(hours=1)
    arguments = {
        **host.arguments,
        "start_time": night.isoformat(),
        "end_time": (night + timedelta(hours=3)).isoformat(),
    }
    view = host.but(arguments=arguments).show(browser)
    view.page.see("No open times from")
    assert f"{night.day} {night:%B %Y}" in view.says("#note")
    view.page.click("button", f"Look up all of {night:%B %Y}")
    view.page.miss("button", f"Look up all of {night:%B %Y}")
    [call] = view.calls(host.tool)
    assert datetime.fromisoformat(call["start_time"]) > datetime.now(UTC)
    assert datetime.fromisoformat(call["end_time"]).astimezone(ZoneInfo(BERLIN)).day == 1


def test_a_host_that_calls_no_tools_is_asked_for_none(browser: Browser, host: Host) -> None:
    start = starts(host)[0]
    view = show(browser, host.but(capabilities={}), start)
    view.page.click("radio", clock(start))
    view.page.see(ASK)
    assert HERE not in view.text()
    assert "Look up all of" not in view.text()
    view.page.click("button", ASK)
    view.page.see("The conversation has it.")
    assert f"start_time {iso(start)}" in told(view)
    assert view.heard("ui/update-model-context") == []


def test_what_the_conversation_does_not_take_can_be_copied(browser: Browser, host: Host) -> None:
    start = starts(host)[0]
    view = show(browser, host.but(refuses=("ui/message",)), start)
    view.page.click("radio", clock(start))
    view.page.click("button", ASK)
    view.page.see("refused by this host")
    assert view.says("pre").startswith("Book ")
    assert f"start_time {iso(start)}" in view.says("pre")


def test_after_a_booking_a_host_that_keeps_nothing_for_later_is_told_at_once(browser: Browser, host: Host) -> None:
    start = starts(host)[0]
    view = show(browser, host.but(capabilities={"serverTools": {}}), start)
    fill_in(view, start)
    view.page.see("Booked for Ana Ruiz")
    assert told(view).endswith("Do not book it again.")


def test_why_nothing_was_found_is_shown(browser: Browser, host: Host) -> None:
    for wrong, told_why in (("event_type", "No event type of yours goes by that name"), (MARKUP, MARKUP)):
        view = host.but(arguments={**host.arguments, wrong: "No such type"}).show(browser)
        view.page.see(told_why)
        assert view.says("#note").count(told_why) == 1
        assert view.page.within("document.getElementById('picker').hidden")


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK])
def test_the_zone_can_be_the_hosts_and_no_instant_moves(browser: Browser, host: Host, zone: str) -> None:
    start = starts(host)[0]
    view = show(browser, host.but(context={"timeZone": NEW_YORK}), start)
    view.tab_to("Time zone")
    view.page.write(zone)
    view.page.click("radio", clock(start, zone))
    other = NEW_YORK if zone == BERLIN else BERLIN
    assert f"{clock(start, zone)} ({zone})" in view.says("#chosen")
    assert f"{clock(start, other)} in {other}" in view.says("#elsewhere")
    view.page.click("button", ASK)
    view.page.see("The conversation has it.")
    assert f"start_time {iso(start)}" in told(view)


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_within_reach_of_everybody(browser: Browser, host: Host, *, dark: bool) -> None:
    start = starts(host)[0]
    context = {"theme": "dark" if dark else "light", "timeZone": NEW_YORK}
    view = host.but(context=context, capabilities=EVERYTHING).show(browser, dark=not dark)
    view.page.see(clock(start))
    assert barriers(view, dark=not dark) == []
    view.page.click("radio", clock(start))
    view.page.click("button", HERE)
    view.page.see(NAME)
    assert barriers(view, dark=not dark) == []
    ground = view.page.within("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") != dark


def barriers(view: View, *, dark: bool) -> list[str]:
    """What is in the way of somebody; nothing is wider than a wide or a narrow screen."""
    for width in (340, 760):
        view.page.look(width, TALL, dark=dark)
        assert view.page.within("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    return view.page.barriers()
