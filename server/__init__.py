"""The program: puts the other packages together, and is the only one that knows them all."""
