"""How a client is connected to this server: its configuration file, and the page that tells how."""
