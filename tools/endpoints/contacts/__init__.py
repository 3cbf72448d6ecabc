"""Contacts, their custom fields, lists and notes."""
