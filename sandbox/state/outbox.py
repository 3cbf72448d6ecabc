"""The mails that Calendly would send, kept for tests."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Mail:
    """One mail to one person.

    Attributes:
        sent_at: When it was sent.
        to: The address.
        subject: The subject.
        text: The body.
        about: URI of the resource it is about.
    """

    sent_at: datetime
    to: str
    subject: str
    text: str
    about: str


class Outbox:
    """All mails, oldest first."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, sent_at: datetime, to: Iterable[str], subject: str, text: str, about: str) -> None:
        """Store the same mail for each address."""
        self.mails += [Mail(sent_at, person, subject, text, about) for person in to]
