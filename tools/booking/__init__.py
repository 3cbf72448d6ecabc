"""Booking a meeting exactly once, even when the connection fails."""
