"""Sessions of people on our own pages.

A person signs in through Calendly (`page_sign_in`); a cookie then says who they are. A page and each of its forms is a
route. Its handler gets the session of the person; nobody else reaches it:

    page(site, "/things", show)        async def show(request, session) -> Response
    form(site, "/things", act)         async def act(request, session, fields) -> Response

A form contains the hidden field `secret` (the macro `secret` in `macros.html` writes it), so that no page of another
site can send it (CSRF). The answer to a form redirects to a page that says once what was done:

    return await go_on(site, session, "/things", "It is done.")
    message = await take_message(site, session)
"""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hmac import compare_digest
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from auth.endpoints import page_session_rows
from auth.endpoints.answers import page_route
from auth.endpoints.cookies import SESSION
from auth.endpoints.page_session_rows import PageSession
from auth.endpoints.redirects import see_other
from auth.endpoints.site import Site
from auth.protocol.errors import Stopped
from auth.protocol.parameters import Pairs, only, read_page_form
from auth.protocol.secrets import digest, nonce
from auth.upstream.login import CalendlyPerson

IDLE_LIFE: Final = timedelta(minutes=30)
LIFE: Final = timedelta(hours=12)

_NOTED_EVERY: Final = timedelta(minutes=5)
"""How often at most the end of a session is moved, so that not every request writes."""

_MOST_FIELDS: Final = 2000

_FAILED: Final = "That did not work"

_PAGE: Final = "page"
"""The name of the route of each page."""

_PATH: Final = re.compile(r"(?:/[0-9A-Za-z-]{1,100})+")


def page(site: Site, path: str, show: Callable[[Request, PageSession], Awaitable[Response]]) -> Route:
    """Make the route of a page for a person who is signed in."""

    async def answer(request: Request) -> Response:
        session = await _find(site, request)
        return await show(request, session) if session else _ask_to_sign_in(site, request.url.path)

    route = page_route(path, "GET", site.pages, answer, failed=_FAILED)
    route.name = _PAGE
    return route


def is_page(request: Request, path: str) -> bool:
    """Say whether a path leads to a page of ours, so that a sign-in may end there (open redirects, RFC 9700, 4.11)."""
    routes: list[BaseRoute] = request.app.routes
    pages = (route for route in routes if isinstance(route, Route) and route.name == _PAGE)
    return _PATH.fullmatch(path) is not None and any(page.path_regex.match(path) for page in pages)


def form(
    site: Site,
    path: str,
    act: Callable[[Request, PageSession, Pairs], Awaitable[Response]],
    *,
    back_to: str | None = None,
) -> Route:
    """Make the route that takes a form.

    Args:
        site: The server.
        path: The path of the route.
        act: Does what the form says.
        back_to: The path of the page with the form, if it differs.
    """

    async def answer(request: Request) -> Response:
        fields = await read_page_form(request, site.issuer, most_fields=_MOST_FIELDS)
        session = await _find(site, request)
        if session is None:
            return _ask_to_sign_in(site, back_to or request.url.path, was_signed_in=True)
        if not compare_digest((only(fields, "secret") or "").encode(), session.form_secret.encode()):
            raise Stopped("This form was shown to somebody else, or before you signed in. Nothing was done.")
        return await act(request, session, fields)

    return page_route(path, "POST", site.pages, answer, failed=_FAILED)


async def go_on(site: Site, session: PageSession, path: str, message: str) -> Response:
    """Redirect to a page of ours that says what a form did."""
    async with site.database.begin() as connection:
        await page_session_rows.set_message(connection, session.digest, message)
    return see_other(f"{site.issuer}{path}")


async def take_message(site: Site, session: PageSession) -> str | None:
    """Return what the page has to say about the last form, and forget it."""
    if session.message is not None:
        async with site.database.begin() as connection:
            await page_session_rows.set_message(connection, session.digest, None)
    return session.message


async def begin(site: Site, request: Request, person: CalendlyPerson, path: str) -> Response:
    """Start a session that replaces the one of the browser, and redirect to a path of ours."""
    secret, now = nonce(site.random), site.now()
    begun = PageSession(
        digest=digest(secret),
        person=person.uri,
        name=person.name,
        email=person.email,
        timezone=person.timezone,
        message=None,
        ends_at=now + LIFE,
        expires_at=now + IDLE_LIFE,
        form_secret=_form_secret(secret),
    )
    before = site.cookies.read(request, SESSION)
    async with site.database.begin() as connection:
        if before is not None:
            await page_session_rows.end(connection, digest(before))
        await page_session_rows.add(connection, begun)
    response = see_other(f"{site.issuer}{path}")
    site.cookies.set(response, SESSION, secret)
    return response


async def _find(site: Site, request: Request) -> PageSession | None:
    secret, now = site.cookies.read(request, SESSION), site.now()
    if secret is None:
        return None
    async with site.database.read() as connection:
        session = await page_session_rows.find(connection, digest(secret), _form_secret(secret), now)
    if session is None:
        return None
    expires_at = min(now + IDLE_LIFE, session.ends_at)
    if expires_at - session.expires_at >= _NOTED_EVERY:
        async with site.database.begin() as connection:
            await page_session_rows.prolong(connection, session.digest, expires_at)
    return session


def _ask_to_sign_in(site: Site, goes_to: str, *, was_signed_in: bool = False) -> Response:
    return site.pages.sign_in(goes_to, form_action=("'self'", *site.sign_in_sources), was_signed_in=was_signed_in)


def _form_secret(secret: str) -> str:
    """Return the secret in the forms of a session. Neither the cookie nor its stored digest follows from it."""
    return digest(f"form {secret}")
