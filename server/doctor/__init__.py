"""What `calendly-mcp doctor` looks at and what it says."""
