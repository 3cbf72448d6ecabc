"""`calendly-mcp tools`: what there is."""

import json
import sys
from collections.abc import Sequence
from typing import Final

from server.configuration.command_line import CommandLine
from tools import ALL
from tools.toolset.tool import EndpointTool, Tool

_HEADINGS: Final = ("tool", "endpoint", "scope", "access", "capability", "toolsets")
_OF_ENDPOINTS: Final = ("method", "path", "plan", "role", "webhook_event")


def run(arguments: CommandLine) -> int:
    """Print every tool. Returns the exit status."""
    sys.stdout.write(json.dumps([_facts(tool) for tool in ALL], indent=2) if arguments.as_json else _table(ALL))
    sys.stdout.write("\n")
    sys.stdout.flush()
    return 0


def _facts(tool: Tool) -> dict[str, object]:
    """What there is to say of a tool; of what only an endpoint has, a workflow has nothing."""
    return {
        "name": tool.name,
        "title": tool.title,
        **dict.fromkeys(_OF_ENDPOINTS),
        "calls": [str(endpoint.endpoint) for endpoint in tool.calls],
        "scope": " ".join(tool.scopes),
        "access": tool.access,
        "capability": tool.capabilities[0],
        "toolset": tool.toolsets[0],
        "toolsets": list(tool.toolsets),
        "destructive": tool.destructive,
        "idempotent": tool.idempotent,
        **(_endpoint(tool) if isinstance(tool, EndpointTool) else {}),
    }


def _endpoint(tool: EndpointTool) -> dict[str, object]:
    facts = (tool.endpoint.method, tool.endpoint.path, tool.plan, tool.role, tool.webhook_event)
    return dict(zip(_OF_ENDPOINTS, facts, strict=True))


def _table(tools: Sequence[Tool]) -> str:
    rows = [
        _HEADINGS,
        *(
            (
                tool.name,
                str(tool.endpoint) if isinstance(tool, EndpointTool) else f"a workflow of {len(tool.calls)} endpoints",
                ",".join(tool.scopes),
                tool.access,
                ",".join(tool.capabilities),
                ",".join(tool.toolsets),
            )
            for tool in tools
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
