"""Event types: those there are, how they are set up, and those for one occasion."""
