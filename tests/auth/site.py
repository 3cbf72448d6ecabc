"""Our side of a sign-in: the server's endpoints, a client of ours, and a person at a browser."""

import base64
import json
import os
import re
import ssl
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from html import unescape
from typing import Any, Final, cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.access.levels import UNLIMITED
from auth.access.text import spell_access
from auth.authorization import Authorization
from auth.endpoints.html import Pages
from auth.endpoints.site import Site
from auth.grants.bearer import Bearer
from auth.grants.client_documents import DocumentFetcher
from auth.grants.public_network import PublicNetwork
from auth.protocol.pkce import s256
from auth.protocol.redirect_uris import PRIVATE_USE_SCHEMES
from auth.protocol.scopes import least, spell
from calendly.scopes import SCOPES, includes
from server.calls.principal import operation_of
from storage.database import Database
from tests.audit_log import audit_log_in
from tests.auth.calendly_side import KEYRING, Calendly, Clock, connections, consent
from tests.consent_forms import Levels, levels_on
from tools import GUIDE_TOOLS

ISSUER: Final = "https://mcp.example"
RESOURCE: Final = f"{ISSUER}/mcp"
BACK: Final = "https://agent.example/callback"
VERIFIER: Final = "v" * 43
STATE: Final = "what the client wants to see again"

OPERATIONS: Final = tuple(map(operation_of, GUIDE_TOOLS))
OFFERED: Final = least({operation.scope for operation in OPERATIONS}, SCOPES)

Json = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """A consent page as a browser sees it."""

    response: httpx2.Response
    secret: str
    levels: Levels

    def filled(self, decision: str = "allow", access: str | None = None) -> list[tuple[str, str]]:
        """Return what pressing a button sends, with these levels instead of those preselected."""
        return [("transaction", self.secret), *self.levels.fields(access), ("decision", decision)]


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint answered."""

    access: str
    refresh: str
    scope: str


@dataclass
class Served:
    """A server, its database and the Calendly it federates to."""

    site: Site
    calendly: Calendly
    app: Starlette

    @property
    def clock(self) -> Clock:
        """The clock of both."""
        return self.calendly.clock

    def browser(self, address: str = "203.0.113.7") -> "Browser":
        """Start a browser without cookies."""
        return Browser(self, self.http(address))

    def http(self, address: str = "203.0.113.7") -> httpx2.AsyncClient:
        """Make an HTTP client at this address."""
        transport = httpx2.ASGITransport(self.app, client=(address, 50000))
        return httpx2.AsyncClient(transport=transport, base_url=self.site.issuer)

    async def post(
        self, path: str, form: dict[str, str] | list[tuple[str, str]], address: str = "203.0.113.7", **headers: str
    ) -> httpx2.Response:
        """Send a form as a program does."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        async with self.http(address) as http:
            return await http.post(path, content=urlencode(form), headers=sent)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """Ask as a program does."""
        async with self.http() as http:
            return await http.get(path, headers=headers)

    async def register(self, **metadata: object) -> Json:
        """Register a client, public unless it says otherwise."""
        response = await self.try_to_register(
            {"redirect_uris": [BACK], "token_endpoint_auth_method": "none", "client_name": "Agent", **metadata}
        )
        assert response.status_code == 201, response.text
        return cast("Json", response.json())

    async def try_to_register(self, metadata: object, address: str = "203.0.113.7") -> httpx2.Response:
        """Send a registration."""
        async with self.http(address) as http:
            return await http.post(
                "/register", content=json.dumps(metadata), headers={"Content-Type": "application/json"}
            )

    async def sign_in(self, client: Json | None = None, *, scope: str | None = None, person: int = 0) -> Tokens:
        """Go through a whole sign-in."""
        client = client or await self.register()
        code = await self.code(client, scope=scope, person=person)
        return await self.redeem(client, code)

    async def code(self, client: Json, *, scope: str | None = None, person: int = 0) -> str:
        """Go through a sign-in up to the code."""
        browser = self.browser()
        back = await browser.sign_in(self.request(client, scope=scope), person=person)
        return back["code"]

    def request(self, client: Json, /, **changes: str | None) -> dict[str, str]:
        """Return a good authorization request, with changes; None leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": client["client_id"],
            "redirect_uri": client["redirect_uris"][0],
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
            "state": STATE,
            "resource": self.site.resource,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    async def try_to_redeem(self, client: Json, code: str, /, **changes: str | None) -> httpx2.Response:
        """Present a code, as a public client unless it has a secret."""
        form = {
            "grant_type": "authorization_code",
            "client_id": client["client_id"],
            "client_secret": client.get("client_secret"),
            "code": code,
            "redirect_uri": client["redirect_uris"][0],
            "code_verifier": VERIFIER,
            **changes,
        }
        return await self.post("/token", {name: value for name, value in form.items() if value is not None})

    async def redeem(self, client: Json, code: str) -> Tokens:
        """Present a code that is good."""
        return tokens_of(await self.try_to_redeem(client, code))

    async def try_to_refresh(self, client: Json, refresh_token: str, /, **changes: str | None) -> httpx2.Response:
        """Present a refresh token."""
        form = {
            "grant_type": "refresh_token",
            "client_id": client["client_id"],
            "client_secret": client.get("client_secret"),
            "refresh_token": refresh_token,
            **changes,
        }
        return await self.post("/token", {name: value for name, value in form.items() if value is not None})

    async def refresh(self, client: Json, refresh_token: str, **changes: str | None) -> Tokens:
        """Present a refresh token that is good."""
        return tokens_of(await self.try_to_refresh(client, refresh_token, **changes))

    async def revoke(self, client: Json, token: str) -> httpx2.Response:
        """Revoke a token."""
        return await self.post("/revoke", {"client_id": client["client_id"], "token": token})

    async def call(self, bearer: str | None, address: str = "203.0.113.7", **headers: str) -> httpx2.Response:
        """Call the MCP endpoint, which here answers who calls."""
        sent = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        async with self.http(address) as http:
            return await http.post("/mcp", headers={**sent, **headers})

    async def is_live(self, access_token: str) -> bool:
        """Say whether an access token is good."""
        return (await self.call(access_token)).status_code == 200

    async def fault(self, method: str, path: str, status: int, **more: object) -> None:
        """Have the sandbox answer its next such request with this."""
        async with httpx2.AsyncClient() as http:
            fault = {"method": method, "path": path, "status": status, **more}
            assert (await http.post(f"{self.calendly.url}/_sandbox/faults", json=fault)).status_code == 200

    def advance(self, **time: float) -> None:
        """Let time pass for us and for Calendly."""
        self.clock.advance(timedelta(**time))


@dataclass
class Browser:
    """A person's browser: it keeps cookies and follows nothing by itself."""

    served: Served
    http: httpx2.AsyncClient

    async def open(self, parameters: dict[str, str] | list[tuple[str, str]]) -> httpx2.Response:
        """Follow a client's link to /authorize."""
        return await self.http.get(f"/authorize?{urlencode(parameters)}")

    async def consent_form(self, parameters: dict[str, str]) -> Form:
        """Follow a client's link to the consent page."""
        response = await self.open(parameters)
        assert response.status_code == 200, response.text
        found = re.search(r'name="transaction" value="([^"]+)"', response.text)
        assert found, response.text
        return Form(response, found[1], levels_on(response.text))

    async def submit(self, fields: list[tuple[str, str]], path: str = "/consent", **headers: str) -> httpx2.Response:
        """Send a form, the consent form unless another is meant, as Chromium does from a page without referrer."""
        sent = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": "null",
            "Sec-Fetch-Site": "same-origin",
            **headers,
        }
        return await self.http.post(path, content=urlencode(fields), headers=sent)

    async def approve(self, parameters: dict[str, str], access: str | None = None) -> str:
        """Allow what a client asks for, and return the address at Calendly that the browser is sent to."""
        form = await self.consent_form(parameters)
        response = await self.submit(form.filled(access=access))
        assert response.status_code == 303, response.text
        return response.headers["Location"]

    async def see(self, path: str) -> httpx2.Response:
        """Open a page of ours."""
        return await self.http.get(path)

    async def set_out(self, path: str) -> str:
        """Press the button that signs in to a page, and return the address at Calendly."""
        response = await self.submit([("to", path)], "/sign-in")
        assert response.status_code == 303, response.text
        return response.headers["Location"]

    async def sign_in_to(self, path: str = "/connections", *, person: int = 0) -> httpx2.Response:
        """Sign in to a page of ours, and open it."""
        response = await self.return_from_calendly(await consent(await self.set_out(path), person=person))
        assert response.headers["Location"] == f"{self.served.site.issuer}{path}"
        return await self.see(path)

    async def send(self, page: httpx2.Response, path: str, *fields: tuple[str, str]) -> httpx2.Response:
        """Send a form of a page, and open the page that it leads to."""
        response = await self.submit([("secret", secret_of(page)), *fields], path)
        return await self.see(response.headers["Location"]) if response.status_code == 303 else response

    async def return_from_calendly(self, answer: dict[str, str]) -> httpx2.Response:
        """Come back from Calendly with its answer."""
        return await self.http.get(f"/oauth/callback?{urlencode(answer)}")

    async def sign_in(
        self, parameters: dict[str, str], *, person: int = 0, access: str | None = None
    ) -> dict[str, str]:
        """Go the whole way, and return what the client's redirect URI is told."""
        address = await self.approve(parameters, access)
        response = await self.return_from_calendly(await consent(address, person=person))
        assert response.status_code == 303, response.text
        return query_of(response.headers["Location"])


def secret_of(page: httpx2.Response) -> str:
    """Read what the forms of a page prove themselves with."""
    found = re.search(r'name="secret" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def tokens_of(response: httpx2.Response) -> Tokens:
    """Read a token answer."""
    assert response.status_code == 200, response.text
    body = response.json()
    return Tokens(body["access_token"], body.get("refresh_token", ""), body["scope"])


def query_of(address: str) -> dict[str, str]:
    """Read the parameters of an address, each of which must be there once."""
    found = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in found.values()), address
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def link_back(page: httpx2.Response) -> str | None:
    """Return where the link of an error or result page leads."""
    found = re.search(r'<a class="button main" href="([^"]+)"', page.text)
    return unescape(found[1]) if found else None


@cache
def _pages() -> Pages:
    """Return one for all tests: Jinja compiles each template once."""
    return Pages()


def make_site(database: Database, calendly: Calendly) -> Site:
    """Put together what the endpoints share; `dataclasses.replace` makes another of it."""
    return Site(
        issuer=ISSUER,
        ceiling=UNLIMITED,
        operations=OPERATIONS,
        registered=frozenset(SCOPES),
        calendly_issuers=frozenset({calendly.url}),
        sign_in_sources=(calendly.url,),
        database=database,
        keyring=KEYRING,
        upstream=calendly.login,
        connections=connections(database, calendly.login, calendly.clock),
        documents=DocumentFetcher(PublicNetwork(), ssl.create_default_context, PRIVATE_USE_SCHEMES),
        pages=_pages(),
        audit_log=audit_log_in(database, KEYRING, calendly.clock.now),
        now=calendly.clock.now,
        random=os.urandom,
    )


def serve(site: Site, calendly: Calendly) -> Served:
    """Put a server together. Its MCP endpoint answers who calls, or 403 without the scopes that `X-Needs` names."""
    authorization = Authorization(site)

    async def mcp(request: Request) -> Response:
        caller = await authorization.authenticate(request)
        if not isinstance(caller, Bearer):
            return caller
        needed = request.headers.get("x-needs", "").split()
        if not includes(caller.scopes, needed):
            return authorization.forbid(caller, needed)
        told = {field.name: getattr(caller, field.name) for field in fields(caller)}
        del told["connection"]
        return JSONResponse(
            {**told, "access": spell_access(caller.access), "scopes": spell(caller.scopes), "granted": None}
        )

    return Served(site, calendly, Starlette(routes=[*authorization.routes(), Route("/mcp", mcp, methods=["POST"])]))


def basic(client_id: str, secret: str) -> str:
    """Write an HTTP Basic header."""
    return f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"
