"""Records as Calendly's JSON."""

from datetime import UTC, datetime
from typing import Final, cast

from sandbox.records.event_types import StoredEventType, StoredQuestion
from sandbox.records.identifiers import fixed_id, uri
from sandbox.records.people import StoredInvitation, StoredMembership, StoredSchedule, StoredUser
from sandbox.records.records import Records
from sandbox.records.scheduled_events import StoredCancellation, StoredInvitee, StoredScheduledEvent
from sandbox.records.slots import DayHours, WorkingHours
from sandbox.records.webhooks import StoredWebhookSubscription

JsonObject = dict[str, object]

TRACKING_KEYS: Final = ("utm_campaign", "utm_source", "utm_medium", "utm_content", "utm_term", "salesforce_uuid")
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def stamp(moment: datetime) -> str:
    """Return a stored time as text: UTC with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def slot_stamp(moment: datetime) -> str:
    """Return the start of an open slot as text: UTC without fractions."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stamp_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


def _user_uri(identifier: str | None) -> str | None:
    return None if identifier is None else uri("users", identifier)


def embedded_user_json(user: StoredUser) -> JsonObject:
    """Return a user as memberships contain them: without the organization."""
    return {
        "uri": user.uri,
        "name": user.name,
        "slug": user.slug,
        "email": user.email,
        "scheduling_url": f"https://calendly.com/{user.slug}",
        "timezone": user.timezone,
        "time_notation": user.time_notation,
        "avatar_url": None,
        "created_at": stamp(user.created_at),
        "updated_at": stamp(user.updated_at),
        "locale": "en",
    }


def user_json(person: StoredUser) -> JsonObject:
    """Return a user."""
    return {
        **embedded_user_json(person),
        "current_organization": uri("organizations", person.organization),
        "resource_type": "User",
    }


def membership_json(records: Records, place: StoredMembership) -> JsonObject:
    """Return a membership."""
    return {
        "uri": place.uri,
        "role": place.role,
        "user": embedded_user_json(records.users[place.user]),
        "organization": uri("organizations", place.organization),
        "updated_at": stamp(place.updated_at),
        "created_at": stamp(place.created_at),
    }


def invitation_json(invited: StoredInvitation) -> JsonObject:
    """Return an invitation. `user` is there once it was accepted."""
    accepted = {} if invited.user is None else {"user": uri("users", invited.user)}
    return {
        "uri": invited.uri,
        "organization": uri("organizations", invited.organization),
        "email": invited.email,
        "status": invited.status,
        "created_at": stamp(invited.created_at),
        "updated_at": stamp(invited.updated_at),
        "last_sent_at": stamp(invited.created_at) if invited.mailed else None,
        **accepted,
    }


def _intervals(hours: DayHours) -> list[JsonObject]:
    return [
        {"from": f"{opens:%H:%M}", "to": f"{closes:%H:%M}" if closes > opens else "24:00"} for opens, closes in hours
    ]


def _rules(hours: WorkingHours) -> list[JsonObject]:
    """Return a rule per weekday, Sunday first, then one per date that differs."""
    weekdays: list[JsonObject] = [
        {"type": "wday", "wday": WEEKDAYS[day], "intervals": _intervals(hours.weekdays.get(day, ()))}
        for day in (6, 0, 1, 2, 3, 4, 5)
    ]
    dates: list[JsonObject] = [
        {"type": "date", "date": day.isoformat(), "intervals": _intervals(intervals)}
        for day, intervals in sorted(hours.dates.items())
    ]
    return [*weekdays, *dates]


def event_type_hours_json(kind: StoredEventType, host: str, plan: StoredSchedule) -> JsonObject:
    """Return the hours of one host of an event type; `plan` is the schedule that it uses without hours of its own."""
    own = kind.own_hours.get(host)
    source = {"name": None} if own else {"uri": plan.uri, "name": plan.name}
    hours = own or plan.hours
    return {
        "event_type": kind.uri,
        "availability_setting": "host",
        "availability_rule": {
            "timezone": hours.zone,
            **source,
            "user": uri("users", host),
            "rules": _rules(hours),
        },
    }


def schedule_json(plan: StoredSchedule) -> JsonObject:
    """Return an availability schedule."""
    return {
        "uri": plan.uri,
        "default": plan.default,
        "name": plan.name,
        "user": uri("users", plan.user),
        "timezone": plan.hours.zone,
        "rules": _rules(plan.hours),
    }


def _question(position: int, question: StoredQuestion) -> JsonObject:
    return {
        "name": question.name,
        "type": question.type,
        "position": position,
        "enabled": question.enabled,
        "required": question.required,
        "answer_choices": list(question.answer_choices),
        "include_other": question.include_other,
    }


def event_type_json(records: Records, kind: StoredEventType) -> JsonObject:
    """Return an event type. One with several hosts has no profile."""
    owner = records.users[kind.owner]
    one_off = kind.date_limits is not None
    profile = {"type": "User", "name": owner.name, "owner": owner.uri} if kind.pooling_type is None else None
    return {
        "uri": kind.uri,
        "name": kind.name,
        "active": kind.active,
        "admin_managed": kind.admin_managed,
        "booking_method": "instant",
        "color": kind.color,
        "created_at": stamp(kind.created_at),
        "updated_at": stamp(kind.updated_at),
        "custom_questions": [_question(position, question) for position, question in enumerate(kind.questions)],
        "deleted_at": _stamp_or_none(kind.deleted_at),
        "description_html": None if kind.description is None else f"<p>{kind.description}</p>",
        "description_plain": kind.description,
        "duration": kind.duration,
        "duration_options": None if kind.duration_options is None else list(kind.duration_options),
        "internal_note": kind.internal_note,
        "is_paid": False,
        "kind": kind.kind,
        "locale": kind.locale,
        "locations": [dict(location) for location in kind.locations] or None,
        "pooling_type": kind.pooling_type,
        "position": kind.position,
        "profile": profile,
        "scheduling_url": kind.scheduling_url,
        "secret": kind.secret,
        "slug": kind.slug,
        "type": "AdhocEventType" if one_off else "StandardEventType",
        "start_time_increment": kind.increment,
        "before_buffer": kind.before_buffer,
        "after_buffer": kind.after_buffer,
    }


def event_type_payload(records: Records, kind: StoredEventType) -> JsonObject:
    """Return the payload of a delivery: the event type without the HTML of its description."""
    return {name: value for name, value in event_type_json(records, kind).items() if name != "description_html"}


def event_type_membership_json(records: Records, kind: StoredEventType, host: StoredUser) -> JsonObject:
    """Return a host of an event type."""
    return {
        "uri": uri("event_type_memberships", fixed_id(f"{kind.id} {host.id}")),
        "event_type": event_type_json(records, kind),
        "member": user_json(host),
        "updated_at": stamp(kind.updated_at),
        "created_at": stamp(kind.created_at),
    }


def cancellation_json(record: StoredCancellation) -> JsonObject:
    """Return a cancellation."""
    return {
        "canceled_by": record.canceled_by,
        "reason": record.reason,
        "canceler_type": record.canceler_type,
        "created_at": stamp(record.created_at),
    }


def _cancellation_field(record: StoredCancellation | None) -> JsonObject:
    """Return the `cancellation` field. Calendly leaves it out where nothing was canceled."""
    return {} if record is None else {"cancellation": cancellation_json(record)}


def scheduled_event_json(records: Records, event: StoredScheduledEvent) -> JsonObject:
    """Return a scheduled event."""
    hosts = [records.users[host] for host in event.hosts]
    return {
        "uri": event.uri,
        "name": event.name,
        "meeting_notes_plain": None,
        "meeting_notes_html": None,
        "status": "active" if event.cancellation is None else "canceled",
        "start_time": stamp(event.times.start),
        "end_time": stamp(event.times.end),
        "event_type": uri("event_types", event.event_type),
        "location": event.location,
        "invitees_counter": {
            "total": len(event.invitees),
            "active": len(event.active_invitees),
            "limit": event.invitee_limit,
        },
        "created_at": stamp(event.created_at),
        "updated_at": stamp(event.updated_at),
        "event_memberships": [
            {
                "user": host.uri,
                "user_email": host.email,
                "user_name": host.name,
                "buffered_start_time": stamp(event.buffered_times.start),
                "buffered_end_time": stamp(event.buffered_times.end),
            }
            for host in hosts
        ],
        "event_guests": [
            {"email": guest.email, "created_at": stamp(guest.created_at), "updated_at": stamp(guest.created_at)}
            for guest in event.guests
        ],
        **_cancellation_field(event.cancellation),
        "calendar_event": (
            None if event.calendar_event is None else {"kind": "google", "external_id": event.calendar_event}
        ),
    }


def invitee_json(person: StoredInvitee) -> JsonObject:
    """Return an invitee."""
    no_show_id, no_show_at = person.no_show or (None, None)
    return {
        "uri": person.uri,
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": person.name,
        "status": "active" if person.cancellation is None else "canceled",
        "questions_and_answers": [
            {"question": given.question, "answer": given.answer, "position": given.position} for given in person.answers
        ],
        "timezone": person.timezone,
        "event": uri("scheduled_events", person.event),
        "created_at": stamp(person.created_at),
        "updated_at": stamp(person.updated_at),
        "tracking": {key: person.tracking.get(key) for key in TRACKING_KEYS},
        "text_reminder_number": person.text_reminder_number,
        "rescheduled": person.rescheduled,
        "old_invitee": person.old_invitee,
        "new_invitee": person.new_invitee,
        "cancel_url": person.cancel_url,
        "reschedule_url": person.reschedule_url,
        "routing_form_submission": person.routing_form_submission,
        **_cancellation_field(person.cancellation),
        "payment": None,
        "no_show": (
            None
            if no_show_id is None or no_show_at is None
            else {"uri": uri("invitee_no_shows", no_show_id), "created_at": stamp(no_show_at)}
        ),
        "reconfirmation": None,
        "scheduling_method": person.scheduling_method,
        "invitee_scheduled_by": _user_uri(person.scheduled_by),
    }


def no_show_json(person: StoredInvitee) -> JsonObject:
    """Return the no-show mark of an invitee who has one."""
    identifier, marked_at = person.no_show or ("", person.updated_at)
    return {"uri": uri("invitee_no_shows", identifier), "invitee": person.uri, "created_at": stamp(marked_at)}


def webhook_subscription_json(hook: StoredWebhookSubscription) -> JsonObject:
    """Return a subscription, without its signing key."""
    return {
        "uri": hook.uri,
        "callback_url": hook.callback_url,
        "created_at": stamp(hook.created_at),
        "updated_at": stamp(hook.updated_at),
        "retry_started_at": _stamp_or_none(hook.retry_started_at),
        "state": hook.state,
        "events": list(hook.events),
        "scope": hook.scope,
        "organization": uri("organizations", hook.organization),
        "user": _user_uri(hook.subject) if hook.scope == "user" else None,
        "group": uri("groups", hook.subject) if hook.scope == "group" and hook.subject else None,
        "creator": uri("users", hook.creator),
    }


def webhook_payload(records: Records, event: StoredScheduledEvent, person: StoredInvitee) -> JsonObject:
    """Return the payload of a delivery: the invitee with the event, without its calendar entry and buffers."""
    told = scheduled_event_json(records, event)
    del told["calendar_event"]
    hosts = cast("list[JsonObject]", told["event_memberships"])
    told["event_memberships"] = [
        {key: value for key, value in host.items() if not key.startswith("buffered_")} for host in hosts
    ]
    return {**invitee_json(person), "scheduled_event": told}
