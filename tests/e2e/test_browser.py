"""The whole sign-in as a person has it: a real browser, one key after the other."""

from collections.abc import Generator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.e2e.chromium import Browser
from tests.e2e.pages import APP, STATE, WAYS, Stage, call, sign_in, stage, use_an_agent
from tests.e2e.people import MEMBER

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("chromium")]

_LONGEST_TRANSITION = """Math.max(...[...document.querySelectorAll("*")].map(
    (element) => parseFloat(getComputedStyle(element).transitionDuration)))"""


_SCROLLS = "document.documentElement.scrollHeight > innerHeight"
_SIZE_OF = "parseFloat(getComputedStyle(document.querySelector('{}')).fontSize)"
_ANSWERS_IN_SIGHT = """[...document.querySelectorAll("button[name=decision]")].every(
    (button) => button.getBoundingClientRect().bottom <= innerHeight)"""
_BAR = "document.querySelector('.bar').offsetHeight"
UNSAVED = "You have changes that are not saved."


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    with stage(tmp_path_factory.mktemp("hosted")) as running:
        yield running


def query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_a_person_signs_in_by_keyboard_alone(browser: Browser, scene: Stage) -> None:
    page, app = browser.open(), scene.new_app()
    page.go(scene.way_in(app))
    assert APP in page.text()
    page.tab_to("Ask me before changes")
    page.press("ArrowRight")  # opens the table
    page.tab_to("Ask me each time, Booking")
    page.press("ArrowLeft")  # a group of radio buttons is one stop, and the arrows choose within it
    page.tab_to("Ask me each time, Canceling")
    page.press("ArrowLeft")
    page.tab_to("Allow, and sign in")
    page.press_until("Enter", scene.site.calendly)
    page.tab_to("Maya Lindqvist")
    page.press("ArrowDown")
    page.tab_to("Allow")
    back = page.press_until("Enter", f"{scene.loopback.address}/callback")
    answered = query(back)
    assert answered == {"code": answered["code"], "state": [STATE], "iss": [scene.site.url]}
    assert page.complaints() == []
    tokens = httpx2.post(f"{scene.site.url}/token", data=app.code_form(back)).json()
    assert "scheduled_events:write" not in tokens["scope"].split()


def test_a_person_says_no_by_keyboard_alone(browser: Browser, scene: Stage) -> None:
    page = browser.open(scripts=False)
    WAYS["result"](page, scene)
    page.tab_to("Back to 127.0.0.1")
    answered = query(page.press_until("Enter", f"{scene.loopback.address}/callback"))
    assert {name: answered[name] for name in ("error", "state", "iss")} == {
        "error": ["access_denied"],
        "state": [STATE],
        "iss": [scene.site.url],
    }
    assert page.complaints() == []


def test_a_person_changes_and_ends_an_agent_by_keyboard_alone(browser: Browser, scene: Stage) -> None:
    page, token = browser.open(scripts=False, width=360), use_an_agent(scene, MEMBER)
    assert call(scene, token, "get_current_user") == 200
    sign_in(page, scene, person=MEMBER)
    connections = f"{scene.site.url}/connections"
    page.tab_to("Change or disconnect")
    agent = page.press_until("Enter", f"{connections}/")
    assert UNSAVED not in page.text()
    page.tab_to("See, Your profile")
    page.press("ArrowLeft")
    assert UNSAVED in page.text()
    page.tab_to("Conditions of Booking")
    page.press("Enter")
    page.tab_to("At most this many in 24 hours")
    page.write("2")
    page.tab_to("Save")
    page.press_until("Enter", agent)
    assert "Your profile is now “No”. Booking: at most 2 a day. This holds from its next call on." in page.text()
    page.tab_to("Disconnect")
    page.press("Enter")
    page.tab_to(f"Disconnect {APP}")
    page.press_until("Enter", connections)
    assert f"{APP} is disconnected." in page.text()
    assert call(scene, token, "get_current_user") == 401
    assert "No agent is connected." in page.text()
    assert page.complaints() == []
    page.tab_to("Sign out")
    page.press_until("Enter", connections)
    assert "Sign in to continue" in page.text()


def test_a_person_deletes_everything_by_keyboard_alone(browser: Browser, scene: Stage) -> None:
    page, token = browser.open(scripts=False), use_an_agent(scene)
    sign_in(page, scene)
    page.tab_to("I want this")
    page.press("Space")
    page.tab_to("Disconnect all and delete my data")
    page.press_until("Enter", f"{scene.site.url}/connections")
    assert "Everything is deleted" in page.text()
    assert call(scene, token, "get_current_user") == 401


@pytest.mark.requirement("consent-presets")
def test_who_asks_the_choice_and_both_answers_are_on_one_screen(browser: Browser, scene: Stage) -> None:
    page = browser.open(scripts=False, width=1280)
    WAYS["consent"](page, scene)
    assert page.script(_SCROLLS) is False
    assert "Northlight Studio" in page.text()
    assert page.script(_SIZE_OF.format(".unverified")) >= page.script(_SIZE_OF.format(".who"))
    assert "you approve the changes named below; all others stay off" in page.text()
    assert "Deletion of data" not in page.text()
    page.tab_to("Ask me before changes")
    page.press("ArrowRight")
    assert "Deletion of data" in page.text()
    for width, height in ((1280, 800), (320, 700)):
        page.look(width, height)
        assert page.script(_ANSWERS_IN_SIGHT) is True
        assert page.script(_BAR) <= height / 10  # what is chosen among stays in sight too


@pytest.mark.parametrize("name", WAYS)
def test_every_page_is_within_reach_of_everybody(browser: Browser, scene: Stage, name: str) -> None:
    page = browser.open()
    WAYS[name](page, scene)
    for width, dark in ((1024, False), (320, True)):  # what is drawn depends on either, and on both together in nothing
        page.look(width, dark=dark)
        assert page.overflow() == 0
        assert page.script(_LONGEST_TRANSITION) == 0
        assert page.barriers() == []


def test_no_page_can_be_framed(browser: Browser, scene: Stage) -> None:
    page, framing = browser.open(), browser.open()
    frames: list[str] = []
    for name in ("front", "consent", "error", "sign-in", "sandbox-sign-in", "sandbox-error"):
        WAYS[name](page, scene)
        frames.append(f'<iframe src="{page.address()}"></iframe>'.replace("&", "&amp;"))
    scene.loopback.pages["/frames"] = "".join(frames)
    framing.go(f"{scene.loopback.address}/frames")
    shown = [address for address, _title in framing.frames()][1:]
    assert shown == ["chrome-error://chromewebdata/"] * len(frames)
    refused = [said for said in framing.complaints() if "frame-ancestors" in said or "X-Frame" in said]
    assert len(refused) == len(frames)
