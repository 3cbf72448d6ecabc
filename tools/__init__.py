"""What an agent may do, one file per Calendly resource."""
