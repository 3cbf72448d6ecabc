"""What an agent may do: levels, conditions, choices. Decisions are functions of values."""
