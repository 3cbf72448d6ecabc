"""Event types: those there are, how they are set up, and those for one occasion."""

from typing import Final

from sandbox.endpoints.event_types import event_types, one_off, settings

ENDPOINTS: Final = (*event_types.ENDPOINTS, *one_off.ENDPOINTS, *settings.ENDPOINTS)
