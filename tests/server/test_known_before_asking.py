"""What Calendly is known to refuse is refused before a person is asked: every tool that asks, and every reason."""

from collections.abc import AsyncGenerator
from typing import Any, Final

import pytest

from tests.cases import each
from tests.hostile_upstream import HostileUpstream, Received, Step, Wire, answer
from tests.server.desk import Person, call, connected, me
from tests.server.test_dry_runs import BOOKING, examples
from tests.tools.facts import EXAMPLES, required_arguments
from tools import ALL
from tools.confirming import EFFECTS
from tools.endpoints.webhooks import create_webhook_subscription
from tools.toolset.tool import EndpointTool, HostedWorkflow, Tool, endpoint_of

ASKING: Final = [tool for tool in ALL if tool in EFFECTS and not isinstance(tool, HostedWorkflow)]
ASK: Final = ",".join(f"{name}=ask" for name in sorted({part.capability for tool in ASKING for part in tool.writes}))
OTHER: Final = "https://api.calendly.com/users/U7"
NAMED: Final[dict[str, dict[str, Any]]] = {
    "change_working_hours": {"changes": [{"days": "2026-12-04", "hours": "none"}], "schedule": EXAMPLES["schedule"]},
    "create_event_invitee": BOOKING,
    "create_event_type": {"owner": OTHER},
    "create_one_off_event_type": {"host": OTHER},
    "create_webhook_subscription": {"user": OTHER},
    "mark_no_shows": {"invitees": ["everyone"], "scheduled_event": EXAMPLES["scheduled_event"]},
    "update_user_meeting_limits": {"user": OTHER},
    "reschedule_scheduled_event": {"scheduled_event": EXAMPLES["scheduled_event"], "start_time": "2026-12-01T10:00Z"},
}
"""What a call of a tool is about, where its required arguments do not name it."""
WITHOUT_TARGET: Final = {
    *("create_organization_invitation", "delete_invitee_data", "delete_scheduled_event_data"),
    *("create_contact", "create_contact_list", "create_contact_custom_field_definition"),
    "create_user_availability_schedule",
}
UPGRADE: Final = {"title": "Permission Denied", "message": "Please upgrade to a paid Calendly account."}


@pytest.fixture
async def upstream() -> AsyncGenerator[HostileUpstream]:
    async with HostileUpstream.listen() as upstream:
        yield upstream


def arguments_of(tool: Tool) -> dict[str, Any]:
    required = required_arguments(tool) if isinstance(tool, EndpointTool) else {}
    return {**required, **NAMED.get(tool.name, {})}


def will_answer(upstream: HostileUpstream, otherwise: Step) -> None:
    """Have everything but the caller's own name answered so, from now on."""

    async def step(request: Received, wire: Wire) -> None:
        await (me() if request.path == "/users/me" else otherwise)(request, wire)

    upstream.requests.clear()
    upstream.otherwise = step


def writes(upstream: HostileUpstream) -> list[str]:
    return [request.path for request in upstream.requests if request.method != "GET"]


@pytest.mark.requirement("known-before-asking")
@each("tool", [tool for tool in ASKING if tool.name not in WITHOUT_TARGET])
async def test_a_target_that_does_not_exist_is_found_before_the_question(upstream: HostileUpstream, tool: Tool) -> None:
    will_answer(upstream, answer(404, {"title": "Resource Not Found"}))
    person = Person()
    async with connected(upstream, person=person, access=ASK, toolsets="all") as client:
        refused = await call(client, tool.name, **arguments_of(tool))
        assert refused.kind == "not_found"
        tried = await call(client, tool.name, **arguments_of(tool), dry_run=True)
        assert tried.kind == "not_found"
    assert (person.questions, writes(upstream)) == ([], [])


@pytest.mark.requirement("known-before-asking")
@each("tool", ASKING)
async def test_a_scope_that_calendly_misses_is_asked_about_once_at_most(upstream: HostileUpstream, tool: Tool) -> None:
    async def refuse(request: Received, wire: Wire) -> None:
        scope = tool.scopes[0] if request.method != "GET" else f"{tool.scopes[0].partition(':')[0]}:read"
        await answer(403, {"title": "Insufficient scope", "message": "No.", "required_scopes": [scope]})(request, wire)

    will_answer(upstream, refuse)
    person = Person()
    async with connected(upstream, person=person, access=ASK, toolsets="all") as client:
        first = await call(client, tool.name, **arguments_of(tool))
        assert first.kind == "insufficient_scope"
        is_changed = isinstance(tool, EndpointTool) and bool(set(tool.endpoint.parameters) - {"organization"})
        assert len(person.questions) == len(writes(upstream)) <= (0 if is_changed else 1)
        upstream.requests.clear()
        person.questions.clear()
        again = await call(client, tool.name, **arguments_of(tool))
    assert again.kind == "insufficient_scope"
    assert again.error["required_scopes"]
    assert (person.questions, writes(upstream)) == ([], [])


@pytest.mark.requirement("known-before-asking")
@each("tool", [tool for tool in ASKING if isinstance(tool, EndpointTool)])
async def test_a_plan_that_calendly_misses_is_asked_about_once(upstream: HostileUpstream, tool: EndpointTool) -> None:
    async def refuse(request: Received, wire: Wire) -> None:
        await (examples if request.method == "GET" else answer(403, UPGRADE))(request, wire)

    will_answer(upstream, refuse)
    person = Person()
    async with connected(upstream, person=person, access=ASK, toolsets="all") as client:
        first, again = [await call(client, tool.name, **arguments_of(tool)) for _ in range(2)]
    assert first.kind == again.kind == "permission_denied", first.content
    assert len(person.questions) == len(writes(upstream)) == 1
    assert "nobody was asked" in str(again.result.content)
    assert "plan" in again.error["next_step"]


async def test_a_group_that_does_not_exist_is_found_before_the_question(upstream: HostileUpstream) -> None:
    will_answer(upstream, answer(404, {"title": "Resource Not Found"}))
    person = Person()
    of_a_group = {**required_arguments(endpoint_of(create_webhook_subscription)), "scope": "group", "group": "G1"}
    async with connected(upstream, person=person, access=ASK) as client:
        assert (await call(client, "create_webhook_subscription", **of_a_group)).kind == "not_found"
    assert (person.questions, writes(upstream)) == ([], [])


async def test_a_role_that_a_read_told_is_known(upstream: HostileUpstream) -> None:
    member = {"user": {"uri": "https://api.calendly.com/users/U1"}, "role": "user"}
    person = Person()
    will_answer(upstream, answer(200, {"collection": [member], "pagination": {"count": 1}}))
    async with connected(upstream, person=person, access=ASK, toolsets="all") as client:
        await call(client, "list_organization_memberships")
        refused = await call(client, "create_organization_invitation", email="new@northwind.example")
        assert refused.kind == "permission_denied"
        assert "owner or admin" in refused.error["next_step"]
        assert (person.questions, writes(upstream)) == ([], [])
        promoted = {**member, "role": "admin"}
        will_answer(upstream, answer(200, {"collection": [promoted], "pagination": {"count": 1}}))
        await call(client, "list_organization_memberships")
        await call(client, "create_organization_invitation", email="new@northwind.example")
    assert len(person.questions) == 1


async def test_a_plan_that_a_read_told_is_known(upstream: HostileUpstream) -> None:
    person = Person()
    async with connected(upstream, person=person, access=ASK, toolsets="all") as client:
        for plan, asked in (("teams", 0), ("enterprise", 1)):
            will_answer(upstream, answer(200, {"resource": {"uri": "x", "plan": plan}}))
            await call(client, "get_current_user")  # whose organization it is
            await call(client, "list_organization_memberships")
            await call(client, "get_organization", organization="O1")
            await call(client, "delete_invitee_data", emails=["lee@acme.example"])
            assert len(person.questions) == asked


@each("odd", [5, "text", {"a": 1}, [5, None, [], {"user": 7}], None])
async def test_an_odd_answer_about_members_tells_nothing(upstream: HostileUpstream, odd: object) -> None:
    person = Person()
    will_answer(upstream, answer(200, {"collection": odd, "resource": odd}))
    async with connected(upstream, person=person, access=ASK) as client:
        await call(client, "list_organization_memberships")
        await call(client, "create_organization_invitation", email="new@northwind.example")
    assert len(person.questions) == 1
