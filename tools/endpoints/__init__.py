"""One module per Calendly resource, one function per endpoint."""
