"""What happened at Calendly: learned, stored once as one feed per person, and offered to agents.

Knows no MCP and no pages, and nothing of grants and tools.
"""
