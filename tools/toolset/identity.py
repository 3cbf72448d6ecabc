"""The person a token belongs to, as tools know them."""

from dataclasses import dataclass

from calendly.identifiers import OrganizationId, UserId


@dataclass(frozen=True, slots=True)
class Identity:
    """The person a token belongs to.

    Attributes:
        user: The person.
        organization: The organization most lists are asked for, None where Calendly names none.
        timezone: IANA name of the person's own zone, where it is known.
    """

    user: UserId
    organization: OrganizationId | None
    timezone: str | None = None
