"""The slot picker in a real browser, in the sandboxed frame of a host, with a real server behind it."""

import random
import re
from collections.abc import Generator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from tests.e2e.app_host import Host, View
from tests.e2e.chromium import Browser, chromium
from tests.e2e.conftest import Sandbox
from tests.e2e.pages import Loopback, loopback
from tests.e2e.processes import program
from tests.e2e.test_http import ACCEPT, post, request
from tools.lean import open_times

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("chromium")]

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
ZONES = (BERLIN, NEW_YORK, "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "Africa/Cairo", "Pacific/Apia")
HOSTILE = "<img src=x onerror=\"parent.postMessage('out','*')\"><b>Intro</b>"
ASK, HERE, NEXT = "Ask to book this time", "Book it here", "Next month"
NAME, EMAIL = "Name of the invitee", "E-mail of the invitee"
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def client() -> Generator[Loopback]:
    with loopback() as client:
        yield client


def a_week(event_type: str = "Deep dive") -> dict[str, object]:
    """The arguments that look up the days to come."""
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = now + timedelta(hours=1), now + timedelta(days=9)
    return {"event_type": event_type, "start_time": start.isoformat(), "end_time": end.isoformat()}


@pytest.fixture
def host(client: Loopback, endpoint: str) -> Host:
    return Host(loopback=client, endpoint=endpoint, arguments=a_week())


def called(endpoint: str, tool: str, **arguments: object) -> dict[str, Any]:
    """Call a tool as a client does; its structured content."""
    with httpx2.Client(base_url=endpoint.removesuffix("/mcp"), headers=ACCEPT, timeout=60) as http:
        return dict(post(http, request("tools/call", name=tool, arguments=arguments))["structuredContent"])


def starts(host: Host) -> list[datetime]:
    """When the event type can be booked, as Calendly tells it."""
    rows = called(host.endpoint, host.tool, **host.arguments, detail="full")["collection"]
    return [datetime.fromisoformat(row["start_time"]) for row in rows]


def local(start: datetime, zone: str = BERLIN) -> datetime:
    """What the clocks of a zone show."""
    return start.astimezone(ZoneInfo(zone))


def iso(start: datetime) -> str:
    """A time as the view writes it."""
    return start.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day(start: datetime) -> str:
    """A date in full words, as the view writes it."""
    return f"{start:%A} {start.day} {start:%B %Y}"


def days(view: View) -> dict[str, str]:
    """What is read out for each day of the month."""
    labels = view.page.within("[...document.querySelectorAll('td button')].map((one) => one.ariaLabel)")
    return dict(label.split(", ", 1) for label in (label.replace(", ", " ", 1) for label in labels) if ", " in label)


def answered(*rows: Mapping[str, object]) -> dict[str, object]:
    """An answer of the tool."""
    return {"content": [], "structuredContent": {"collection": list(rows)}}


def in_2031(host: Host, zone: str, date: str, times: list[str], **context: object) -> Host:
    """A host that shows an answer about a day far off."""
    arguments = {"event_type": "Deep dive", "start_time": f"{date}T00:00", "end_time": f"{date}T23:59"}
    result = answered({"date": date, "timezone": zone, "times": times})
    return host.but(arguments=arguments, result=result, context={"timeZone": zone, **context})


def choose(view: View, start: datetime) -> None:
    """Click a time of the day that is shown."""
    view.page.see("Time zone" if "Time zone" in view.text() else BERLIN)
    view.page.click("radio", f"{local(start):%H:%M}")


def told(view: View) -> str:
    """What the view said in the conversation."""
    [message] = view.heard("ui/message")
    assert message["role"] == "user"
    [content] = message["content"]
    assert content["type"] == "text"
    return str(content["text"])


def test_a_time_that_is_clicked_is_told_to_the_conversation(browser: Browser, host: Host) -> None:
    start = starts(host)[1]
    view = host.show(browser)
    view.page.see(f"{local(start):%H:%M}")
    choose(view, start)
    assert f"{local(start):%H:%M} ({BERLIN})" in view.says("#chosen")
    view.page.click("button", ASK)
    view.page.see("The conversation has it.")
    shown = f"{local(start):%a}, {local(start).day} {local(start):%b %Y, %H:%M} ({BERLIN})"
    assert told(view) == f'Book {shown}: start_time {iso(start)}, event_type "Deep dive"'
    [context] = view.heard("ui/update-model-context")
    assert f"has chosen {shown}: start_time {iso(start)}" in context["content"][0]["text"]
    assert view.heard("tools/call") == []
    assert view.page.complaints() == []


def test_a_meeting_is_booked_in_the_frame_once(browser: Browser, host: Host, sandbox: Sandbox) -> None:
    start = starts(host)[0]
    view = host.show(browser)
    view.page.see(f"{local(start):%H:%M}")
    choose(view, start)
    view.page.click("button", HERE)
    view.page.see(NAME)
    assert view.focused() == NAME
    view.page.write("Ana Ruiz")
    view.page.press("Tab")
    view.page.write("ana@clients.example")
    view.page.press("Enter")
    view.page.see("Booked for Ana Ruiz, ana@clients.example.")
    [booking] = view.calls("create_event_invitee")
    assert booking.pop("idempotency_key").startswith("slot-picker-")
    assert booking == {
        "event_type": "Deep dive",
        "start_time": iso(start),
        "invitee": {"name": "Ana Ruiz", "email": "ana@clients.example", "timezone": BERLIN},
        "location": {"kind": "google_conference"},
    }
    assert sandbox.requests().count("POST /invitees") == 1
    [*_, invitee] = view.answers()
    uri = invitee["structuredContent"]["uri"]
    assert called(host.endpoint, "get_event_invitee", invitee=uri)["email"] == "ana@clients.example"
    assert f"{local(start):%H:%M}" not in view.says("#times").split()
    [*_, context] = view.heard("ui/update-model-context")
    assert f'start_time {iso(start)}, event_type "Deep dive", invitee "{uri}"' in context["content"][0]["text"]
    view.page.click("button", "Cancel")
    assert view.heard("ui/open-link") == [{"url": invitee["structuredContent"]["cancel_url"]}]
    assert view.page.complaints() == []


def test_the_keyboard_is_enough(browser: Browser, host: Host) -> None:
    first = local(starts(host)[0])
    view = host.show(browser)
    view.page.see(f"{first:%H:%M}")

    def tab_to(label: str) -> None:
        for _ in range(20):
            view.page.press("Tab")
            if view.page.focused() and view.focused().startswith(label):
                assert view.page.within("getComputedStyle(document.activeElement).outlineStyle") != "none" or (
                    view.page.within("getComputedStyle(document.activeElement.parentElement).outlineStyle") != "none"
                )
                return
        raise AssertionError(f"{label!r} is out of reach")

    tab_to(f"{first:%A}")
    seen = [view.focused()]
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "End", "Home", "PageDown"):
        view.page.press(key)
        seen.append(view.focused())
    dates = [first.date() + timedelta(offset) for offset in (0, 1, 8, 7, 0)]
    assert [label.split(",")[0] for label in seen[:5]] == [f"{date:%A}" for date in dates]
    assert [" ".join(label.split(", ")[1].split()[:2]) for label in seen[:5]] == [
        f"{date.day} {date:%B}" for date in dates
    ]
    assert seen[5].startswith("Sunday")
    view.page.see("Looking up") if "Looking up" in view.text() else None
    tab_to("Previous month") if False else None


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK])
def test_the_zone_can_be_the_hosts_and_no_instant_moves(browser: Browser, host: Host, zone: str) -> None:
    start = starts(host)[0]
    view = host.but(context={"timeZone": NEW_YORK}).show(browser)
    view.page.see(f"{local(start):%H:%M}")
    view.page.within(f"document.querySelector('select').value = {zone!r}")
    view.page.within("document.querySelector('select').dispatchEvent(new Event('change'))")
    view.page.click("radio", f"{local(start, zone):%H:%M}")
    chosen, elsewhere = view.says("#chosen"), view.says("#elsewhere")
    other = NEW_YORK if zone == BERLIN else BERLIN
    assert f"{local(start, zone):%H:%M} ({zone})" in chosen
    assert f"{local(start, other):%H:%M} in {other}" in elsewhere
    view.page.click("button", ASK)
    assert f"start_time {iso(start)}" in told(view)
