"""The checks of `calendly-mcp doctor` and their findings."""
