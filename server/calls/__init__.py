"""One MCP call: who calls, what is decided and asked, what is answered and logged."""
