"""What Docker asks a running container: is it well? Exit status 0 for yes, 1 for no.

The container's first process tells what runs. Only `calendly-mcp http` has a health to ask for; any other command is
well while its process lives, and Docker sees that itself. The port is that of `CALENDLY_MCP_PORT`, which is how to set
it in a container.
"""

import http.client
import os
import sys
from collections.abc import Sequence
from pathlib import Path

TIMEOUT = 4.0
"""Seconds; below the time-out of HEALTHCHECK, so that the reason is printed."""


def what_ails(first_process: Sequence[str], port: int) -> str | None:
    """Say what is wrong with the container, or None. `first_process` is the command line of process 1."""
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
        what_ails(
            first_process=Path("/proc/1/cmdline").read_text().split("\0"),
            port=int(os.environ.get("CALENDLY_MCP_PORT", "8000")),
        )
    )
