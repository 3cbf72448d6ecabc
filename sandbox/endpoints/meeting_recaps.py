"""Meeting recaps and transcripts, on paid plans. Each is its user's own."""

from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import read_page
from sandbox.errors import not_found, permission_denied
from sandbox.records.as_json import JsonObject, stamp
from sandbox.records.meeting_recaps import StoredMeetingRecap

STATES: Final = ("available", "processing", "unavailable")


def list_meeting_recaps(call: EndpointCall) -> JsonObject:
    """List the caller's recaps without their texts, by default the available ones, the latest first."""
    _require_notetaker(call)
    fields = call.query_fields()
    event = fields.reference("event", "scheduled_events")
    begin, end = fields.time("start_time"), fields.time("end_time")
    status = fields.choice("status", STATES) or "available"
    attendee = fields.email("attendee").lower()
    page = read_page(fields, call.url_path, call.query)
    fields.check()
    rows = [
        recap
        for recap in call.records.recaps.values()
        if recap.user == call.caller.user.id
        and recap.status.lower() == status
        and event in {"", recap.event}
        and (begin is None or recap.times.end >= begin)
        and (end is None or recap.times.start <= end)
        and (not attendee or attendee in {one.email.lower() for one in recap.attendees})
    ]
    rows.sort(key=lambda recap: recap.times.start, reverse=True)
    return page.answer(rows, _listed_json)


def get_meeting_recap(call: EndpointCall) -> JsonObject:
    """Return one recap with its texts."""
    return {"resource": recap_json(_find(call))}


def update_meeting_recap(call: EndpointCall) -> JsonObject:
    """Change texts of a recap; null clears one."""
    recap = _find(call)
    fields = call.body_fields()
    texts = {
        name: fields.nullable_text(name)
        for name in ("summary_md", "action_items_md", "discussion_md")
        if fields.named(name)
    }
    fields.check()
    recap.summary = texts.get("summary_md", recap.summary)
    recap.action_items = texts.get("action_items_md", recap.action_items)
    recap.discussion = texts.get("discussion_md", recap.discussion)
    recap.updated_at = call.sandbox.clock.now()
    shown = recap_json(recap)
    call.sandbox.announce_recap("meeting_recap.updated", recap, shown)
    return {"resource": shown}


def delete_meeting_recap(call: EndpointCall) -> None:
    """Delete a recap with its transcript."""
    recap = _find(call)
    del call.records.recaps[recap.id]
    gone: JsonObject = {"uri": recap.uri, "deleted_at": stamp(call.sandbox.clock.now())}
    call.sandbox.announce_recap("meeting_recap.deleted", recap, gone)


def get_meeting_recap_transcript(call: EndpointCall) -> JsonObject:
    """Return the whole transcript in one text."""
    recap = _find(call)
    if recap.transcript is None:
        raise not_found()
    return {"resource": {"uri": f"{recap.uri}/transcript", "text": recap.transcript}}


def _find(call: EndpointCall) -> StoredMeetingRecap:
    _require_notetaker(call)
    recap = call.records.recaps.get(call.path["uuid"])
    if recap is None:
        raise not_found()
    if recap.user != call.caller.user.id:
        raise permission_denied("You do not have permission to access this resource")
    return recap


def _require_notetaker(call: EndpointCall) -> None:
    if call.caller.organization.plan == "free":
        raise permission_denied("Please upgrade to a paid Calendly account")


def _listed_json(recap: StoredMeetingRecap) -> JsonObject:
    return {
        "uri": recap.uri,
        "app_url": f"https://calendly.com/app/meeting_recaps/{recap.id}",
        "event": recap.event_uri,
        "status": recap.status,
        "name": recap.name,
        "location": recap.location,
        "start_time": stamp(recap.times.start),
        "end_time": stamp(recap.times.end),
        "created_at": stamp(recap.times.end),
        "updated_at": stamp(recap.updated_at),
        "attendees": [{"host": one.host, "user_email": one.email, "user_name": one.name} for one in recap.attendees],
        "transcript": None if recap.transcript is None else f"{recap.uri}/transcript",
    }


def recap_json(recap: StoredMeetingRecap) -> JsonObject:
    """Return a recap with its texts."""
    return {
        **_listed_json(recap),
        "summary_md": recap.summary,
        "action_items_md": recap.action_items,
        "discussion_md": recap.discussion,
        "share_link": None,
    }


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/meeting_recaps", ("meeting_recaps:read",), 200, list_meeting_recaps),
    SandboxEndpoint("GET", "/meeting_recaps/{uuid}", ("meeting_recaps:read",), 200, get_meeting_recap),
    SandboxEndpoint("PATCH", "/meeting_recaps/{uuid}", ("meeting_recaps:write",), 200, update_meeting_recap),
    SandboxEndpoint("DELETE", "/meeting_recaps/{uuid}", ("meeting_recaps:write",), 204, delete_meeting_recap),
    SandboxEndpoint(
        "GET", "/meeting_recaps/{uuid}/transcript", ("meeting_recaps:read",), 200, get_meeting_recap_transcript
    ),
)
