"""Connecting a client to this server: its configuration file, and the page that shows how."""
