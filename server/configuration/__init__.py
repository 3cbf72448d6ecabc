"""The settings, the log, and what a person at the terminal reads."""
