"""Contacts, their custom fields, lists and notes."""

from typing import Final

from sandbox.endpoints.contacts import contacts, custom_fields, lists, notes

# The custom fields come first: their paths begin as those of a contact do.
ENDPOINTS: Final = (*custom_fields.ENDPOINTS, *contacts.ENDPOINTS, *lists.ENDPOINTS, *notes.ENDPOINTS)
