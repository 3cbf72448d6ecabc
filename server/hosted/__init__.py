"""The hosted endpoint put together: many people, each with their agents."""
