"""Takes the pictures of pages and apps in docs/screenshots/. `scripts/screenshots` runs it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.e2e.app_host import Host
from tests.e2e.chromium import Browser, Page, chromium
from tests.e2e.pages import WAYS, loopback, stage
from tests.e2e.processes import program

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs/screenshots"
WIDE: Final = {"front", "consent", "agents", "agent", "owners"}
"""Pages with two columns."""

WIDTH: Final = 1200
NARROW: Final = 640
PHONE: Final = 360
TALLEST: Final = 800
SCALE: Final = 2
DARK: Final = {"consent", "agents", "agent", "confirm", "sandbox-sign-in"}
"""Pages that are also taken as on a dark phone."""

# Where the last thing on a page ends, with the space that is left beside it.
_HEIGHT: Final = """Math.ceil(document.querySelector("main").getBoundingClientRect().bottom + scrollY
    + document.querySelector("main").getBoundingClientRect().left / 2)"""


SIZES: Final = {"light": (760, 680), "dark": (PHONE, 1560)}
"""Windows for apps, by theme. Only the visible part of a frame is drawn."""


def main() -> None:
    """Write the pictures."""
    with chromium() as browser:
        pages(browser)
        apps(browser)


def pages(browser: Browser) -> None:
    """Write the pictures of the pages: of each as much as a window shows first."""
    with TemporaryDirectory() as folder, stage(Path(folder)) as scene:
        for name, lead_to in WAYS.items():
            page = browser.open(width=WIDTH if name in WIDE else NARROW, scale=SCALE)
            lead_to(page, scene)
            picture(page, name, width=WIDTH if name in WIDE else NARROW)
            if name == "consent":
                page.tab_to("Ask me before changes")
                page.press("ArrowRight")
                picture(page, "consent-table", width=WIDTH)
            if name in DARK:
                phone = browser.open(width=PHONE, dark=True, scale=SCALE)
                lead_to(phone, scene)
                picture(phone, f"{name}-dark", width=PHONE, dark=True)


def picture(page: Page, name: str, *, width: int, dark: bool = False) -> None:
    """Write a picture of a page, cropped to what is on it."""
    page.look(width, min(TALLEST, int(page.script(_HEIGHT))), dark=dark)
    page.picture(FOLDER / f"{name}.png", whole=False)


def apps(browser: Browser) -> None:
    """Write the pictures of the apps."""
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    times = {
        "event_type": "Intro call",
        "start_time": tomorrow.isoformat(),
        "end_time": (tomorrow + timedelta(days=22)).isoformat(),
    }
    with program("http", "--sandbox", "--auth", "none", "--port", "0") as server, loopback() as client:
        host = Host(loopback=client, endpoint=server.line("ready: "), arguments=times, grows=True)
        for name, theme in (("slot-picker", "light"), ("slot-picker-dark", "dark")):
            width, height = SIZES[theme]
            context = {"theme": theme, "timeZone": "America/New_York"}
            view = host.but(context=context).show(browser, width=width, height=height, dark=theme == "dark")
            view.page.click("radio", "10:00")
            if theme == "dark":
                view.page.click("button", "Book it here")
                view.page.see("Name of the invitee")
            view.picture(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
