"""One module for each OAuth endpoint, and what those endpoints share."""
