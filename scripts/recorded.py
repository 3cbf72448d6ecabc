"""Draws the recorded terminal session, docs/screenshots/demo.svg: the output of `calendly-mcp demo`.

`scripts/recording` runs it. The picture loads nothing: its own style sheet makes rows of text
appear and scroll. Without animations it shows the first rows.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

ROOT: Final = Path(__file__).resolve().parent.parent
FILE: Final = ROOT / "docs/screenshots/demo.svg"

COLUMNS: Final = 100
ROWS: Final = 26
"""Rows in the window."""

WIDE, HIGH, MARGIN, BAR = 7.8, 19, 18, 30
"""Width and height of a character, the margin, and the height of the title bar, in pixels of a 13 pixel font."""

LABEL: Final = 13
"""The column after a label."""

STYLE: Final = """\
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #24292f; }
.window { fill: #ffffff; stroke: #d0d7de; } .bar { fill: #eaeef2; } .dot { fill: #afb8c1; }
.step { font-weight: bold; } .label { fill: #0550ae; } .asked { fill: #9a4600; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .window { fill: #0d1117; stroke: #30363d; } .bar { fill: #161b22; } .dot { fill: #484f58; }
  .label { fill: #79c0ff; } .asked { fill: #ffb77c; }
}
@media (prefers-reduced-motion: reduce) { g { animation: none !important; } }
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that appear together.

    Attributes:
        first: The number of the first row.
        rows: Their text.
    """

    first: int
    rows: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Seconds to read it."""
        return 1.2 + 0.35 * len(self.rows)

    @property
    def scrolled(self) -> int:
        """Rows that are scrolled out when its last row is in the window."""
        return max(0, self.first + len(self.rows) - ROWS)


def parts(transcript: str) -> list[Part]:
    """Split a transcript at its empty lines, after the command that was typed."""
    lines = ["$ calendly-mcp demo", "", *transcript.rstrip().splitlines()]
    numbered = groupby(enumerate(lines), key=lambda row: bool(row[1]))
    divided = [[*rows] for is_text, rows in numbered if is_text]
    return [Part(rows[0][0], tuple(text for _, text in rows)) for rows in divided]


def picture(shown: Sequence[Part]) -> str:
    """Draw the parts."""
    begins = [*accumulate((part.seconds for part in shown), initial=0.0)]
    total = begins[-1] + 4
    shares = [100 * begin / total for begin in begins]
    width, height = round(COLUMNS * WIDE) + 2 * MARGIN, BAR + ROWS * HIGH + 2 * MARGIN
    scroll = "".join(_scroll(shown, shares))
    appear = "".join(
        f"@keyframes p{number} {{ 0% {{ opacity: 0; }} {share:.2f}%, 100% {{ opacity: 1; }} }}\n"
        f"#p{number} {{ animation: p{number} {total:.1f}s step-end infinite; }}\n"
        for number, share in enumerate(shares[1:-1], start=1)
    )
    groups = "\n".join(f'<g id="p{number}">\n{_rows(part)}</g>' for number, part in enumerate(shown))
    dots = "".join(f'<circle class="dot" cx="{MARGIN + 16 * at}" cy="{BAR / 2}" r="5"/>' for at in range(3))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>A terminal that runs calendly-mcp demo</title>
<style>
{STYLE}@keyframes scroll {{ {scroll}}}
#scroll {{ animation: scroll {total:.1f}s infinite; }}
{appear}</style>
<rect class="window" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>
<rect class="bar" x="1" y="1" width="{width - 2}" height="{BAR}" rx="8"/>
{dots}
<svg x="{MARGIN}" y="{BAR + MARGIN}" width="{width - 2 * MARGIN}" height="{ROWS * HIGH}">
<g id="scroll">
{groups}
</g>
</svg>
</svg>
"""


def _scroll(shown: Sequence[Part], shares: Sequence[float]) -> Iterator[str]:
    """Return the scroll positions over time. The rows scroll when a part begins that would not fit."""
    before = 0
    for part, share in zip(shown, shares, strict=False):
        yield f"{share:.2f}% {{ transform: translateY({-before * HIGH}px); }} "
        yield f"{share + 0.8:.2f}% {{ transform: translateY({-part.scrolled * HIGH}px); }} "
        before = part.scrolled
    yield f"100% {{ transform: translateY({-before * HIGH}px); }} "


def _rows(part: Part) -> str:
    return "".join(_row(number, text) for number, text in enumerate(part.rows, start=part.first))


def _row(number: int, text: str) -> str:
    """Draw a row with a given length, so that columns align in any font."""
    label, rest = text[:LABEL], text[LABEL:]
    place = f'y="{number * HIGH + 14}" xml:space="preserve"'
    if text.startswith("   ") and label.strip():
        kind = "asked" if label.strip() in {"asked", "reply"} else "label"
        return _text(place, 3, label.strip(), kind) + _text(place, LABEL, rest)
    indent = len(text) - len(text.lstrip())
    return _text(place, indent, text.lstrip(), "step" if indent == 0 and text[:1] in "$1234567" else "")


def _text(place: str, column: int, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{column * WIDE:.1f}" {place} textLength="{len(text) * WIDE:.1f}"{named}>{escape(text)}</text>\n'


def main() -> None:
    """Record it."""
    program = [sys.executable, "-m", "server", "demo"]
    ended = subprocess.run(program, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    FILE.write_text(picture(parts(ended.stdout)))


if __name__ == "__main__":
    main()
