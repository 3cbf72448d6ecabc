"""Clients: their metadata (RFC 7591, 2), and how they authenticate at /token and /revoke.

Real clients must succeed, so unknown members are ignored and what we cannot give is replaced, as
RFC 7591, 3.2.1 allows. Only what is unsafe or cannot work is refused.
"""

import base64
import binascii
import hmac
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, cast
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from auth.protocol import redirect_uris
from auth.protocol.errors import InvalidClient, InvalidClientMetadata, InvalidRedirectUri, InvalidRequest
from auth.protocol.secrets import digest
from calendly.third_party_text import shown

AuthMethod = Literal["none", "client_secret_post", "client_secret_basic"]
ClientKind = Literal["registered", "document", "agent"]

GRANT_TYPES: Final = ("authorization_code", "refresh_token")
LONGEST_NAME: Final = 200
MOST_REDIRECT_URIS: Final = 20

_log: Final = logging.getLogger(__name__)

_Word = Annotated[str, StringConstraints(max_length=100)]


class ClientMetadata(BaseModel):
    """The members of client metadata that this server uses. Null and the empty string count as absent."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    redirect_uris: tuple[str, ...]
    client_name: Annotated[str, StringConstraints(max_length=LONGEST_NAME)] | None = None
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"  # noqa: S105 - the default of RFC 7591, 2
    grant_types: tuple[_Word, ...] = GRANT_TYPES
    response_types: tuple[_Word, ...] = ("code",)
    application_type: Literal["native", "web"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_placeholders(cls, members: object) -> object:
        if not isinstance(members, Mapping):
            return members
        given = cast("Mapping[object, object]", members)
        return {name: value for name, value in given.items() if value is not None and value != ""}

    @field_validator("redirect_uris", "grant_types", "response_types", mode="before")
    @classmethod
    def _as_tuple(cls, members: object) -> object:
        """Read a list of texts. Whatever else is in it names nothing."""
        if not isinstance(members, list):
            return members
        return tuple(member for member in cast("list[object]", members) if isinstance(member, str))

    @property
    def shown_name(self) -> str | None:
        """The name without what cannot be shown, None when nothing is left."""
        return shown(self.client_name or "") or None

    @property
    def is_public(self) -> bool:
        """Whether the client has no secret."""
        return self.token_endpoint_auth_method == "none"  # noqa: S105 - the name of a method

    @property
    def refreshes(self) -> bool:
        """Whether the client wants refresh tokens."""
        return "refresh_token" in self.grant_types


@dataclass(frozen=True, slots=True)
class Client:
    """A stored client.

    Attributes:
        name: Its own name, fit to be shown and never verified.
        secret_digest: None for a public client.
        approved: A person approved it at least once.
    """

    id: str
    kind: ClientKind
    name: str | None
    redirect_uris: tuple[str, ...]
    auth_method: AuthMethod
    secret_digest: str | None = field(repr=False)
    refreshes: bool
    approved: bool


@dataclass(frozen=True, slots=True)
class Credentials:
    """The client credentials of a request; `secret` is None when it has none."""

    client_id: str
    secret: str | None = field(repr=False)


def read_metadata(document: Mapping[str, object], schemes: Collection[str], ours: str | None = None) -> ClientMetadata:
    """Read the metadata of a client. Redirect URIs that may not be registered are left out (RFC 7591, 3.2.1).

    Args:
        document: The members as they were sent.
        schemes: The private-use schemes allowed in redirect URIs.
        ours: The address of this server, to which no redirect URI may lead.

    Raises:
        InvalidRedirectUri: No redirect URI may be registered.
        InvalidClientMetadata: Another member is invalid.
    """
    try:
        metadata = ClientMetadata.model_validate(document)
    except ValidationError as fault:
        raise _explain(fault.errors(include_url=False, include_input=False)[0]) from None
    if not 1 <= len(metadata.redirect_uris) <= MOST_REDIRECT_URIS:
        raise InvalidRedirectUri(f"redirect_uris must have 1 to {MOST_REDIRECT_URIS} entries.")
    metadata = metadata.model_copy(update={"redirect_uris": _usable(metadata.redirect_uris, schemes, ours)})
    if "authorization_code" not in metadata.grant_types or "code" not in metadata.response_types:
        raise InvalidClientMetadata("This server has only the grant type authorization_code and response type code.")
    return metadata


def read_credentials(form: Mapping[str, str], authorization: str | None) -> Credentials:
    """Find the client in a request: HTTP Basic, the form, or the bare `client_id` of a public client.

    Raises:
        InvalidRequest: It uses two of them (RFC 6749, 2.3).
        InvalidClient: It uses none of them, or the header cannot be read.
    """
    if authorization is None:
        if not form.get("client_id"):
            raise InvalidClient("The request does not say which client it is from.")
        return Credentials(form["client_id"], form.get("client_secret"))
    credentials = _basic(authorization)
    if "client_secret" in form:
        raise InvalidRequest("The client secret is sent twice, in the header and in the form.")
    if form.get("client_id", credentials.client_id) != credentials.client_id:
        raise InvalidRequest("Header and form name different clients.")
    return credentials


def authenticate(client: Client | None, credentials: Credentials) -> Client:
    """Check that the request is from this client.

    A client with a secret may send it in the header or in the form, whichever of the two it
    registered: both prove the same, and several clients mix them up. A public client that sends a
    secret is refused.

    Raises:
        InvalidClient: The client is unknown or deleted, or the secret is wrong.
    """
    if client is None:
        raise InvalidClient("The client is not registered here, or no longer; register again.")
    if client.secret_digest is None and credentials.secret is None:
        return client
    if client.secret_digest is None or credentials.secret is None:
        kind = "without a secret, and sent one" if client.secret_digest is None else "with a secret, and sent none"
        raise InvalidClient(f"The client is registered {kind}.")
    if not hmac.compare_digest(client.secret_digest, digest(credentials.secret)):
        raise InvalidClient("The client secret is not the one that was registered.")
    return client


def _basic(authorization: str) -> Credentials:
    """Decode HTTP Basic. Id and secret are form-encoded in it (RFC 6749, 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        identifier, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        separator = identifier = secret = ""
    client_id = unquote_plus(identifier)
    if scheme.lower() != "basic" or not separator or not client_id or not client_id.isprintable():
        raise InvalidClient("The Authorization header is not HTTP Basic with client id and secret.")
    return Credentials(client_id, unquote_plus(secret) or None)


def _explain(fault: ErrorDetails) -> InvalidClientMetadata | InvalidRedirectUri:
    member = str(fault["loc"][0]) if fault["loc"] else "The document"
    if member == "redirect_uris":
        return InvalidRedirectUri("redirect_uris must be a list of addresses.")
    if member == "token_endpoint_auth_method":
        return InvalidClientMetadata("token_endpoint_auth_method is none, client_secret_post or client_secret_basic.")
    if member == "application_type":
        return InvalidClientMetadata("application_type is native or web.")
    return InvalidClientMetadata(f"{member} cannot be taken: {fault['msg']}.")


def _usable(uris: tuple[str, ...], schemes: Collection[str], ours: str | None) -> tuple[str, ...]:
    """Return the redirect URIs that may be registered. Raises the first InvalidRedirectUri where there is none."""
    usable: list[str] = []
    faults: list[InvalidRedirectUri] = []
    for uri in dict.fromkeys(uris):
        try:
            redirect_uris.check(uri, schemes, ours)
        except InvalidRedirectUri as fault:
            _log.info("a redirect URI is left out, scheme %s: %s", redirect_uris.scheme_of(uri), fault)
            faults.append(fault)
        else:
            usable.append(uri)
    if not usable:
        raise faults[0]
    return tuple(usable)
