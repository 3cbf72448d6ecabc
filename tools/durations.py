"""How long meetings of an event type last, as parameters that several tools take."""

from typing import Annotated

from pydantic import AfterValidator, Field

from tools.toolset.errors import ArgumentError


def _each_once(minutes: list[int]) -> list[int]:
    if len(set(minutes)) < len(minutes):
        raise ValueError("Must have each number once.")
    return minutes


Duration = Annotated[int, Field(ge=1, le=720, description="minutes")]
Durations = Annotated[
    list[Duration], Field(min_length=1, max_length=4, description="to choose from"), AfterValidator(_each_once)
]


def check_durations(duration: int | None, options: list[int] | None) -> None:
    """Raise ArgumentError for a duration that is not among the options."""
    if duration is not None and options and duration not in options:
        raise ArgumentError.of("duration", f"Must be among duration_options: {', '.join(map(str, options))}.")
