"""The controls under /_sandbox/, for whoever tests against the sandbox."""
