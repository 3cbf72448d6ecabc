"""Calendly's webhooks: subscribed to, verified, stored."""
