"""One module per OAuth endpoint, and what the endpoints share."""
