"""POST /token: exchanges codes and refresh tokens for tokens (OAuth 2.1, 3.2 and 4).

`auth.grants.rules` decides on the stored row. Of two requests with the same code or refresh token one comes first, and
the other is decided on what the first left.
"""

import logging
from dataclasses import dataclass, replace
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.audit.log import AuditNote, Decided
from auth.endpoints.answers import NOT_KEPT, json_route
from auth.endpoints.issuing import Issued, begin_family, rotate
from auth.endpoints.site import Site
from auth.grants import client_rows, code_rows, grant_rows, token_rows
from auth.grants.clients import Client, authenticate, read_credentials
from auth.grants.rules import (
    ACCESS_TOKEN_LIFE,
    CodeRequest,
    Redeem,
    RefreshRequest,
    Refuse,
    Revoke,
    Rotate,
    redeem,
    refresh,
)
from auth.protocol.errors import InvalidGrant, OAuthError, UnauthorizedClient, UnsupportedGrantType
from auth.protocol.parameters import Parameters, read_form, required, single
from auth.protocol.scopes import spell
from auth.protocol.secrets import CODE, REFRESH_TOKEN, digest, is_well_formed
from storage.connection import DatabaseConnection

_log: Final = logging.getLogger(__name__)

_CODE: Final = "redeem_code"
_REFRESH: Final = "refresh"
_TOLD: Final = {
    _CODE: "{agent} presented the code of a sign-in of {person}",
    _REFRESH: "{agent} presented a refresh token of {person}",
}
_TOLD_OF_REPEAT: Final = "{agent} presented a used refresh token of {person} again, and got new tokens once more"
_REPLAYED: Final = "it was used before, so what came of it is revoked"


@dataclass(frozen=True, slots=True)
class _TokenOutcome:
    """The result of a transaction.

    Attributes:
        answer: The tokens or the refusal. A refusal is not raised, so that what a replay revokes is committed.
        note: Its entry for the audit log.
    """

    answer: Issued | OAuthError
    note: AuditNote


def token_route(site: Site) -> Route:
    """Make the route."""

    async def answer(request: Request) -> Response:
        address = site.address(request)
        async with site.database.read() as connection:
            await site.check_rate(connection, "failed_token_requests", address)
        try:
            issued = await _answer(site, request)
        except OAuthError:
            async with site.database.begin() as connection:
                await site.count(connection, "failed_token_requests", address)
            raise
        return JSONResponse(_body(issued), headers=NOT_KEPT)

    return json_route("/token", "POST", answer)


async def _answer(site: Site, request: Request) -> Issued:
    form = single(await read_form(request))
    credentials = read_credentials(form, request.headers.get("authorization"))
    async with site.database.read() as connection:
        client = authenticate(await client_rows.find(connection, credentials.client_id), credentials)
    request.state.agent = client.name  # for the log
    match required(form, "grant_type"):
        case "authorization_code":
            outcome = await _redeem(site, client, form)
        case "refresh_token":
            outcome = await _refresh(site, client, form)
        case _:
            raise UnsupportedGrantType("grant_type must be authorization_code or refresh_token.")
    await site.audit_log.note(outcome.note)
    if isinstance(outcome.answer, OAuthError):
        raise outcome.answer
    return outcome.answer


def _body(issued: Issued) -> dict[str, object]:
    body: dict[str, object] = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": int(ACCESS_TOKEN_LIFE.total_seconds()),
        "scope": spell(issued.scopes),
    }
    return body if issued.refresh_token is None else {**body, "refresh_token": issued.refresh_token}


async def _redeem(site: Site, client: Client, form: Parameters) -> _TokenOutcome:
    presented = required(form, "code")
    asked = CodeRequest(client.id, form.get("redirect_uri"), form.get("code_verifier"), form.get("resource"))
    async with site.database.begin() as connection:
        # Once more if another request was faster: then it is a replay.
        outcome = await _try_to_redeem(site, connection, client, presented, asked) or (
            await _try_to_redeem(site, connection, client, presented, asked)
        )
    return outcome or _refused(_CODE, client, InvalidGrant("The code was used before."))


async def _try_to_redeem(
    site: Site, connection: DatabaseConnection, client: Client, presented: str, asked: CodeRequest
) -> _TokenOutcome | None:
    """Decide about a code and carry the decision out. Returns None if the row changed meanwhile."""
    code_digest, now = digest(presented), site.now()
    code = await code_rows.find(connection, code_digest) if is_well_formed(presented, CODE) else None
    grant = code.grant if code else None
    person = await grant_rows.find_person(connection, grant)
    match redeem(code, asked, now):
        case Redeem(code):
            if not await code_rows.use(connection, code_digest, now):
                return None
            await client_rows.mark_used(connection, client.id, now)
            issued = await begin_family(site, connection, client, code, code_digest)
            return _TokenOutcome(issued, _note(_CODE, client, grant, person))
        case Revoke(error):
            _log.warning("a code of the client %s was replayed: what it gave is revoked", client.id)
            await token_rows.end_family_of_code(connection, code_digest, now)
            return _TokenOutcome(error, _note(_CODE, client, grant, person, rule=_REPLAYED))
        case Refuse(error):
            return _refused(_CODE, client, error, grant, person)


async def _refresh(site: Site, client: Client, form: Parameters) -> _TokenOutcome:
    presented = required(form, "refresh_token")
    if not client.refreshes:
        return _refused(_REFRESH, client, UnauthorizedClient("This client did not register for refresh tokens."))
    asked = RefreshRequest(client.id, form.get("resource"), form.get("scope"))
    async with site.database.begin() as connection:
        return await _decide_refresh(site, connection, client, presented, asked)


async def _decide_refresh(
    site: Site, connection: DatabaseConnection, client: Client, presented: str, asked: RefreshRequest
) -> _TokenOutcome:
    """Decide about a refresh token and carry the decision out."""
    now, known = site.now(), is_well_formed(presented, REFRESH_TOKEN)
    token = await token_rows.find_refresh_token(connection, digest(presented), to_change=True) if known else None
    grant = token.grant if token else None
    person = await grant_rows.find_person(connection, grant)
    match refresh(token, asked, now, site.refresh_grace):
        case Rotate(token, scopes):
            await client_rows.mark_used(connection, client.id, now)
            note = _note(_REFRESH, client, grant, person)
            if token.uses:
                note = replace(note, told=_TOLD_OF_REPEAT)
            return _TokenOutcome(await rotate(site, connection, presented, token, scopes), note)
        case Revoke(error):
            if token is not None:
                _log.warning("a refresh token was replayed by the client %s: its family is revoked", client.id)
                await token_rows.end_family(connection, token.family, now)
            return _TokenOutcome(error, _note(_REFRESH, client, grant, person, rule=_REPLAYED))
        case Refuse(error):
            return _refused(_REFRESH, client, error, grant, person)


def _refused(
    action: Decided, client: Client, error: OAuthError, grant: str | None = None, person: str | None = None
) -> _TokenOutcome:
    return _TokenOutcome(error, _note(action, client, grant, person, rule=error.description.rstrip(".")))


def _note(
    action: Decided, client: Client, grant: str | None, person: str | None, *, rule: str | None = None
) -> AuditNote:
    return AuditNote(
        action=action,
        told=_TOLD[action],
        person=person,
        agent=client.name or "",
        grant=grant,
        decision="allowed" if rule is None else "refused",
        rule=rule,
        source=None if rule is None else "server",
    )
