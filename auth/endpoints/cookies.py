"""The cookies of this server.

- `BROWSER` is set with the consent page. The form on that page holds a secret of its own and is accepted only together
  with this cookie, so a form that was shown in another browser is refused (CSRF).
- `approval` is set when the person allows a client or starts a sign-in to a page, one for each sign-in under way. It is
  required when Calendly sends the browser back, so a link to somebody else's sign-in is refused.
- `SESSION` says who is signed in to our pages (`page_sessions`). It ends with the browser at the latest.
- `PERSON` holds, sealed, who signed in last. It proves nothing. The next sign-in uses it to ask Calendly for what that
  person's connection has already, so that their other agents lose nothing.

Over https the names have the prefix `__Host-`, so that no other host and no page without TLS can set them. Browsers
refuse that prefix on plain-http loopback, where the names go without it; nothing else is relaxed.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from auth.grants.transactions import TRANSACTION_LIFE
from storage.errors import UnreadableSecret
from storage.keys import KeyRing

_SECRET: Final = re.compile(r"[0-9A-Za-z]{43}")
_SEALED: Final = re.compile(r"[0-9A-Za-z_=-]{1,1000}")
_DIGITS_OF_DIGEST: Final = 12

# A cookie is in no table. These names keep its ciphertext from being opened as anything else.
_PLACE: Final = {"table": "cookie", "row": "person", "column": "uri"}


@dataclass(frozen=True, slots=True)
class Cookie:
    """A kind of cookie.

    Attributes:
        name: Its name, without the prefix.
        life: How long the browser keeps it; None until it is closed.
        form: What a value looks like. Any other value is ignored.
    """

    name: str
    life: timedelta | None
    form: re.Pattern[str] = _SECRET


BROWSER: Final = Cookie("calendly-mcp-browser", TRANSACTION_LIFE)
SESSION: Final = Cookie("calendly-mcp-session", None)
PERSON: Final = Cookie("calendly-mcp-person", timedelta(days=180), _SEALED)


def approval(digest: str) -> Cookie:
    """Return the cookie of the sign-in with this digest. Each has its own: several may run in one browser."""
    return Cookie(f"calendly-mcp-approval-{digest[:_DIGITS_OF_DIGEST]}", TRANSACTION_LIFE)


@dataclass(frozen=True, slots=True)
class CookieJar:
    """Reads and sets cookies.

    Attributes:
        secure: False only if the issuer is plain http on loopback.
        keyring: Seals the hint in `PERSON`.
    """

    secure: bool
    keyring: KeyRing = field(repr=False)

    def read(self, request: Request, cookie: Cookie) -> str | None:
        """Return the value that the browser sent, None if it sent none that we could have set."""
        value = request.cookies.get(self._name(cookie), "")
        return value if cookie.form.fullmatch(value) else None

    def set(self, response: Response, cookie: Cookie, value: str) -> None:
        """Set a cookie."""
        self._set(response, cookie, value, cookie.life)

    def drop(self, response: Response, cookie: Cookie) -> None:
        """Delete a cookie from the browser."""
        self._set(response, cookie, "", timedelta())

    def read_person(self, request: Request) -> str | None:
        """Return the user URI of who signed in last in this browser; None if it is not known or its key is gone."""
        try:
            sealed = base64.urlsafe_b64decode(self.read(request, PERSON) or "")
            return self.keyring.open(sealed, **_PLACE).decode()
        except (UnreadableSecret, binascii.Error):
            return None

    def set_person(self, response: Response, person: str) -> None:
        """Remember who signed in, as a sealed user URI."""
        sealed = self.keyring.seal(person.encode(), **_PLACE)
        self.set(response, PERSON, base64.urlsafe_b64encode(sealed).decode())

    def _set(self, response: Response, cookie: Cookie, value: str, life: timedelta | None) -> None:
        response.set_cookie(
            self._name(cookie),
            value,
            max_age=None if life is None else int(life.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",  # Calendly sends the browser back by a navigation from another site
        )

    def _name(self, cookie: Cookie) -> str:
        return f"__Host-{cookie.name}" if self.secure else cookie.name
