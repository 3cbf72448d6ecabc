"""The activity log and the sent messages of an organization, for admins on Enterprise only."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import SortKeys, read_page, read_sort
from sandbox.errors import permission_denied
from sandbox.records.activity import StoredActivity, StoredMessage
from sandbox.records.as_json import JsonObject, stamp
from sandbox.records.identifiers import uri
from sandbox.records.records import Records
from sandbox.requests.permissions import NO_ACCESS, require_organization

MOST_ENTRIES: Final = 1_000
LONGEST_SEARCH: Final = 300


def list_activity_log_entries(call: EndpointCall) -> JsonObject:
    """List the entries of the log. A filter has one value: how several are written is documented nowhere."""
    fields = call.query_fields()
    organization = fields.reference("organization", "organizations", required=True)
    words = re.findall(r"\w+", fields.text("search_term", most=LONGEST_SEARCH).lower())
    actor = fields.reference("actor", "users")
    namespace, action = fields.text("namespace"), fields.text("action")
    begin, end = fields.time("min_occurred_at"), fields.time("max_occurred_at")
    sort = read_sort(fields, _sort_keys(call.records), "occurred_at:desc")
    page = read_page(fields, call.url_path, call.query, most=MOST_ENTRIES)
    fields.check()
    _require_log(call, organization)
    rows = [
        entry
        for entry in call.records.activities.values()
        if entry.organization == organization
        and actor in {"", entry.actor}
        and namespace in {"", entry.namespace}
        and action in {"", entry.action}
        and _is_between(entry.occurred_at, begin, end)
        and _has(call.records, entry, words)
    ]
    return {
        **page.answer(sort(rows), lambda entry: _entry_json(call.records, entry)),
        "last_event_time": stamp(max(entry.occurred_at for entry in rows)) if rows else None,
        "total_count": len(rows),
        "exceeds_max_total_count": False,
    }


def list_outgoing_communications(call: EndpointCall) -> JsonObject:
    """List the messages, the latest first."""
    fields = call.query_fields()
    organization = fields.reference("organization", "organizations", required=True)
    begin, end = fields.time("min_created_at"), fields.time("max_created_at")
    page = read_page(fields, call.url_path, call.query)
    fields.check()
    _require_log(call, organization)
    rows = [
        message
        for message in call.records.messages.values()
        if message.event in call.records.events and _is_between(message.sent_at, begin, end)
    ]
    rows.sort(key=lambda message: message.sent_at, reverse=True)
    return {**page.answer(rows, lambda message: _message_json(call.records, message)), "total_count": len(rows)}


def _require_log(call: EndpointCall, organization: str) -> None:
    if call.caller.organization.plan != "enterprise":
        raise permission_denied("Please upgrade your Calendly account to Enterprise.")
    require_organization(call.caller, call.records, organization, refusal=NO_ACCESS)


def _is_between(moment: datetime, begin: datetime | None, end: datetime | None) -> bool:
    return (begin is None or begin <= moment) and (end is None or moment <= end)


def _has(records: Records, entry: StoredActivity, words: Sequence[str]) -> bool:
    """Return whether an entry has all words. The sandbox knows no other way to search."""
    text = json.dumps(_entry_json(records, entry)).lower()
    return all(word in text for word in words)


def _sort_keys(records: Records) -> SortKeys[StoredActivity]:
    return {
        "occurred_at": lambda entry: entry.occurred_at,
        "namespace": lambda entry: entry.namespace,
        "action": lambda entry: entry.action,
        "actor.uri": lambda entry: str(_actor_json(records, entry).get("uri", "")),
        "actor.display_name": lambda entry: str(_actor_json(records, entry)["display_name"]),
    }


def _actor_json(records: Records, entry: StoredActivity) -> JsonObject:
    if entry.actor is None:
        return {"type": "System", "display_name": "Calendly"}
    user = records.users[entry.actor]
    return {
        "uri": user.uri,
        "type": "User",
        "organization": {
            "uri": uri("organizations", user.organization),
            "role": records.membership_of(user.id).role,
        },
        "display_name": user.name,
        "alternative_identifier": user.email,
    }


def _entry_json(records: Records, entry: StoredActivity) -> JsonObject:
    return {
        "occurred_at": stamp(entry.occurred_at),
        "actor": _actor_json(records, entry),
        "details": dict(entry.details),
        "fully_qualified_name": f"{entry.namespace}.{entry.action}",
        "uri": entry.uri,
        "namespace": entry.namespace,
        "action": entry.action,
        "organization": uri("organizations", entry.organization),
    }


def _message_json(records: Records, message: StoredMessage) -> JsonObject:
    event = records.events[message.event]
    host, kind = records.users[event.hosts[0]], records.event_types[event.event_type]
    is_email = message.type == "email"
    return {
        "type": message.type,
        "to": message.to,
        "from": "notifications@calendly.example" if is_email else "+15555550100",
        "subject": message.subject,
        "body": message.body,
        "sender_uri": host.uri,
        "sender_email": host.email,
        "event_type_uri": kind.uri,
        "event_uri": event.uri,
        "scheduling_url": kind.scheduling_url,
        "sent_at": stamp(message.sent_at),
        "created_at": stamp(message.sent_at),
    }


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/activity_log_entries", ("activity_log:read",), 200, list_activity_log_entries),
    SandboxEndpoint(
        "GET", "/outgoing_communications", ("outgoing_communications:read",), 200, list_outgoing_communications
    ),
)
