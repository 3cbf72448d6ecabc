"""Renders pages: without scripts and foreign content, and not to be framed or cached."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from auth.access.offers import Offer, Preset
from auth.access.words import LEVELS
from auth.protocol.app_names import unmistakable

if TYPE_CHECKING:
    from jinja2 import Environment

SIGN_IN_FAILED: Final = "This sign-in cannot go on"
_NAMELESS: Final = "An app that does not say its name"

_ADDRESS: Final = re.compile(r"\S*(?:@|://)\S*")
_PART: Final = re.compile(r"(?<=\w)([@.](?=\w)|/)")
"""Where an address has a next part: before `@`, a dot or a stroke."""

_FOLDER: Final = Path(__file__).parents[1] / "templates"


def app_name(name: str | None) -> str:
    """Return the name of an app, as pages show it."""
    return unmistakable(name or "") or _NAMELESS


def breakable(text: str) -> Markup:
    """Escape a text, and let a narrow page break its addresses between their parts (HTML, 4.5.28)."""
    escaped = str(escape(text))
    return Markup(_ADDRESS.sub(_address, escaped))  # noqa: S704 - escaped before


def _address(found: re.Match[str]) -> str:
    """Return an address that goes to the next line as a whole where it fits there."""
    parts = _PART.sub(r"<wbr>\1", found[0])
    return f'<span class="address">{parts}</span>'


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs this server.

    Attributes:
        name: Their name, None where the settings do not say.
        contact: An e-mail address or a web address, None where the settings do not say.
    """

    name: str | None = None
    contact: str | None = None

    @property
    def href(self) -> str | None:
        """Where a link to the contact leads."""
        return f"mailto:{self.contact}" if self.contact and "//" not in self.contact else self.contact


@dataclass(frozen=True, slots=True)
class Back:
    """A link back to a client.

    Attributes:
        name: What the link says.
        href: Where it leads: a registered redirect URI, or a path of ours.
    """

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What the consent page shows.

    Attributes:
        name: What the client calls itself, or that it gives no name.
        publisher: The host of the client's metadata document, None for a client that registered itself.
        destination: Where the browser goes afterwards.
        only_loopback: Every redirect URI leads to the person's own machine.
        presets: What can be allowed with one press.
        offer: What can be allowed part by part.
        secret: Proves that the form was shown here.
        form_action: The sources that the form may lead to, redirects to Calendly and back to the client included.
    """

    name: str
    publisher: str | None
    destination: str
    only_loopback: bool
    presets: Sequence[Preset]
    offer: Offer
    secret: str
    form_action: Sequence[str]


class Pages:
    """Renders the pages."""

    def __init__(self, *folders: Path, operator: Operator = Operator(), sandbox: bool = False) -> None:
        """Read our templates and those in other `folders`. Each page names the operator, and a sandbox as one."""
        style = (_FOLDER / "style.css").read_text()
        self._style = Markup(style)  # noqa: S704 - our own file
        self._style_source = f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
        self._folders = (_FOLDER, *folders)
        self._everywhere: Mapping[str, object] = {"operator": operator, "sandbox": sandbox, "level_words": LEVELS}

    @cached_property
    def _environment(self) -> "Environment":
        """The templates. They are loaded for the first page: a server that only agents call shows none."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - it takes memory

        environment = Environment(
            loader=FileSystemLoader(self._folders), autoescape=True, undefined=StrictUndefined, auto_reload=False
        )
        environment.filters["breakable"] = breakable
        everywhere: Any = environment.globals
        everywhere.update(self._everywhere)
        return environment

    def consent(self, page: Consent) -> HTMLResponse:
        """Show which client asks for what, with a form for the choice."""
        return self._page("consent.html", {"page": page}, form_action=page.form_action)

    def result(self, title: str, message: str, back: Back) -> HTMLResponse:
        """Show the result of a person's decision."""
        return self._page("result.html", {"title": title, "message": message, "back": back})

    def error(  # noqa: PLR0913 - keyword arguments, named by the caller
        self,
        message: str,
        *,
        status: int,
        back: Back | None = None,
        retry_after: int | None = None,
        title: str = SIGN_IN_FAILED,
        starts_anew: bool = True,
    ) -> HTMLResponse:
        """Show why something failed; `starts_anew` if it helps to start a failed sign-in again."""
        response = self._page(
            "error.html",
            {
                "title": title,
                "message": message,
                "back": back,
                "is_sign_in": title == SIGN_IN_FAILED,
                "starts_anew": starts_anew,
            },
            status=status,
        )
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    def sign_in(self, goes_to: str, *, form_action: Sequence[str], was_signed_in: bool) -> HTMLResponse:
        """Ask a person to sign in to a page of ours; `was_signed_in` if their session ended since they saw it."""
        values: dict[str, object] = {"goes_to": goes_to, "was_signed_in": was_signed_in}
        return self._page("sign_in.html", values, form_action=form_action)

    def show(self, template: str, values: dict[str, object]) -> HTMLResponse:
        """Show a page whose template is in one of the other folders."""
        return self._page(template, values)

    def form(self, template: str, values: dict[str, object], *, status: int = 200) -> HTMLResponse:
        """Show a page whose forms are sent to this server."""
        return self._page(template, values, status=status, form_action=("'self'",))

    def _page(
        self, template: str, values: dict[str, object], *, status: int = 200, form_action: Sequence[str] = ("'none'",)
    ) -> HTMLResponse:
        policy = {
            "default-src": "'none'",
            "style-src": self._style_source,
            "form-action": " ".join(form_action),
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
        }
        headers = {
            "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        return HTMLResponse(self._environment.get_template(template).render(values, style=self._style), status, headers)
