"""Reads of Calendly that find what nobody told."""
