"""What every request passes: who calls, how often, with which fields."""
