"""The checks of the command `doctor`, and their findings."""
