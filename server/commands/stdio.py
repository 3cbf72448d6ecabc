"""`calendly-mcp stdio`: MCP over stdin and stdout."""

from functools import partial

import anyio

from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings, load
from server.local.serving import serving
from server.transports.stdio import serve_stdio


def run(arguments: CommandLine) -> int:
    """Serve one client until its input ends. Returns the exit status."""
    settings = load("stdio", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    anyio.run(partial(_serve, settings))
    return 0


async def _serve(settings: Settings) -> None:
    async with serving(settings) as server:
        await serve_stdio(server.mcp, after_list=server.audit_log.open_soon)
