"""A Calendly on your machine. It shares no code with the packages that are tested against it."""
