"""The hosted endpoint where the name of each callback leads to this machine: python -m tests.e2e.led_server PORT PEM.

Names of callbacks have to be public, and no test has a public address.
"""

import os
import ssl
import sys

import anyio

from server.configuration.loading import load
from server.configuration.logs import log_to_stderr
from server.hosted.hosting import Outside, hosted_selection, hosting
from server.hosted.site import utc_now
from server.transports.http import serve_http
from server.transports.listening import listen
from tests.events.outgoing.callback_host import CallbackHost


async def main(port: int, certificate: str) -> None:
    """Serve until a signal asks to stop.

    Args:
        port: Where the callbacks are answered.
        certificate: The file of the certificate that they have.
    """
    settings = load("http", {}, environ=os.environ)
    log_to_stderr(settings.log_level, settings.log_format)
    host = CallbackHost(port, ssl.create_default_context(cafile=certificate))
    outside = Outside(poster=host.poster(now=utc_now))
    with listen("127.0.0.1", 0) as (listener, address):
        async with hosting(settings, hosted_selection(settings), address, outside) as app:
            await serve_http(app, listener, f"ready: {address}/mcp", 1.0)


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]), sys.argv[2])
