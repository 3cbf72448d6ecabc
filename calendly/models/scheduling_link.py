"""Single-use scheduling links."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict


class SchedulingLink(TypedDict, total=False):
    """A single-use scheduling link."""

    booking_url: Annotated[str | None, Field(description="the link to hand out")]
    owner: Annotated[str | None, Field(description="event type URI")]
    owner_type: Annotated[str | None, Field(description="EventType")]
