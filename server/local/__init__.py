"""A server for one person put together, and what it keeps."""
