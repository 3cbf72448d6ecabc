"""A Calendly on your machine."""
