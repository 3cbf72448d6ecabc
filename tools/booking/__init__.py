"""Booking a meeting once, whatever becomes of the connection."""
