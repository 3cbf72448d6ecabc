"""The pictures of the pages that people see, in docs/screenshots/. `scripts/screenshots` takes them anew."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.chromium import chromium
from tests.e2e.pages import WAYS, stage

FOLDER = Path(__file__).resolve().parent.parent / "docs/screenshots"
WIDTH = 620
NARROW = 360
DARK = {"consent", "agents", "agent", "sandbox-sign-in"}
"""Pages shown once more, as on a dark phone."""


def main() -> None:
    """Write the pictures."""
    with TemporaryDirectory() as folder, stage(Path(folder)) as scene, chromium() as browser:
        for name, lead_to in WAYS.items():
            page = browser.open(width=WIDTH)
            lead_to(page, scene)
            page.picture(FOLDER / f"{name}.png")
            if name in DARK:
                narrow = browser.open(width=NARROW, dark=True)
                lead_to(narrow, scene)
                narrow.picture(FOLDER / f"{name}-dark.png")


if __name__ == "__main__":
    main()
