"""Tools that are made of several endpoints, one file each."""
