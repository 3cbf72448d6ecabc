"""OAuth as the RFCs write it: errors, scopes, parameters, redirect URIs, secrets."""
