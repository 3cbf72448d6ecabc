"""What each kind of failure means, and what an agent should do next. Pure tables.

Calendly's failures: developer.calendly.com, "Errors", "Rate limits" and "Scopes".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from types import MappingProxyType
from typing import Final, Literal

from tools.toolset.tool import Tool

Kind = Literal[
    "invalid_argument",
    "unauthenticated",
    "insufficient_scope",
    "permission_denied",
    "access_denied_by_policy",
    "not_found",
    "conflict",
    "rate_limited",
    "upstream_error",
    "upstream_unreachable",
    "outcome_unknown",
    "confirmation_required",
    "declined",
]

RETRYABLE: Final[frozenset[Kind]] = frozenset({"rate_limited", "upstream_error", "upstream_unreachable"})
"""The kinds after which the same call may succeed later without any change."""

_WHERE: Final = "in Calendly under Integrations & apps, API and webhooks"

_ADVICE: Final[dict[Kind, tuple[str, str]]] = {
    "invalid_argument": (
        "The arguments cannot be used as they are; nothing was changed.",
        "Correct {parameters} and call again.",
    ),
    "permission_denied": (
        "The person behind the access token may not do this.",
        "Tell the user that {who}.",
    ),
    "access_denied_by_policy": (
        "A rule of this server forbids the call; Calendly was not asked.",
        "Do not try again; tell the user what is switched off and who can change it.",
    ),
    "not_found": (
        "Calendly has no such resource, or does not show it to this person.",
        "Check the identifier, and that this person can see it in Calendly; the list tools give identifiers that work.",
    ),
    "conflict": (
        "What it is about is not, or no longer, in a state that allows this.",
        "Read its present state before anything else{state}: what was asked for may be done already, or be too late.",
    ),
    "rate_limited": (
        "There were too many calls; this one was not carried out.",
        "Call again in {seconds} s, and more slowly from then on.",
    ),
    "upstream_error": (
        "Calendly failed; the call itself may be right.",
        "Call again later. If it keeps failing, the user can ask Calendly's support.",
    ),
    "upstream_unreachable": (
        "Calendly could not be reached; nothing was changed.",
        "Call again in a minute. If it keeps failing, the user can check the network and Calendly's status page.",
    ),
    "outcome_unknown": (
        "Calendly may or may not have done it.",
        "Do not simply repeat it: look first whether it happened, with {look}.",
    ),
    "confirmation_required": (
        "Nothing was sent yet: the user has to agree first.",
        "{confirm}",
    ),
    "declined": (
        "Nothing was sent.",
        "Do not call it again unless the user asks for it.",
    ),
}
"""By kind: what it means, and what to do; two kinds have no place here, since what helps depends on the token."""

Confirms = Literal["in the chat", "on the page too", "on the page alone"]
"""Where a person can agree to a call."""

_AGAIN: Final = (
    "call again with the same arguments and `confirmation` set to the token of this answer; it works once, within ten "
    "minutes."
)
_CONFIRM: Final[Mapping[Confirms, str]] = {
    "in the chat": f"Show the message to the user. Only if the user agrees, {_AGAIN}",
    "on the page too": (
        "Show the message to the user, with the link of `confirm_url`, where they can answer by themselves. "
        f"Only if the user agrees, here or there, {_AGAIN}"
    ),
    "on the page alone": (
        "Show the message to the user, with the link of `confirm_url`: only their answer on that page counts. "
        f"When they say that they agreed there, {_AGAIN}"
    ),
}

Advice = dict[Kind, tuple[str, str]]

PERSONAL_TOKEN: Final[Advice] = {
    "unauthenticated": (
        "The access token is missing, unknown, expired or revoked.",
        (
            "Ask the user to renew the access token, or to sign in again, {where}, and to restart this server with it. "
            "Calendly ends a token when the login e-mail, the password or the login method changes."
        ),
    ),
    "insufficient_scope": (
        "The access token lacks a scope that {tool} needs.",
        "Ask the user to grant the token {scopes} {where}; a new token has no scope until one is granted.",
    ),
}
"""The advice for a personal access token."""

LOCAL_LOGIN: Final[Advice] = {
    "unauthenticated": (
        "Calendly does not accept the sign-in of this machine, or no longer.",
        "Ask the user to run `calendly-mcp login` in a terminal, and then call again.",
    ),
    "insufficient_scope": (
        "The sign-in of this machine lacks a scope that {tool} needs.",
        "Ask the user to run `calendly-mcp login` in a terminal and to allow {scopes}, then to restart this server.",
    ),
}
"""The advice after a sign-in with `calendly-mcp login`."""


def on_the_way(proxy: str) -> Advice:
    """Return the advice for a server whose requests go through a proxy, which a sentence names; nothing without one."""
    means, step = _ADVICE["upstream_unreachable"]
    told = proxy.replace("{", "{{").replace("}", "}}")
    return {"upstream_unreachable": (means, f"{step}{told}")} if proxy else {}


def signed_in_at(address: str) -> Advice:
    """Return the advice for an agent whose person signed in by browser at `address`."""
    return {
        "unauthenticated": (_DISCONNECTED, f"Ask the user to connect Calendly again; {address} says how."),
        "insufficient_scope": (
            "What was allowed does not cover {tool}.",
            f"Ask the user to connect Calendly again and to allow {{scopes}}; {address} says how.",
        ),
    }


def made_for_agent_at(address: str) -> Advice:
    """Return the advice for an agent whose token an operator made."""
    return {
        "unauthenticated": (
            _DISCONNECTED,
            f"Ask the person this agent acts for to connect Calendly again; {address} says how.",
        ),
        "insufficient_scope": (
            "The token of this agent does not cover {tool}.",
            "Ask whoever runs this server for a token with {scopes} (`calendly-mcp token create`).",
        ),
    }


_DISCONNECTED: Final = "Calendly no longer accepts the connection that the user once made."

_EXTERNAL_CALENDAR: Final = (
    "Call again later. If it keeps failing, the user has to reconnect the calendar in Calendly's calendar settings."
)

_BLOCKED: Final = (
    "Ask the user to have the proxy or firewall between this server and api.calendly.com let its requests through; "
    "the token and the arguments may be right."
)

_GO_ON: Final = "Call again with the same arguments: the call finds what was done, and finishes it."

_UNRECORDED: Final = (
    "What writes has to be recorded first, and the audit log cannot be written; Calendly was not asked.",
    (
        "Tell the user what the message says of the audit log, such as a full disk or a database that does not answer. "
        "No rule forbids the call: call again once that is mended. What only reads works meanwhile."
    ),
)

_UNEXPLAINED: Final = "Calendly refused it, and does not say why."

_LOOK: Final[Mapping[str, str]] = {
    "booking": "list_scheduled_events around that time (a new booking may show only after a while)",
    "canceling": "get_scheduled_event",
    "event_types": "list_event_types",
    "availability": "list_user_availability_schedules or list_user_meeting_limits",
    "no_shows": "get_event_invitee",
    "meeting_recaps": "get_meeting_recap",
    "organization": "list_organization_memberships or list_organization_invitations",
    "webhooks": "list_webhook_subscriptions",
    "scheduling_links": "the user: an unused link does no harm",
    "data_deletion": "the user: Calendly deletes within days, and asking for it twice does no harm",
    "contacts": "list_contacts",
    "create_note": "list_notes of this contact",
    "create_contact_list": "list_contact_lists",
    "rename_contact_list": "list_contact_lists",
    "create_contact_custom_field_definition": "list_contact_custom_field_definitions",
}
"""By capability, or by tool where it is not the same for all of them, how to check whether a write took place."""


_NO_ID: Final = "its uuid, or its URI"
"""Stands in the message about a text that is no identifier (`calendly.identifiers`)."""

_FOUND_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "invitee": "list_event_invitees gives the URIs of a meeting's invitees, and find_bookings finds them by name",
        "scheduled_event": "list_scheduled_events gives the URIs of meetings, and find_bookings finds them by name",
        "event_type": "list_event_types gives their URIs",
        "user": "list_organization_memberships gives the URIs of people",
        "membership": "list_organization_memberships gives their URIs",
        "invitation": "list_organization_invitations gives their URIs",
        "schedule": "list_user_availability_schedules gives their URIs",
        "webhook_subscription": "list_webhook_subscriptions gives their URIs",
        "contact": "list_contacts gives their URIs",
    }
)
"""By parameter, how to find the identifier of what one knows by name."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The facts of a failure that decide the next step.

    Attributes:
        own_step: The next step that the failure itself names.
        is_unexplained: Calendly refused the arguments and says nothing of why.
        is_foreign: Calendly names only what is no parameter of the tool.
    """

    kind: Kind
    status: int | None = None
    message: str = ""
    parameters: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    retry_after: float | None = None
    confirms: Confirms = "in the chat"
    own_step: str | None = None
    is_unrecorded: bool = False
    is_unexplained: bool = False
    is_foreign: bool = False
    goes_on: bool = False


def meaning(failure: Failure, tool: Tool, advice: Advice = PERSONAL_TOKEN) -> str:
    """Return what a failure of a call of `tool` means."""
    if failure.is_unrecorded:
        return _UNRECORDED[0]
    if failure.is_unexplained:
        return _UNEXPLAINED
    return (_ADVICE | advice)[failure.kind][0].format(tool=tool.name)


def next_step(failure: Failure, tool: Tool, advice: Advice = PERSONAL_TOKEN) -> str:
    """Return what to do after a failure of a call of `tool`."""
    if failure.status == HTTPStatus.FAILED_DEPENDENCY:
        return _EXTERNAL_CALENDAR
    if failure.own_step is not None:
        return failure.own_step
    if failure.is_unrecorded:
        return _UNRECORDED[1]
    if failure.goes_on or failure.is_unexplained or failure.is_foreign:
        return _GO_ON if failure.goes_on else _after_refusal(failure, tool)
    if failure.kind == "upstream_unreachable" and failure.status is not None:
        return _BLOCKED
    look = _LOOK.get(tool.name) or _LOOK.get(tool.capabilities[0], "the reading tools")
    step = (_ADVICE | advice)[failure.kind][1].format(
        parameters=", ".join(f"`{name}`" for name in failure.parameters) or "the arguments as the message says",
        where=_WHERE,
        scopes=" ".join(failure.scopes) or " ".join(tool.scopes),
        who=_who(failure, tool),
        seconds=ceil(failure.retry_after or 0),
        confirm=_CONFIRM[failure.confirms],
        look=look,
        state="" if look.startswith("the ") else f", with {look}",
    )
    return f"{step}{_how_to_find(failure)}"


def _after_refusal(failure: Failure, tool: Tool) -> str:
    """Return what to do where nothing tells which argument to correct."""
    why = "What Calendly names is no parameter of this tool" if failure.is_foreign else "Calendly does not say why"
    of_times = "Look at the open times with list_event_type_available_times"
    look = of_times if "booking" in tool.capabilities else "Check the arguments"
    return f"{why}. {look}, then call again. If it is refused again, tell the user."


def _how_to_find(failure: Failure) -> str:
    """Return the sentence on where an identifier is found, empty where none was missing."""
    named = next((name for name in failure.parameters if name in _FOUND_BY), None)
    if failure.kind != "invalid_argument" or _NO_ID not in failure.message or named is None:
        return ""
    return f" A name is no identifier: {_FOUND_BY[named]}."


def _who(failure: Failure, tool: Tool) -> str:
    """Return which plan, role or person may do it."""
    plan = next((endpoint.plan for endpoint in tool.needs if endpoint.plan), None)
    role = next((endpoint.role for endpoint in tool.needs if endpoint.role), None)
    if plan == "enterprise":
        return "this needs Calendly's Enterprise plan"
    if "upgrade" in failure.message.lower():
        return "this needs a higher Calendly plan"
    if plan is not None:
        return f"this needs a Calendly plan {plan}, and is for whoever may see it in Calendly"
    if role is not None:
        return f"only an owner or {role} of the organization may do this in Calendly"
    return "this person's role does not allow it in Calendly: the owner of the resource or an organization admin may"
