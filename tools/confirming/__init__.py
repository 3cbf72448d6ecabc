"""What a person is asked before a tool writes, and what the call affects."""
