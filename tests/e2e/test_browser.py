"""The whole sign-in as a person has it: a real browser, one key after the other."""

from collections.abc import Generator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.browser import Browser, chromium
from tests.e2e.sign_in import APP, STATE, WAYS, Hosted, hosted

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("chromium")]

_LONGEST_TRANSITION = """Math.max(...[...document.querySelectorAll("*")].map(
    (element) => parseFloat(getComputedStyle(element).transitionDuration)))"""


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosted]:
    with hosted(tmp_path_factory.mktemp("hosted")) as site:
        yield site


def query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "with scripts off"])
def test_a_person_signs_in_by_keyboard_alone(browser: Browser, site: Hosted, *, scripts: bool) -> None:
    page, client = browser.open(scripts=scripts), site.register()
    page.go(site.authorize_url(client))
    assert APP in page.text()
    page.tab_to("Book meetings and cancel them")
    page.press("Space")
    page.tab_to("Allow, and sign in")
    page.press_until("Enter", site.sandbox)
    page.tab_to("Maya Lindqvist")
    page.press("ArrowDown")  # a group of radio buttons is one stop, and the arrows choose within it
    page.tab_to("Allow")
    back = page.press_until("Enter", f"{site.loopback.address}/callback")
    answered = query(back)
    assert answered == {"code": answered["code"], "state": [STATE], "iss": [site.issuer]}
    assert page.complaints() == []
    token = site.redeem(client, answered["code"][0])
    assert "scheduled_events:write" not in token["scope"].split()


def test_a_person_says_no_by_keyboard_alone(browser: Browser, site: Hosted) -> None:
    page = browser.open(scripts=False)
    WAYS["result"](page, site)
    page.tab_to(f"Back to {APP}")
    answered = query(page.press_until("Enter", f"{site.loopback.address}/callback"))
    assert {name: answered[name] for name in ("error", "state", "iss")} == {
        "error": ["access_denied"],
        "state": [STATE],
        "iss": [site.issuer],
    }
    assert page.complaints() == []


@pytest.mark.parametrize(("width", "dark"), [(1024, False), (360, False), (360, True)])
@pytest.mark.parametrize("name", WAYS)
def test_every_page_is_within_reach_of_everybody(
    browser: Browser, site: Hosted, name: str, *, width: int, dark: bool
) -> None:
    page = browser.open(width=width, dark=dark)
    WAYS[name](page, site)
    assert page.overflow() == 0
    assert page.script(_LONGEST_TRANSITION) == 0
    assert page.barriers() == []


@pytest.mark.parametrize("name", ["front", "consent", "error", "sandbox-sign-in", "sandbox-error"])
def test_no_page_can_be_framed(browser: Browser, site: Hosted, name: str) -> None:
    page = browser.open()
    WAYS[name](page, site)
    inner, path = page.address(), f"/frames-{name}"
    site.loopback.pages[path] = f'<iframe src="{inner}"></iframe>'.replace("&", "&amp;")
    framing = browser.open()
    framing.go(f"{site.loopback.address}{path}")
    assert "chrome-error://chromewebdata/" in [address for address, _title in framing.frames()]
    assert any("frame-ancestors" in complaint or "X-Frame" in complaint for complaint in framing.complaints())
