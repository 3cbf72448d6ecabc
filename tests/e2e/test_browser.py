"""The whole sign-in as a person has it: a real browser, one key after the other."""

from collections.abc import Generator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.e2e.chromium import Browser, chromium
from tests.e2e.pages import APP, STATE, WAYS, Stage, stage

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("chromium")]

_LONGEST_TRANSITION = """Math.max(...[...document.querySelectorAll("*")].map(
    (element) => parseFloat(getComputedStyle(element).transitionDuration)))"""


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    with stage(tmp_path_factory.mktemp("hosted")) as running:
        yield running


def query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "with scripts off"])
def test_a_person_signs_in_by_keyboard_alone(browser: Browser, scene: Stage, *, scripts: bool) -> None:
    page, app = browser.open(scripts=scripts), scene.new_app()
    page.go(scene.way_in(app))
    assert APP in page.text()
    page.tab_to("Book meetings and cancel them")
    page.press("Space")
    page.tab_to("Allow, and sign in")
    page.press_until("Enter", scene.site.calendly)
    page.tab_to("Maya Lindqvist")
    page.press("ArrowDown")  # a group of radio buttons is one stop, and the arrows choose within it
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
    page.tab_to(f"Back to {APP}")
    answered = query(page.press_until("Enter", f"{scene.loopback.address}/callback"))
    assert {name: answered[name] for name in ("error", "state", "iss")} == {
        "error": ["access_denied"],
        "state": [STATE],
        "iss": [scene.site.url],
    }
    assert page.complaints() == []


@pytest.mark.parametrize(("width", "dark"), [(1024, False), (360, False), (360, True)])
@pytest.mark.parametrize("name", WAYS)
def test_every_page_is_within_reach_of_everybody(
    browser: Browser, scene: Stage, name: str, *, width: int, dark: bool
) -> None:
    page = browser.open(width=width, dark=dark)
    WAYS[name](page, scene)
    assert page.overflow() == 0
    assert page.script(_LONGEST_TRANSITION) == 0
    assert page.barriers() == []


@pytest.mark.parametrize("name", ["front", "consent", "error", "sandbox-sign-in", "sandbox-error"])
def test_no_page_can_be_framed(browser: Browser, scene: Stage, name: str) -> None:
    page = browser.open()
    WAYS[name](page, scene)
    inner, path = page.address(), f"/frames-{name}"
    scene.loopback.pages[path] = f'<iframe src="{inner}"></iframe>'.replace("&", "&amp;")
    framing = browser.open()
    framing.go(f"{scene.loopback.address}{path}")
    assert "chrome-error://chromewebdata/" in [address for address, _title in framing.frames()]
    assert any("frame-ancestors" in complaint or "X-Frame" in complaint for complaint in framing.complaints())
