"""The audit log: its entries, their chains, and where they are stored."""
