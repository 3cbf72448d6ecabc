"""What a person reads who starts the server for the first time, with neither a token nor a sign-in."""

from typing import Final

from server.configuration.settings import TOKEN, TOKEN_FILE

NO_TOKEN: Final = f"""no access token is set and nobody signed in, so there is no Calendly to talk to. Either sign in
by browser with `calendly-mcp login`, or make a token:

  1. In Calendly, open Integrations & apps > API and webhooks > Personal access tokens, and generate a new token.
  2. Give it scopes; a new token can do nothing until it has some, and a :write scope includes its :read.
       to read                    users:read event_types:read availability:read scheduled_events:read
       also to book and cancel    scheduled_events:write scheduling_links:write
       for all 28 tools           those, and event_types:write organizations:write webhooks:write
                                  data_compliance:write
  3. Set {TOKEN} to the token, or {TOKEN_FILE} to a file that holds it, where the
     server is started: in your shell, or in the `env` of your client's configuration, which
     `calendly-mcp install CLIENT --token-file FILE` writes.

To try it without an account or a token: calendly-mcp --sandbox"""
