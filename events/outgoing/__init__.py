"""Deliveries to subscribers: signed, retried, ended."""
