"""The page at `/`: what this is, and how to connect."""

from html import escape
from typing import Final

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Calendly for AI agents</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 1.05rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1.25rem; }}
  h1 {{ font-size: 1.7rem; line-height: 1.25; }}
  h2 {{ font-size: 1.1rem; margin-top: 2.2rem; }}
  code {{ font: 0.92em/1.5 ui-monospace, monospace; }}
  pre {{ padding: 0.8rem 1rem; border: 1px solid; border-radius: 0.5rem; overflow-x: auto; opacity: 0.85; }}
</style>
<h1>Calendly for AI agents</h1>
<p>An AI agent that connects here over MCP can use Calendly for you: see event types, open times and meetings, book,
cancel, and manage links, people and webhooks. What would cancel a meeting or delete data is asked of you first.</p>
<h2>Connect a client</h2>
<p>The address is</p>
<pre><code>{endpoint}</code></pre>
<p>In Claude Code:</p>
<pre><code>claude mcp add --transport http calendly {endpoint}</code></pre>
<p>In a client that reads a file, such as Cursor:</p>
<pre><code>{{ "mcpServers": {{ "calendly": {{ "url": "{endpoint}" }} }} }}</code></pre>
<h2>Who can use it</h2>
<p>Programs on this machine, without signing in. They act as the person whose token the server was started with.</p>
</html>
"""


def front_page(address: str) -> str:
    """Write the page for a server that is reached at `address`."""
    return _PAGE.format(endpoint=escape(f"{address}/mcp"))
