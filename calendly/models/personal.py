"""Marks what Calendly tells about the people who book: their names, addresses, answers, and links that act for them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Personal:
    """Stands in the annotation of a field that holds personal data of invitees and guests.

    Attributes:
        unless: A field beside it, and the values of that field with which it holds none.
    """

    unless: tuple[str, frozenset[str]] | None = None


PERSONAL: Final = Personal()
