"""What is stored, and how Calendly writes it as JSON."""
