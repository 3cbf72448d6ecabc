"""Calendly's own OAuth: our application there, the sign-in, and each person's connection."""
