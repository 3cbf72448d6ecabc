"""Who is signed in to our own pages.

A person signs in through Calendly (`page_sign_in`); a cookie then says who they are. A page and what its forms do
are routes that get the person; nobody else gets past them:

    page(realm, "/things", show)        async def show(request, session) -> Response
    form(realm, "/things", act)         async def act(request, session, fields) -> Response

A form has a hidden field `secret` with `session.form_secret` in it (the macro `secret` of `macros.html` writes it), so
that no page of anybody else's can send it (CSRF); `fields` are all of its fields. What came of it is said by the page
that the answer leads to, `return await go_on(realm, session, "/things", "It is done.")`, which says it once:
`message = await take_message(realm, session)`. What `show` and `act` need more of, `require` and `take_form` give.

A page of a new path has to be known in two places: `page_sign_in` leads back only to paths that it knows, and
`server.transports.guard` takes forms without a named origin only for those that it knows.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from hmac import compare_digest
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.endpoints import page_session_rows
from auth.endpoints.answers import page_route, see_other
from auth.endpoints.page_session_rows import PageSession
from auth.endpoints.site import Realm
from auth.protocol.errors import Stopped
from auth.protocol.forms import check_origin, only
from auth.protocol.parameters import Pairs, read_form
from auth.protocol.secrets import digest, nonce
from auth.upstream.login import CalendlyPerson

IDLE_LIFE: Final = timedelta(minutes=30)
LIFE: Final = timedelta(hours=12)

_NOTED_EVERY: Final = timedelta(minutes=5)
"""How exactly the time without a request is counted: reading a page should not write each time."""

_MOST_FIELDS: Final = 2000

_FAILED: Final = "That did not work"


def page(realm: Realm, path: str, show: Callable[[Request, PageSession], Awaitable[Response]]) -> Route:
    """Make the route of a page for who is signed in."""

    async def answer(request: Request) -> Response:
        session = await require(realm, request)
        return session if isinstance(session, Response) else await show(request, session)

    return page_route(path, ["GET"], realm.pages, answer, failed=_FAILED)


def form(
    realm: Realm,
    path: str,
    act: Callable[[Request, PageSession, Pairs], Awaitable[Response]],
    *,
    back_to: str | None = None,
) -> Route:
    """Make the route that takes a form.

    Args:
        realm: Ours.
        path: Of the route.
        act: Does what the form says.
        back_to: The page that the form is on, when that has another path.
    """

    async def answer(request: Request) -> Response:
        posted = await take_form(realm, request, back_to=back_to or request.url.path)
        return posted if isinstance(posted, Response) else await act(request, *posted)

    return page_route(path, ["POST"], realm.pages, answer, failed=_FAILED)


async def require(realm: Realm, request: Request) -> PageSession | Response:
    """Return who is signed in, or the page on which to sign in."""
    return await _find(realm, request) or ask_to_sign_in(realm, request.url.path)


async def take_form(realm: Realm, request: Request, *, back_to: str) -> tuple[PageSession, Pairs] | Response:
    """Read a form of one of our pages.

    Args:
        realm: Ours.
        request: The form as it was sent.
        back_to: The page that it was on, for who is not signed in any more.

    Returns:
        Who sent it and its fields, or the page on which to sign in.

    Raises:
        Stopped: It was not shown here to this session.
        InvalidRequest: It cannot be read.
    """
    check_origin(realm.issuer, request)
    fields = await read_form(request, most_fields=_MOST_FIELDS)
    session = await _find(realm, request)
    if session is None:
        return ask_to_sign_in(realm, back_to, was_signed_in=True)
    if not compare_digest((only(fields, "secret") or "").encode(), session.form_secret.encode()):
        raise Stopped("This form was shown to somebody else, or before you signed in. Nothing was done.")
    return session, fields


def ask_to_sign_in(realm: Realm, goes_to: str, *, was_signed_in: bool = False) -> Response:
    """Show the page on which to sign in, which leads on to a path of ours."""
    return realm.pages.sign_in(goes_to, form_action=("'self'", *realm.sign_in_sources), was_signed_in=was_signed_in)


async def go_on(realm: Realm, session: PageSession, path: str, message: str) -> Response:
    """Lead to a page of ours that says what came of a form."""
    async with realm.database.begin() as connection:
        await page_session_rows.set_message(connection, session.digest, message)
    return see_other(f"{realm.issuer}{path}")


async def take_message(realm: Realm, session: PageSession) -> str | None:
    """Return what the page has to say of the form before it, once."""
    if session.message is not None:
        async with realm.database.begin() as connection:
            await page_session_rows.set_message(connection, session.digest, None)
    return session.message


async def begin(realm: Realm, request: Request, person: CalendlyPerson, path: str) -> Response:
    """Begin a session of who just signed in, in place of the browser's last, and lead to a path of ours."""
    secret, now = nonce(realm.random), realm.now()
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
    before = realm.cookies.session(request.cookies)
    async with realm.database.begin() as connection:
        if before is not None:
            await page_session_rows.end(connection, digest(before))
        await page_session_rows.add(connection, begun)
    response = see_other(f"{realm.issuer}{path}")
    realm.cookies.set_session(response, secret)
    return response


async def _find(realm: Realm, request: Request) -> PageSession | None:
    secret, now = realm.cookies.session(request.cookies), realm.now()
    if secret is None:
        return None
    async with realm.database.read() as connection:
        session = await page_session_rows.find(connection, digest(secret), _form_secret(secret), now)
    if session is None:
        return None
    expires_at = min(now + IDLE_LIFE, session.ends_at)
    if expires_at - session.expires_at >= _NOTED_EVERY:
        async with realm.database.begin() as connection:
            await page_session_rows.prolong(connection, session.digest, expires_at)
    return session


def _form_secret(secret: str) -> str:
    """Return what the forms of a session prove themselves with; it tells neither the cookie nor what is stored."""
    return digest(f"form {secret}")
