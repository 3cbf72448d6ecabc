"""The recaps of the seeded account: of its latest meetings, and of one that was not booked with Calendly."""

from datetime import datetime, timedelta
from typing import Final

from sandbox.records.identifiers import fixed_id
from sandbox.records.meeting_recaps import StoredAttendee, StoredMeetingRecap
from sandbox.records.records import Records
from sandbox.records.slots import TimeSpan
from sandbox.seed.events import CANCELED, INSTRUCTING_ANSWER, MISSED

RECAPS: Final = 24
LONG_LINES: Final = 1_200
"""The segments of the latest meeting, which was a long one."""


def add_meeting_recaps(records: Records, now: datetime) -> None:
    """Add a recap of every latest meeting that took place; the third is not ready yet."""
    held = [number for number in range(RECAPS) if number not in CANCELED and number not in MISSED]
    for at, number in enumerate(held):
        event = records.events[fixed_id(f"event past {number}")]
        host, guest = records.users[event.hosts[0]], event.invitees[0]
        recap = StoredMeetingRecap(
            id=fixed_id(f"recap {number}"),
            user=host.id,
            event=event.id,
            name=event.name or "",
            times=event.times,
            attendees=(StoredAttendee(host.email, host.name, host=True), StoredAttendee(guest.email, guest.name)),
            updated_at=event.times.end + timedelta(minutes=5),
            location=event.location,
        )
        if at == 2:  # noqa: PLR2004 - the third
            recap.status = "Processing"
        else:
            recap.summary = f"{guest.name} asked for the price of the new release."
            recap.action_items = f"- {host.name} sends the offer"
            recap.discussion = INSTRUCTING_ANSWER if at == 1 else "The dates of the release."
            recap.transcript = _said(host.name, guest.name, LONG_LINES if at == 0 else 2)
        records.recaps[recap.id] = recap
    maya = records.users[fixed_id("user maya-lindqvist")]
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    elsewhere = StoredMeetingRecap(
        id=fixed_id("recap elsewhere"),
        user=maya.id,
        event=None,
        name="Coffee",
        times=TimeSpan(start, start + timedelta(minutes=20)),
        attendees=(StoredAttendee(maya.email, maya.name, host=True),),
        updated_at=start + timedelta(hours=1),
        transcript=f"{maya.name}: Good coffee.",
    )
    records.recaps[elsewhere.id] = elsewhere


def _said(host: str, guest: str, lines: int) -> str:
    return "\n".join(
        f"{guest if number % 2 else host}: This is the sentence number {number}." for number in range(lines)
    )
