"""How a tool is declared, described and called."""
