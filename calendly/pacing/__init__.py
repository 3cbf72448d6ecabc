"""How fast Calendly is asked: under its rate limits, and fairly between the agents of an account."""
