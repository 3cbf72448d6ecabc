"""Calendly over HTTP."""
