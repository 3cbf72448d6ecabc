"""The cookies: two that tie a sign-in to one browser, one of who is signed in to our pages, and a hint.

The *browser* cookie is set with the consent page. The page's form has a secret of its own and is taken only together
with this cookie, so a form that somebody else was shown is worth nothing here (CSRF).

An *approval* cookie is set when the person allows a client or sets out for a page of ours, one for each sign-in under
way, and is asked for when Calendly sends the browser back: whoever is lured onto somebody else's way back does not have
it.

The *session* cookie is who a person is on our own pages (`page_sessions`); it ends with the browser at the latest.

The *person* cookie remembers, sealed, who signed in here last. It proves nothing: by it the next sign-in asks Calendly
for what that person's connection has already, so that no other agent of theirs loses it.

Over https the names have the prefix `__Host-`, so that no other host and no page without TLS can plant them. On
plain-http loopback browsers refuse that prefix; there the names go without, and nothing else is relaxed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.responses import Response

BROWSER: Final = "calendly-mcp-browser"
APPROVAL: Final = "calendly-mcp-approval"
PERSON: Final = "calendly-mcp-person"
SESSION: Final = "calendly-mcp-session"

_VALUE: Final = re.compile(r"[0-9A-Za-z]{43}")
_HINT: Final = re.compile(r"[0-9A-Za-z_=-]{1,1000}")
_HINT_LIFE: Final = timedelta(days=180)
_DIGEST_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class CookieJar:
    """Names, sets and reads our cookies; `secure` unless the issuer is plain http on loopback."""

    secure: bool

    def browser(self, cookies: Mapping[str, str]) -> str | None:
        """Return the secret of the browser that asks, None when it has none that we could have given."""
        return self._read(cookies, BROWSER, _VALUE)

    def set_browser(self, response: Response, secret: str, life: timedelta) -> None:
        """Let the browser keep its secret for as long as a consent page is good."""
        self._set(response, BROWSER, secret, life)

    def approval(self, cookies: Mapping[str, str], transaction: str) -> str | None:
        """Return the secret that the browser got when the person approved this sign-in."""
        return self._read(cookies, _of(transaction), _VALUE)

    def set_approval(self, response: Response, transaction: str, secret: str, life: timedelta) -> None:
        """Let the browser keep the secret of one approved sign-in, which `transaction` is the digest of."""
        self._set(response, _of(transaction), secret, life)

    def drop_approval(self, response: Response, transaction: str) -> None:
        """Let the browser forget an approved sign-in that is over."""
        self._set(response, _of(transaction), "", timedelta())

    def person(self, cookies: Mapping[str, str]) -> str | None:
        """Return the sealed hint of who signed in here last."""
        return self._read(cookies, PERSON, _HINT)

    def set_person(self, response: Response, hint: str) -> None:
        """Let the browser keep the sealed hint."""
        self._set(response, PERSON, hint, _HINT_LIFE)

    def drop_person(self, response: Response) -> None:
        """Let the browser forget who signed in here last."""
        self._set(response, PERSON, "", timedelta())

    def session(self, cookies: Mapping[str, str]) -> str | None:
        """Return the secret of who is signed in to our pages."""
        return self._read(cookies, SESSION, _VALUE)

    def set_session(self, response: Response, secret: str) -> None:
        """Let the browser keep the secret until it is closed."""
        self._set(response, SESSION, secret, None)

    def drop_session(self, response: Response) -> None:
        """Let the browser forget who was signed in."""
        self._set(response, SESSION, "", timedelta())

    def _set(self, response: Response, name: str, secret: str, life: timedelta | None) -> None:
        response.set_cookie(
            self._name(name),
            secret,
            max_age=None if life is None else int(life.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",  # the way back from Calendly is a navigation from another site
        )

    def _read(self, cookies: Mapping[str, str], name: str, form: re.Pattern[str]) -> str | None:
        value = cookies.get(self._name(name), "")
        return value if form.fullmatch(value) else None

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.secure else name


def _of(transaction: str) -> str:
    """Name the cookie of one sign-in, so that two under way in one browser do not get into each other's way."""
    return f"{APPROVAL}-{transaction[:_DIGEST_SHOWN]}"
