"""Checks the health of a running container for Docker. The exit status is 0 for healthy, else 1.

The command line of the first process tells what runs. Only `calendly-mcp http` has a health
endpoint; any other command is healthy while its process lives, which Docker sees itself. The port
is `CALENDLY_MCP_PORT`, the way to set it in a container.
"""

import http.client
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

TIMEOUT: Final = 4.0
"""Seconds, below the timeout of HEALTHCHECK, so that the reason is printed."""


def problem_of(first_process: Sequence[str], port: int) -> str | None:
    """Return what is wrong with the container, or None.

    `first_process` is the command line of process 1.
    """
    if "http" not in first_process:
        return None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"no answer on port {port}: {error!r}"
    finally:
        connection.close()
    return None if status == http.HTTPStatus.OK else f"/healthz answers {status}"


if __name__ == "__main__":
    sys.exit(
        problem_of(
            first_process=Path("/proc/1/cmdline").read_text().split("\0"),
            port=int(os.environ.get("CALENDLY_MCP_PORT", "8000")),
        )
    )
