"""`calendly-mcp tools`: what there is."""

import json
import sys
from collections.abc import Sequence
from typing import Final

from server.cli import Arguments
from tools import ALL
from tools.toolset import Tool

_HEADINGS: Final = ("tool", "endpoint", "scope", "access", "capability", "toolsets")


def run(arguments: Arguments) -> int:
    """Print every tool. Returns the exit status."""
    sys.stdout.write(json.dumps([_facts(tool) for tool in ALL], indent=2) if arguments.as_json else _table(ALL))
    sys.stdout.write("\n")
    sys.stdout.flush()
    return 0


def _facts(tool: Tool) -> dict[str, object]:
    return {
        "name": tool.name,
        "title": tool.title,
        "method": tool.endpoint.method,
        "path": tool.endpoint.path,
        "scope": tool.scope,
        "access": tool.access,
        "capability": tool.capability,
        "toolset": tool.toolsets[0],
        "toolsets": list(tool.toolsets),
        "destructive": tool.destructive,
        "idempotent": tool.idempotent,
        "plan": tool.plan,
        "role": tool.role,
        "webhook_event": tool.webhook_event,
    }


def _table(tools: Sequence[Tool]) -> str:
    rows = [
        _HEADINGS,
        *(
            (tool.name, str(tool.endpoint), tool.scope, tool.access, tool.capability, ",".join(tool.toolsets))
            for tool in tools
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
