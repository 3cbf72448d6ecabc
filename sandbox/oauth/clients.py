"""Reads OAuth forms and authenticates the client that sent them."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from sandbox.errors import ApiError
from sandbox.oauth.errors import OAuthRefusal, invalid_client, invalid_request
from sandbox.records.credentials import StoredOAuthClient
from sandbox.records.records import Records

FormFields = dict[str, str]


def single(pairs: Iterable[tuple[str, str]]) -> FormFields:
    """Return the parameters, each of which may be there once (RFC 6749, section 3.1).

    Raises:
        OAuthRefusal: One is there twice.
    """
    form: FormFields = {}
    for name, value in pairs:
        if name in form:
            raise invalid_request(f"{name} is there more than once.")
        form[name] = value
    return form


async def read_form(request: Request) -> FormFields:
    """Read a form-encoded body.

    Raises:
        OAuthRefusal: The body is none.
    """
    try:
        return single(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    except ValueError as error:
        raise invalid_request("The body must be form-encoded.") from error


def authenticate(records: Records, form: FormFields, authorization: str) -> StoredOAuthClient:
    """Return the client, authenticated by HTTP Basic or by the form. A public one has no secret.

    Raises:
        OAuthRefusal: 401 invalid_client.
    """
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "basic":
        identifier, secret = _basic(credentials)
    else:
        identifier, secret = form.get("client_id", ""), form.get("client_secret", "")
    client = records.clients.get(identifier)
    if client is None or not hmac.compare_digest((client.secret or "").encode(), secret.encode()):
        raise invalid_client()
    return client


def _basic(credentials: str) -> tuple[str, str]:
    """Decode id and secret, which are form-encoded inside (RFC 6749, section 2.3.1)."""
    try:
        identifier, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise invalid_client() from error
    return unquote_plus(identifier), unquote_plus(secret)


def answering(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Wrap an OAuth endpoint so that its errors become responses."""

    async def answer_or_refuse(request: Request) -> Response:
        try:
            return await answer(request)
        except OAuthRefusal as error:
            return error.response()
        except ApiError as error:  # the rate limit of token requests
            return error.response()

    return answer_or_refuse
