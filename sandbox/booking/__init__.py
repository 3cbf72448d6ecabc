"""Open slots, and what booking, canceling and rescheduling change."""
