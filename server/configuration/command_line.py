"""What a command was asked for on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What was asked for on the command line.

    Attributes:
        flags: The settings that were given, by field name.
        config: The file of settings.
        as_json: Whether the answer is wanted as JSON.
        action: What a command of several is to do.
        options: What belongs to that action alone, by name without dashes.
    """

    flags: dict[str, str]
    config: Path | None
    as_json: bool = False
    action: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
