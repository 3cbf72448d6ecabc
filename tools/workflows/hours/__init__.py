"""Changing working hours: what is asked for, the rules that come of it, and the way to Calendly and back."""
