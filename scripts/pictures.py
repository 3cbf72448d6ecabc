"""Takes the pictures of pages and apps in docs/screenshots/. `scripts/screenshots` runs it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.e2e.app_host import Host
from tests.e2e.chromium import Browser, chromium
from tests.e2e.pages import WAYS, loopback, stage
from tests.e2e.processes import program

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs/screenshots"
WIDTH: Final = 620
NARROW: Final = 360
DARK: Final = {"consent", "agents", "agent", "sandbox-sign-in"}
"""Pages that are also taken as on a dark phone."""


SIZES: Final = {"light": (760, 680), "dark": (NARROW, 1560)}
"""Windows for apps, by theme. Only the visible part of a frame is drawn."""


def main() -> None:
    """Write the pictures."""
    with chromium() as browser:
        pages(browser)
        apps(browser)


def pages(browser: Browser) -> None:
    """Write the pictures of the pages."""
    with TemporaryDirectory() as folder, stage(Path(folder)) as scene:
        for name, lead_to in WAYS.items():
            page = browser.open(width=WIDTH)
            lead_to(page, scene)
            page.picture(FOLDER / f"{name}.png")
            if name in DARK:
                narrow = browser.open(width=NARROW, dark=True)
                lead_to(narrow, scene)
                narrow.picture(FOLDER / f"{name}-dark.png")


def apps(browser: Browser) -> None:
    """Write the pictures of the apps."""
    now = datetime.now(UTC).replace(microsecond=0)
    times = {
        "event_type": "Intro call",
        "start_time": (now + timedelta(hours=1)).isoformat(),
        "end_time": (now + timedelta(days=22)).isoformat(),
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
