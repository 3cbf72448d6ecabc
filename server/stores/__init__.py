"""What calls keep in the database: idempotency keys, confirmations, daily counts."""
