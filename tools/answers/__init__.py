"""What an agent is shown of an answer: what it may see, what its next step needs, and no more than fits."""
