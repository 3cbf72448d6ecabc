"""The activity log and the sent messages of the seeded Enterprise account."""

from datetime import datetime, timedelta
from typing import Final

from sandbox.records.activity import StoredActivity, StoredMessage
from sandbox.records.identifiers import fixed_id
from sandbox.records.records import Records

ENTRIES: Final = 130
_ACTIONS: Final = (("User", "Added"), ("EventType", "Updated"), ("Organization", "SettingsChanged"), ("User", "Login"))


def add_activity(records: Records, now: datetime) -> None:
    """Add entries of people and of Calendly itself, and the messages about every meeting."""
    organization = fixed_id("organization enterprise")
    people = sorted(user.id for user in records.users.values() if user.organization == organization)
    for number in range(ENTRIES):
        namespace, action = _ACTIONS[number % len(_ACTIONS)]
        entry = StoredActivity(
            id=fixed_id(f"activity {number}"),
            organization=organization,
            actor=people[number % 2] if number % 5 else None,
            namespace=namespace,
            action=action,
            occurred_at=now - timedelta(hours=5 * number + 1),
            details={"user_email": f"colleague{number}@harborline.example"} if action == "Added" else {},
        )
        records.activities[entry.id] = entry
    for event in records.events.values():
        if event.organization == organization:
            for number, invitee in enumerate(event.invitees):
                text = f"Hi {invitee.name}, your meeting {event.name} is confirmed."
                records.messages[f"{event.id} {number} email"] = StoredMessage(
                    "email", event.id, invitee.email, f"Confirmed: {event.name}", text, event.created_at
                )
                records.messages[f"{event.id} {number} sms"] = StoredMessage(
                    "sms", event.id, "+4915550100", None, f"Reminder: {event.name}", event.created_at
                )
