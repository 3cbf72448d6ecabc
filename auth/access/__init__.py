"""What an agent may do: levels, conditions and choices. All decisions are pure functions."""
