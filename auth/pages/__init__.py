"""The person's own pages: their agents, what each may do, and the calls that wait for confirmation."""
