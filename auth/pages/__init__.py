"""The person's own pages: who was let in, what each agent may do, and the calls that wait for a yes."""
