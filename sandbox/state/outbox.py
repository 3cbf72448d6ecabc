"""The mails Calendly would have sent, kept for whoever wants to look."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Mail:
    """One mail to one person. `about` is the URI of what it speaks of."""

    sent_at: datetime
    to: str
    subject: str
    text: str
    about: str


class Outbox:
    """Mails in the order in which they were sent."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, sent_at: datetime, to: Iterable[str], subject: str, text: str, about: str) -> None:
        """Keep the same mail for each person."""
        self.mails += [Mail(sent_at, person, subject, text, about) for person in to]
