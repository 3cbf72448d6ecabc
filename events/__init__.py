"""What happens at Calendly: verified, kept once, and offered to agents."""
