"""Registering this server at Calendly where nobody made an application for it (RFC 8414 and RFC 7591).

Calendly's own MCP server lets its clients do this. The token answer says what Calendly grants to such a client.
"""

import re
from collections.abc import Iterable
from typing import Final, cast

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from auth.upstream.application import Application, check_endpoint
from auth.upstream.exchange import answered, ask
from auth.upstream.login import LoginRefused
from calendly.request import JSON

CLIENT_NAME: Final = "MCP Server for Calendly"
# Calendly turned a well-known client away because its name has parentheses.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ]{0,99}")

_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "registration_endpoint")
_LONGEST_ID: Final = 512


async def register(issuer: str, redirect_uri: str, scopes: Iterable[str], *, name: str = CLIENT_NAME) -> Application:
    """Register a public client, whose proof is PKCE, and return it.

    Args:
        issuer: `CALENDLY_ISSUER`; its metadata must name the same issuer.
        redirect_uri: Where Calendly may send browsers back to.
        scopes: What the client may ask for (`CALENDLY_SCOPES`).
        name: What Calendly shows to people: letters, digits and spaces.

    Raises:
        CalendlyLoginError: There is no such metadata, it names a foreign address, or Calendly refuses.
        ValueError: The name has other characters.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("The name of a client at Calendly has letters, digits and spaces only.")
    asked = {
        "client_name": name,
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": " ".join(scopes),
    }
    endpoints = await _discover(issuer)
    answer = answered(await ask("POST", endpoints["registration_endpoint"], json=asked))
    return _read(answer, endpoints)


class _Metadata(AuthorizationServerMetadata):
    """The members of the metadata that are read. Others are not validated."""

    REGISTRY_KEYS = ["issuer", *_ENDPOINTS, "code_challenge_methods_supported"]  # noqa: RUF012 - Authlib's attribute


async def _discover(issuer: str) -> dict[str, str]:
    """Read the metadata of the issuer (RFC 8414) and return its endpoints by their names."""
    address = check_endpoint(get_well_known_url(issuer.rstrip("/"), external=True), issuer)
    metadata = _Metadata(answered(await ask("GET", address)))
    try:
        metadata.validate()
    except (ValueError, TypeError, AttributeError):  # Authlib expects addresses to be texts
        raise LoginRefused("Calendly's metadata is not what RFC 8414 demands.") from None
    if str(metadata["issuer"]).rstrip("/") != issuer.rstrip("/"):
        # RFC 8414, 3.3: metadata of another issuer must not be used.
        raise LoginRefused("Calendly's metadata names another issuer than the one that was asked.")
    methods = cast("list[object] | None", metadata.get("code_challenge_methods_supported"))
    if "S256" not in (methods or ["S256"]):
        raise LoginRefused("Calendly's metadata offers no PKCE with S256.")
    return {name: check_endpoint(str(metadata.get(name)), issuer) for name in _ENDPOINTS}


def _read(answer: JSON, endpoints: dict[str, str]) -> Application:
    """Read the registration. The server may make a public client confidential (RFC 7591, 3.2.1)."""
    client_id, secret = answer.get("client_id"), answer.get("client_secret")
    public = answer.get("token_endpoint_auth_method", "none") == "none"
    if not isinstance(client_id, str) or not 0 < len(client_id) <= _LONGEST_ID or not isinstance(secret, str | None):
        raise LoginRefused("Calendly's registration answer could not be read.")
    return Application(
        client_id=client_id,
        client_secret=None if public else secret,
        authorization_endpoint=endpoints["authorization_endpoint"],
        token_endpoint=endpoints["token_endpoint"],
        revocation_endpoint=endpoints["revocation_endpoint"],
    )
