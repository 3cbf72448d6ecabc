"""What a client with the MCP Python SDK remembers of a sign-in, for the length of a test."""

from dataclasses import dataclass

from mcp.client.auth import TokenStorage
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from typing_extensions import override


@dataclass
class Memory(TokenStorage):
    """What an SDK client remembers."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    @override
    async def get_tokens(self) -> OAuthToken | None:
        """Tell the tokens."""
        return self.tokens

    @override
    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Remember them."""
        self.tokens = tokens

    @override
    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Tell the registration."""
        return self.client

    @override
    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Remember it."""
        self.client = client_info
