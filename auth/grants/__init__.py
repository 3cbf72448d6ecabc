"""Who was allowed what: clients, grants, codes, tokens, and the rows that keep them."""
