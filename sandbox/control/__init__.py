"""The controls under /_sandbox/, by which tests change the sandbox."""
