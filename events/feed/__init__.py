"""What happened, in order: stored, told once, read on from a cursor."""
