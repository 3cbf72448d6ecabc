"""Webhook subscriptions."""

from typing import Final, Literal, cast
from urllib.parse import urlsplit

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import SortKeys, read_page, read_sort
from sandbox.errors import already_exists, invalid_argument, not_found, permission_denied
from sandbox.records.as_json import JsonObject, webhook_subscription_json
from sandbox.records.identifiers import new_id
from sandbox.records.scopes import grants
from sandbox.records.webhooks import StoredWebhookSubscription
from sandbox.requests.fields import MUST_BE_FILLED, InputFields, texts_in
from sandbox.requests.loopback import is_loopback
from sandbox.requests.permissions import (
    NO_ACCESS,
    NO_PERMISSION,
    known_user,
    require_group,
    require_organization,
)

SCOPES: Final = ("organization", "user", "group")
SORT_KEYS: Final[SortKeys[StoredWebhookSubscription]] = {"created_at": lambda hook: hook.created_at}

# Every event, and the scope that a token needs to subscribe to it.
EVENTS: Final = {
    "invitee.created": "scheduled_events:read",
    "invitee.canceled": "scheduled_events:read",
    "invitee_no_show.created": "scheduled_events:read",
    "invitee_no_show.deleted": "scheduled_events:read",
    "routing_form_submission.created": "routing_forms:read",
    "event_type.created": "event_types:read",
    "event_type.updated": "event_types:read",
    "event_type.deleted": "event_types:read",
    "meeting_recap.created": "meeting_recaps:read",
    "meeting_recap.updated": "meeting_recaps:read",
    "meeting_recap.deleted": "meeting_recaps:read",
    "contact.created": "contacts:read",
    "contact.updated": "contacts:read",
    "contact.deleted": "contacts:read",
}
# Families of events that need one subscription scope and a paid plan.
ONLY_SCOPE: Final = {"routing_form_submission": "organization", "meeting_recap": "user"}


def list_webhook_subscriptions(call: EndpointCall) -> JsonObject:
    """List the subscriptions of an organization, a user or a group."""
    fields = call.query_fields()
    sort = read_sort(fields, SORT_KEYS, "created_at:asc")
    page = read_page(fields, call.url_path, call.query)
    scope, organization, subject = read_subject(fields)
    fields.check()
    require_subject(call, scope, organization, subject)
    rows = [
        hook
        for hook in call.records.webhooks.values()
        if hook.organization == organization and hook.scope == scope and hook.subject == subject
    ]
    return page.answer(sort(rows), webhook_subscription_json)


def create_webhook_subscription(call: EndpointCall) -> JsonObject:
    """Create a subscription. The key of an OAuth application signs the deliveries of its own, if it has one."""
    fields = call.body_fields()
    url = _read_url(fields)
    scope, organization, subject = read_subject(fields)
    events = _read_events(fields, scope)
    signing_key = fields.text("signing_key")
    fields.check()
    require_subject(call, scope, organization, subject)
    if call.caller.organization.plan == "free" and any(_family(event) in ONLY_SCOPE for event in events):
        raise permission_denied("Please upgrade to a paid Calendly account.")
    if not all(grants(call.caller.token.scopes, EVENTS[event]) for event in events):
        raise invalid_argument()
    if any(hook.callback_url == url and hook.organization == organization for hook in call.records.webhooks.values()):
        raise already_exists("Hook with this url already exists")
    now = call.sandbox.clock.now()
    client = call.records.clients.get(call.caller.token.client or "")
    hook = StoredWebhookSubscription(
        id=new_id(),
        callback_url=url,
        events=events,
        scope=scope,
        organization=organization,
        subject=subject,
        creator=call.caller.user.id,
        signing_key=(None if client is None else client.signing_key) or signing_key or None,
        created_at=now,
        updated_at=now,
    )
    call.records.webhooks[hook.id] = hook
    return {"resource": webhook_subscription_json(hook)}


def _read_url(fields: InputFields) -> str:
    """Read the callback URL: https, or http on this machine."""
    url = fields.text("url", required=True)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        fields.refuse("url", "is not a URL")
        return url
    if url and not (host and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))):
        fields.refuse("url", "must be an https URL")
    return url


def read_subject(fields: InputFields) -> tuple[Literal["organization", "user", "group"], str, str | None]:
    """Read scope, organization, and the user or group that the scope needs."""
    organization = fields.reference("organization", "organizations", required=True)
    scope = fields.choice("scope", SCOPES, required=True)
    user = fields.reference("user", "users", required=scope == "user")
    group = fields.reference("group", "groups", required=scope == "group")
    subject = {"user": user, "group": group}.get(scope)
    return cast("Literal['organization', 'user', 'group']", scope), organization, subject


def _read_events(fields: InputFields, scope: str) -> tuple[str, ...]:
    fields.raw("events", required=True)
    events = texts_in(fields.raw("events")) if fields.has("events") else []
    if events is None or not set(events) <= EVENTS.keys():
        fields.refuse("events", f"must be a list of: {', '.join(EVENTS)}")
        return ()
    if fields.has("events") and not events:
        fields.refuse("events", MUST_BE_FILLED)
    for event in events:
        if scope and ONLY_SCOPE.get(_family(event), scope) != scope:
            fields.refuse("events", f"{event} needs scope {ONLY_SCOPE[_family(event)]}")
    return tuple(dict.fromkeys(events))


def _family(event: str) -> str:
    return event.partition(".")[0]


def require_subject(call: EndpointCall, scope: str, organization: str, subject: str | None) -> None:
    """Require an admin for an organization or group, and the user for a user.

    Raises:
        ApiError: 403 or 404.
    """
    if scope == "organization":
        require_organization(call.caller, call.records, organization)
    elif organization not in call.records.organizations:
        raise not_found()
    elif organization != call.caller.organization.id:
        raise permission_denied(NO_ACCESS)
    if scope == "user" and known_user(call.records, subject or "").id != call.caller.user.id:
        raise permission_denied(NO_PERMISSION)
    if scope == "group":
        require_group(call.caller, call.records, subject or "")


def get_webhook_subscription(call: EndpointCall) -> JsonObject:
    """Return one subscription."""
    return {"resource": webhook_subscription_json(_find(call))}


def delete_webhook_subscription(call: EndpointCall) -> None:
    """Delete a subscription, and drop its deliveries."""
    hook = _find(call)
    hook.state = "disabled"
    del call.records.webhooks[hook.id]


def _find(call: EndpointCall) -> StoredWebhookSubscription:
    """Return a subscription that the caller created, or whose organization the caller administers."""
    hook = call.records.webhooks.get(call.path["webhook_uuid"])
    if hook is None:
        raise not_found()
    if hook.creator != call.caller.user.id and not call.caller.administers(hook.organization):
        raise permission_denied(NO_ACCESS)
    return hook


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/webhook_subscriptions", ("webhooks:read",), 200, list_webhook_subscriptions),
    SandboxEndpoint("POST", "/webhook_subscriptions", ("webhooks:write",), 201, create_webhook_subscription),
    SandboxEndpoint("GET", "/webhook_subscriptions/{webhook_uuid}", ("webhooks:read",), 200, get_webhook_subscription),
    SandboxEndpoint(
        "DELETE", "/webhook_subscriptions/{webhook_uuid}", ("webhooks:write",), 204, delete_webhook_subscription
    ),
)
