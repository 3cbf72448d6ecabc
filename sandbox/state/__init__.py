"""What one sandbox holds: its clock, records, rate limits, faults, mails and webhook deliveries."""
