"""Workflows: tools that call several endpoints, one file each."""
