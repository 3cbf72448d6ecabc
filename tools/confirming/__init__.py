"""The question that a person is asked before a tool writes, and what the call is about: one entry per writing tool."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tools.confirming import (
    administration,
    availability,
    contacts,
    event_types,
    events,
    meeting_recaps,
    meetings,
    no_shows,
    shares,
)
from tools.confirming.questions import WriteEffects
from tools.toolset.tool import Tool

EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        **meetings.EFFECTS,
        **no_shows.EFFECTS,
        **shares.EFFECTS,
        **event_types.EFFECTS,
        **availability.EFFECTS,
        **meeting_recaps.EFFECTS,
        **contacts.EFFECTS,
        **administration.EFFECTS,
        **events.EFFECTS,
    }
)
"""The entry of each writing tool."""

__all__ = ["EFFECTS", "WriteEffects"]
