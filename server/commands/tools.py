"""`calendly-mcp tools`."""

import json
from collections.abc import Sequence
from typing import Final

from server.commands.declaring import SWITCH, Command, Invocation
from server.configuration.terminal import columns, show
from tools import ALL
from tools.toolset.tool import EndpointTool, Tool

_HEADINGS: Final = ("tool", "endpoint", "scope", "access", "capability", "toolsets")
_OF_ENDPOINTS: Final = ("method", "path", "plan", "role", "webhook_event")


def run(invocation: Invocation) -> int:
    """List every tool."""
    show(json.dumps([_facts(tool) for tool in ALL], indent=2) if "json" in invocation.options else _table(ALL))
    return 0


def _facts(tool: Tool) -> dict[str, object]:
    """Return the facts of a tool; those that only an endpoint has are null for a workflow."""
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


def _what(tool: Tool) -> str:
    if isinstance(tool, EndpointTool):
        return str(tool.endpoint)
    return f"a workflow of {len(tool.calls)} endpoints" if tool.calls else "what this server keeps"


def _table(tools: Sequence[Tool]) -> str:
    rows = [
        _HEADINGS,
        *(
            (
                tool.name,
                _what(tool),
                ",".join(tool.scopes),
                tool.access,
                ",".join(tool.capabilities),
                ",".join(tool.toolsets),
            )
            for tool in tools
        ),
    ]
    return columns(rows)


COMMAND: Final = Command(run, {"--json": {**SWITCH, "help": "as JSON"}})
