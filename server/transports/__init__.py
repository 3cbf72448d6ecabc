"""MCP over stdio and over HTTP, and the checks before a message reaches it."""
