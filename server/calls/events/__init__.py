"""What a call asks of the events of its account."""
