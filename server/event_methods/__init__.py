"""The MCP methods events/list, events/poll, events/subscribe and events/unsubscribe."""
