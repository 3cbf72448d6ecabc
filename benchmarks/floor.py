"""The floor, with which the product is compared: the bare MCP SDK.

python benchmarks/floor.py stdio             one tool that does nothing
python benchmarks/floor.py http UPSTREAM     one tool that asks the upstream for a user, on a free port
"""

import sys
from typing import Any

import httpx2
from mcp.server import MCPServer


def nothing() -> None:
    """Do nothing."""


def add_get_user(server: MCPServer, upstream: str) -> None:
    """Add a plain tool that makes one request."""
    http = httpx2.AsyncClient(trust_env=False)

    async def get_user(user: str) -> dict[str, Any]:
        """Look up a user."""
        answer = await http.get(f"{upstream}/users/{user}", headers={"Authorization": "Bearer token"})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()["resource"]
        return found

    server.add_tool(get_user)


def serve_http(server: MCPServer) -> None:
    """Serve like the product: stateless, with the same settings of uvicorn."""
    import socket  # noqa: PLC0415 - only this transport needs the three, and the start of the other is measured

    import anyio  # noqa: PLC0415 - the same
    import uvicorn  # noqa: PLC0415 - the same

    # asyncio sets TCP_NODELAY only where the socket names its protocol. uvicorn's own sockets do.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    app = server.streamable_http_app(stateless_http=True)
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none")
    sys.stderr.write(f"ready: http://127.0.0.1:{listener.getsockname()[1]}/mcp\n")
    sys.stderr.flush()
    anyio.run(uvicorn.Server(config).serve, [listener])


def main(transport: str, *upstream: str) -> None:
    """Serve on a transport."""
    # The product logs each call; the floor logs nothing, to be as low as possible.
    server = MCPServer("floor", log_level="WARNING")
    if upstream:
        add_get_user(server, *upstream)
    else:
        server.add_tool(nothing)
    if transport == "http":
        serve_http(server)
    else:
        server.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
