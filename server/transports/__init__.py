"""MCP over stdio and over HTTP, and what stands before it."""
