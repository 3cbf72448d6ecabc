"""Marks personal data of the people who book and of contacts: names, addresses, answers, links that act for them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Personal:
    """Annotates a field with personal data of invitees, guests and contacts.

    Attributes:
        unless: Another field and its values with which the field holds none.
    """

    unless: tuple[str, frozenset[object]] | None = None


PERSONAL: Final = Personal()
