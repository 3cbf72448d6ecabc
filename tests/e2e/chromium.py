"""A headless Chromium as a person uses it: by keyboard, with scripts or without, on a narrow or a dark screen."""

import json
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.interop.node import NODE, SCRIPTS

MOST_STEPS = 100
"""How often Tab is pressed before something counts as out of reach."""

# What has the focus, as a screen reader would say it.
_FOCUSED = """(() => {
    const focused = document.activeElement;
    const label = focused.labels?.[0] ?? focused;
    const group = focused.type === "radio" ? focused.closest("fieldset")?.querySelector("legend") : null;
    return [label, group].map((part) => part?.innerText.replace(/\\s+/g, " ").trim()).filter(Boolean).join(", ");
})()"""
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"


@dataclass(frozen=True)
class Remote:
    """The program that holds the browser."""

    process: subprocess.Popen[str]

    def ask(self, command: str, argument: object = None, page: int | None = None) -> Any:  # noqa: ANN401 - any JSON
        """Have a command carried out; what it gives."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"page": page, "do": command, "with": argument}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]


@dataclass(frozen=True)
class Page:
    """A page of a browser that holds nothing else."""

    remote: Remote
    number: int

    def _ask(self, command: str, argument: object = None) -> Any:  # noqa: ANN401 - any JSON
        return self.remote.ask(command, argument, self.number)

    def look(self, width: int, height: int = 800, *, dark: bool = False) -> None:
        """Give it the size and the colours of another window."""
        self._ask("look", _window(width, height, dark=dark))

    def close(self) -> None:
        """Leave it, with all that it has kept."""
        self._ask("close")

    def go(self, address: str) -> str:
        """Open an address; where it led."""
        return str(self._ask("go", address))

    def address(self) -> str:
        """Tell where it is."""
        return str(self._ask("address"))

    def text(self) -> str:
        """Tell what can be read."""
        return str(self._ask("text"))

    def focused(self) -> str:
        """Tell what has the focus."""
        return str(self._ask("script", _FOCUSED))

    def tab_to(self, label: str) -> None:
        """Press Tab until what begins with a label has the focus, and is seen to have it."""
        seen: list[str] = []
        for _ in range(MOST_STEPS):
            self._ask("press", "Tab")
            seen.append(self.focused())
            if seen[-1].startswith(label):
                assert self._ask("script", _OUTLINE) != "none", label
                return
        raise AssertionError(f"{label!r} is out of reach; Tab led to {seen}")

    def press(self, key: str) -> None:
        """Press a key."""
        self._ask("press", key)

    def write(self, text: str) -> None:
        """Press the key of each character."""
        self._ask("type", text)

    def press_until(self, key: str, address: str) -> str:
        """Press a key, and wait until it has led to an address with this beginning; the whole of it."""
        return str(self._ask("submit", {"key": key, "until": address}))

    def script(self, source: str) -> Any:  # noqa: ANN401 - any JSON
        """Evaluate a script of the test's, which works where the pages' own do not."""
        return self._ask("script", source)

    def within(self, source: str) -> Any:  # noqa: ANN401 - any JSON
        """Evaluate a script in the frame that it shows."""
        return self._ask("within", source)

    def click(self, role: str, name: str) -> None:
        """Click what has a role and a name, in the frame that it shows."""
        self._ask("click", {"role": role, "name": name})

    def miss(self, role: str, name: str) -> None:
        """Wait until nothing has this role and name, in the frame that it shows."""
        self._ask("miss", {"role": role, "name": name})

    def see(self, text: str) -> None:
        """Wait until a text can be read in the frame that it shows."""
        self._ask("see", text)

    def frames(self) -> list[tuple[str, str]]:
        """List the addresses and titles of its frames, its own first."""
        return [(address, title) for address, title in self._ask("frames")]

    def overflow(self) -> int:
        """How many pixels it is wider than the window."""
        return int(self._ask("script", _OVERFLOW))

    def complaints(self) -> list[str]:
        """What the browser wrote to its console."""
        return list(self._ask("complaints"))

    def barriers(self) -> list[str]:
        """What axe finds serious or critical, in the frame that it shows where there is one."""
        found = self._ask("accessibility")["violations"]
        grave = [violation for violation in found if violation["impact"] in {"serious", "critical"}]
        return [f"{barrier['id']}: {node['html']}" for barrier in grave for node in barrier["nodes"]]

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Write what it looks like, as a PNG: the whole page, or what the window shows of it."""
        self._ask("picture", {"path": str(path), "whole": whole})


@dataclass(frozen=True)
class Browser:
    """A browser, and its pages that are open."""

    remote: Remote
    pages: list[Page] = field(default_factory=list[Page])

    def open(
        self, *, scripts: bool = True, width: int = 1024, height: int = 800, dark: bool = False, scale: float = 1
    ) -> Page:
        """Open an empty page, as a person who wants reduced motion."""
        options = {"javaScriptEnabled": scripts, "deviceScaleFactor": scale, "reducedMotion": "reduce"}
        number = self.remote.ask("open", {**options, **_window(width, height, dark=dark)})
        self.pages.append(Page(self.remote, number))
        return self.pages[-1]

    def close(self) -> None:
        """Close all pages."""
        while self.pages:
            self.pages.pop().close()


def _window(width: int, height: int, *, dark: bool) -> dict[str, object]:
    return {"viewport": {"width": width, "height": height}, "colorScheme": "dark" if dark else "light"}


@contextmanager
def chromium() -> Generator[Browser]:
    """Start Chromium; it ends with the block."""
    executable = shutil.which("chromium")
    assert executable is not None
    words = [str(NODE), str(SCRIPTS / "browse.mjs"), executable]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Browser(Remote(process))
