"""The slot picker with answers at their worst: clocks that change, texts of strangers, forged messages."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cases import case
from tests.e2e.app_host import Host, View
from tests.e2e.chromium import Browser
from tests.e2e.pages import Loopback
from tools.answers.local_times import open_times

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("chromium")]

LIST, BOOK = "list_event_type_available_times", "create_event_invitee"
ZONES = (
    *("Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"),
    *("Africa/Cairo", "Pacific/Chatham", "Pacific/Kiritimati", "America/St_Johns", "UTC"),
)
HOSTILE = "<img src=x onerror=\"document.title='taken'\"><b>Intro</b></script><script>document.title='taken'</script>"
SLOT = "2031-06-03T09:00:00Z"


@pytest.fixture
def host(client: Loopback, endpoint: str) -> Host:
    arguments = {"event_type": "Deep dive", "start_time": "2031-06-03T00:00:00Z", "end_time": "2031-06-04T00:00:00Z"}
    answers = {LIST: answer({"start_time": SLOT, "status": "available"}), "get_event_type": error("not_found", "?")}
    context = {"timeZone": "UTC"}
    return Host(
        loopback=client,
        endpoint=endpoint,
        arguments=arguments,
        answers=answers,
        context=context,
        now="2030-12-01T12:00Z",
    )


def answer(*rows: object, **more: object) -> dict[str, object]:
    return {"content": [], **told_as(rows, **more)}


def told_as(collection: object, **more: object) -> dict[str, object]:
    return {"structuredContent": {"collection": collection, **more}}


def error(kind: str, message: str, **more: object) -> dict[str, object]:
    content = {"error": {"kind": kind, "message": message, **more}}
    return {"content": [{"type": "text", "text": message}], "structuredContent": content, "isError": True}


def see_day(view: View, zone: str, date: str, *times: str) -> None:
    """Have a view show the open times of one day, in the zone of its person."""
    view.tell("ui/notifications/host-context-changed", timeZone=zone)
    day = {"start_time": f"{date}T00:00", "end_time": f"{date}T23:59"}
    view.see_answer(answer({"date": date, "timezone": zone, "times": times}), event_type="Deep dive", **day)


def show(browser: Browser, host: Host, text: str = "09:00") -> View:
    view = host.show(browser)
    view.page.see(text)
    return view


def fill_in(view: View) -> None:
    view.page.click("radio", "09:00")
    view.page.click("button", "Book it here")
    view.page.see("Name of the invitee")
    view.page.write("Ana")
    view.tab_to("E-mail of the invitee")
    view.page.write("ana@clients.example")
    view.page.press("Enter")


def asked(view: View) -> str:
    """What the view asked the conversation."""
    view.page.click("button", "Ask to book this time")
    view.page.see("The conversation has it.")
    return str(view.heard("ui/message")[-1]["content"][0]["text"])


def test_a_day_on_which_clocks_change_shows_every_time_once(browser: Browser, host: Host) -> None:
    view = show(browser, host)
    for zone, date, times, label, start in (
        ("Europe/Berlin", "2031-10-26", ["01:30", "02:30+02:00"], "01:30", "2031-10-25T23:30:00Z"),
        ("Europe/Berlin", "2031-10-26", ["02:30+02:00", "02:30+01:00"], "02:30 GMT+2", "2031-10-26T00:30:00Z"),
        ("Europe/Berlin", "2031-10-26", ["02:30+02:00", "02:30+01:00"], "02:30 GMT+1", "2031-10-26T01:30:00Z"),
        ("Europe/Berlin", "2031-03-30", ["01:30", "03:30"], "03:30", "2031-03-30T01:30:00Z"),
        ("Australia/Lord_Howe", "2031-04-06", ["01:30+10:30"], "01:30 GMT+10:30", "2031-04-05T15:00:00Z"),
        ("America/Santiago", "2031-09-07", ["01:00"], "01:00", "2031-09-07T04:00:00Z"),
    ):
        with case(zone, date, label):
            see_day(view, zone, date, *times)
            assert len(view.says("#times label").splitlines()) == len(times)
            view.page.click("radio", label)
            assert f"start_time {start}" in asked(view)


def test_no_instant_moves_on_its_way_through_the_lean_view_into_the_frame(browser: Browser, host: Host) -> None:
    view = show(browser, host)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    through = {begin + timedelta(minutes=15 * step) for step in range(0, 2 * 365 * 24 * 4, 233)}
    for zone in ZONES:
        around = {edge + timedelta(minutes=15 * step) for edge in changes(zone) for step in range(-12, 12)}
        sent = sorted(through | around)
        rows = open_times([{"start_time": start.isoformat()} for start in sent], ZoneInfo(zone))
        read = view.page.within(f"instantsIn({json.dumps(rows)}, 'UTC').map((instant) => instant / 1000)")
        assert read == [start.timestamp() for start in sent], zone


def changes(zone: str) -> list[datetime]:
    """When the clocks of a zone change in 2026 and 2027, to the hour."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(2 * 365 * 24)]
    offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return [hour for hour, before, after in zip(hours[1:], offsets, offsets[1:], strict=False) if before != after]


def test_every_day_is_a_key_away(browser: Browser, host: Host) -> None:
    view = show(browser, host)
    view.tab_to("Tuesday")
    led = {
        "ArrowRight": "4 June",
        "ArrowDown": "11 June",
        "ArrowLeft": "10 June",
        "End": "15 June",
        "Home": "9 June",
        "ArrowUp": "2 June",
        "PageDown": "2 July",
        "PageUp": "2 June",
    }
    for key, day in led.items():
        view.page.press(key)
        assert f" {day} 2031" in view.focused()
        assert f" {day} 2031" in view.says("#day")
    for key in ("ArrowUp", "PageDown"):
        view.page.press(key)
    assert " 26 June 2031" in view.focused()
    see_day(view, "UTC", "2031-01-31", "09:00")
    view.tab_to("Friday")
    view.page.press("PageDown")  # the same day of a shorter month is its last
    assert " 28 February 2031" in view.focused()


def test_texts_of_strangers_stay_texts(browser: Browser, host: Host) -> None:
    kind = {
        "name": HOSTILE,
        "locations": [{"kind": HOSTILE}, {"kind": "custom", "location": HOSTILE}],
        "custom_questions": [
            {"name": HOSTILE, "type": kind, "required": False, "answer_choices": [HOSTILE], "position": position}
            for position, kind in enumerate(("string", "text", "single_select", "multi_select"))
        ],
    }
    told = {"structuredContent": {"name": HOSTILE, "email": HOSTILE, "uri": HOSTILE, "cancel_url": HOSTILE}}
    answers = {**host.answers, "get_event_type": {"structuredContent": kind}, BOOK: told}
    view = show(browser, host.but(arguments={**host.arguments, "event_type": HOSTILE}, answers=answers))
    fill_in(view)
    view.page.see("Booked for")
    assert view.says("#subject") == HOSTILE
    assert HOSTILE in view.says("#step")
    assert view.page.within("[document.title, document.querySelectorAll('img, b, main script').length]") == [
        "Open times",
        0,
    ]
    [*_, context] = view.heard("ui/update-model-context")
    [line] = context["content"][0]["text"].splitlines()
    assert json.dumps(HOSTILE) in line
    assert view.page.complaints() == []


def test_a_refusal_of_strangers_words_stays_text(browser: Browser, host: Host) -> None:
    answers = {**host.answers, BOOK: error("invalid_argument", HOSTILE, details=[{"message": "Second"}, 7, None])}
    view = show(browser, host.but(answers=answers))
    fill_in(view)
    view.page.see("Second")
    assert view.says("#step p") == f"{HOSTILE}\nSecond"
    view.page.click("button", "Change the details")
    assert view.page.within("document.querySelector('[type=email]').value") == "ana@clients.example"


def test_what_makes_no_sense_in_an_answer_or_is_not_open_shows_no_time(browser: Browser, host: Host) -> None:
    view = show(browser, host)
    late, day = {"start_time": "2031-06-03T10:00:00Z"}, {"date": "2031-06-03", "timezone": "UTC", "times": ["11:45"]}
    nowhere = {"date": "2031-06-03", "timezone": "Nowhere/Land", "times": ["09:00", None, 7, "25:99", "late"]}
    cases: list[tuple[dict[str, object], str]] = [
        (answer(), ""),
        (answer(None, 7, "text", [], {}), ""),
        (answer(nowhere), "09:00"),
        (answer({"date": HOSTILE, "timezone": HOSTILE, "times": [HOSTILE]}, {"start_time": HOSTILE}), ""),
        *((told_as(none), "") for none in (None, 7, {"a": 1}, "text")),
        ({"content": [{"type": "text", "text": json.dumps({"collection": [day]})}]}, "11:45"),
        (answer({"start_time": SLOT, "status": "unavailable"}, late), "10:00"),
    ]
    for told, shown in cases:
        with case(told):
            view.see_answer(told, **host.arguments)
            assert view.says("#times label") == shown
            assert ("No open times from 3 June 2031 to 3 June 2031." in view.text()) is (not shown)
    assert view.page.complaints() == []


def test_what_an_answer_left_out_counts_as_not_looked_up(browser: Browser, host: Host) -> None:
    arguments = {**host.arguments, "end_time": "2031-06-20T00:00:00Z"}
    answers = {LIST: answer({"start_time": SLOT}, left_out={"rows": 20})}
    view = show(browser, host.but(arguments=arguments, answers=answers))
    labels = view.page.within("[...document.querySelectorAll('td button')].map((one) => one.ariaLabel)")
    looked = [label for label in labels if "not looked up" not in label]
    assert [label.split(", ")[-1] for label in looked] == ["1 open"]


def test_times_are_told_as_the_persons_language_has_them(browser: Browser, host: Host) -> None:
    view = show(browser, host.but(context={"timeZone": "UTC", "locale": "en-US"}), "9:00 AM")
    assert view.says("th").split()[0] == "Sun"
    view.page.click("radio", "9:00 AM")
    assert asked(view).startswith("Book Tue, 3 Jun 2031, 09:00 (UTC): start_time 2031-06-03T09:00:00Z")


def test_only_the_host_is_listened_to(browser: Browser, host: Host) -> None:
    view = show(browser, host)
    forged = {"jsonrpc": "2.0", "method": "ui/notifications/tool-result", "params": error("not_found", "forged")}
    view.page.within(
        "new Promise((heard) => {"
        f"addEventListener('message', () => heard(0)); postMessage({json.dumps(forged)}, '*'); }})"
    )
    assert "forged" not in view.text()
    view.tell("ui/notifications/tool-result", **error("not_found", "said by the host"))
    view.page.see("said by the host")


def test_requests_of_the_host_are_answered(browser: Browser, host: Host) -> None:
    view = show(browser, host)
    replies: dict[int, dict[str, Any]] = {}
    for number, method in ((901, "ping"), (902, "ui/resource-teardown"), (903, "toString")):
        replies[number] = view.page.script(
            f"""new Promise((answered) => {{
                addEventListener("message", ({{ data }}) => data.id === {number} && answered(data));
                tell({{ id: {number}, method: "{method}", params: {{}} }});
            }})"""
        )
    assert [replies[number].get("result") for number in (901, 902)] == [{}, {}]
    assert replies[903]["error"]["code"] == -32601


def test_it_looks_as_the_host_does_and_says_that_a_look_up_was_stopped(browser: Browser, host: Host) -> None:
    view = show(browser, host)
    variables = {"--color-background-primary": "rgb(1, 2, 3)", "background": "red", "--font-sans": 7}
    view.tell("ui/notifications/host-context-changed", theme="dark", styles={"variables": variables})
    view.page.see("09:00")
    style = "(({colorScheme, backgroundColor}) => [colorScheme, backgroundColor])"
    assert view.page.within(f"{style}(getComputedStyle(document.documentElement))") == ["dark", "rgb(1, 2, 3)"]
    assert view.heard("ui/notifications/size-changed")[-1]["height"] > 300
    view.tell("ui/notifications/tool-cancelled", reason="the user")
    view.page.see("The look-up was stopped.")


def test_an_unknown_outcome_is_looked_up_under_the_same_key(browser: Browser, host: Host) -> None:
    answers = {**host.answers, BOOK: error("outcome_unknown", "Nobody knows.")}
    view = show(browser, host.but(answers=answers))
    fill_in(view)
    view.page.see("Nobody knows.")
    view.page.click("button", "Look again")
    view.page.see("Nobody knows.")
    first, second = view.calls(BOOK)
    assert first == second
    assert first["idempotency_key"]


@pytest.mark.parametrize("capabilities", [{"serverTools": {}, "openLinks": {}}, {"serverTools": {}}])
def test_where_a_page_confirms_it_is_opened_or_named(
    browser: Browser, host: Host, capabilities: dict[str, object]
) -> None:
    page = "https://calendly-mcp.example/confirm/1"
    refused = error("confirmation_required", "Book it?", confirmation="token", confirm_url=page)
    view = show(browser, host.but(answers={**host.answers, BOOK: refused}, capabilities=capabilities))
    fill_in(view)
    view.page.see("Book it?")
    if "openLinks" in capabilities:
        view.page.click("button", "Answer on the page")
        assert view.heard("ui/open-link") == [{"url": page}]
    else:
        assert page in view.text()
    view.page.click("button", "Go on")
    view.page.see("Book it?")
    assert [call.get("confirmation") for call in view.calls(BOOK)] == [None, "token"]


def test_a_link_that_is_not_opened_is_shown(browser: Browser, host: Host) -> None:
    url = "https://calendly.com/cancellations/1"
    answers = {**host.answers, BOOK: {"structuredContent": {"name": "Ana", "cancel_url": url}}}
    view = show(browser, host.but(answers=answers, refuses=("ui/open-link",)))
    fill_in(view)
    view.page.click("button", "Cancel")
    view.page.see(url)
