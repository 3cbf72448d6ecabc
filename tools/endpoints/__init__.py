"""One module for each Calendly resource; one function for each of its endpoints."""
