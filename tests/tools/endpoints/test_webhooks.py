from typing import Any

import pytest

from calendly.errors import CalendlyError, Conflict, InvalidArgument, NotFound, OutcomeUnknown
from tests.sandbox.api import Api
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError

URL = "https://hooks.northlight.example/mine"


@pytest.mark.requirement("defaults-webhooks")
async def test_a_subscription_is_for_the_persons_own_events_unless_said_otherwise(agent: Agent, api: Api) -> None:
    made = await agent.call(
        "create_webhook_subscription", url=URL, events=["invitee.created", "invitee.canceled"], signing_key="s3cret-key"
    )
    me = await api.me()
    assert (made["scope"], made["user"], made["organization"]) == ("user", me["uri"], me["current_organization"])
    body: Any = agent.sent[-1].body
    assert body["signing_key"] == "s3cret-key"
    assert "s3cret-key" not in str(made)


@pytest.mark.requirement("defaults-webhooks")
async def test_subscriptions_are_the_persons_own_unless_said_otherwise(agent: Agent) -> None:
    assert (await agent.call("list_webhook_subscriptions"))["collection"] == []
    made = await agent.call("create_webhook_subscription", url=URL, events=["invitee.created"])
    own = await agent.call("list_webhook_subscriptions", sort="created_at:desc")
    assert [row["uri"] for row in own["collection"]] == [made["uri"]]
    whole = await agent.call("list_webhook_subscriptions", scope="organization")
    assert [row["callback_url"] for row in whole["collection"]] == ["https://hooks.northlight.example/calendly"]


async def test_a_subscription_is_read_and_deleted(agent: Agent) -> None:
    made = await agent.call("create_webhook_subscription", url=URL, events=["contact.created"], scope="organization")
    assert (await agent.call("get_webhook_subscription", webhook_subscription=made["uri"]))["events"] == [
        "contact.created"
    ]
    deleted = await agent.call("delete_webhook_subscription", webhook_subscription=made["uri"].rpartition("/")[2])
    assert deleted == {"uri": made["uri"], "status": "deleted"}
    with pytest.raises(NotFound):
        await agent.call("get_webhook_subscription", webhook_subscription=made["uri"])


async def test_the_same_address_twice_is_a_conflict(agent: Agent) -> None:
    await agent.call("create_webhook_subscription", url=URL, events=["invitee.created"])
    with pytest.raises(Conflict):
        await agent.call("create_webhook_subscription", url=URL, events=["invitee.created"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"events": ["routing_form_submission.created"]}, "events: routing_form_submission.created needs scope organi"),
        (
            {"events": ["meeting_recap.deleted"], "scope": "organization"},
            "events: meeting_recap.deleted needs scope user",
        ),
        ({"events": []}, "events"),
        ({"events": ["invitee.updated"]}, "events.0: Must be one of 'invitee.created'"),
        ({"events": ["invitee.created"] * 101}, "events: Must have at most 100 items"),
        ({"scope": "group"}, "group: This parameter is required when scope is group"),
        ({"url": "ftp://hooks.example/x"}, "url: Expected an absolute URL"),
        ({"url": "hooks.example/x"}, "url: Expected an absolute URL"),
        ({"url": "https://user:secret@hooks.example/x"}, "url: Expected an absolute URL"),
        ({"url": "https://hooks.example/a b"}, "url: Expected an absolute URL"),
        ({"url": "https://hooks.example/\nx"}, "url: Must not contain control characters"),
        ({"url": "https://hooks.example:99999/"}, "url: Expected an absolute URL"),
        ({"url": "https://[hooks.example/"}, "url: Expected an absolute URL"),
        ({"signing_key": "\x00"}, "signing_key: Must not contain control characters"),
    ],
)
async def test_a_subscription_that_cannot_be_is_refused_before_it_is_sent(
    agent: Agent, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        await agent.call("create_webhook_subscription", **{"url": URL, "events": ["invitee.created"], **change})
    assert agent.sent == []


async def test_listing_the_subscriptions_of_a_group_needs_the_group(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match="group: This parameter is required when scope is group"):
        await agent.call("list_webhook_subscriptions", scope="group")


async def test_a_key_that_an_upstream_sends_back_does_not_reach_the_agent(agent: Agent, api: Api) -> None:
    echo = {"resource": {"uri": f"{agent.origin}/webhook_subscriptions/A", "signing_key": "s3cret-key"}}
    await api.fail("/webhook_subscriptions", "POST", status=201, body=echo)
    made = await agent.call(
        "create_webhook_subscription", url=URL, events=["invitee.created"], signing_key="s3cret-key"
    )
    assert "s3cret-key" not in str(made)


@pytest.mark.parametrize(("status", "kind"), [(400, InvalidArgument), (500, OutcomeUnknown)])
async def test_an_error_that_quotes_the_key_does_not_reach_the_agent(
    agent: Agent, api: Api, status: int, kind: type[CalendlyError]
) -> None:
    quoting = {"title": "No", "message": "s3cret-key?", "details": [{"message": "s3cret-key is too short"}]}
    await api.fail("/webhook_subscriptions", "POST", status=status, body=quoting)
    with pytest.raises(kind) as failed:
        await agent.call("create_webhook_subscription", url=URL, events=["invitee.created"], signing_key="s3cret-key")
    assert "s3cret-key" not in f"{failed.value} {vars(failed.value)}"
    assert failed.value.status == status


async def test_a_free_plan_may_subscribe_too(agent_of: AgentOf) -> None:
    assert await agent_of("free").call("create_webhook_subscription", url=URL, events=["invitee.created"])


async def test_a_sample_is_the_bare_delivery_of_an_event(agent: Agent, api: Api) -> None:
    me = await api.me()
    sample = await agent.call("get_sample_webhook_data", event="invitee.created")
    assert (sample["event"], sample["created_by"]) == ("invitee.created", me["uri"])
    assert {"email", "scheduled_event"} <= set(sample["payload"])
    assert agent.sent[-1].parameters == {
        "event": "invitee.created",
        "organization": me["current_organization"],
        "scope": "user",
        "user": me["uri"],
    }
    kind = await agent.call("get_sample_webhook_data", event="event_type.updated", scope="organization")
    assert "description_html" not in kind["payload"]
    gone = await agent.call("get_sample_webhook_data", event="contact.deleted")
    assert set(gone["payload"]["contact"]) == {"uri", "deleted_at"}
    form = "routing_form_submission.created"
    with pytest.raises(ArgumentError, match=f"event: {form} needs scope organization"):
        await agent.call("get_sample_webhook_data", event=form)
    answered = await agent.call("get_sample_webhook_data", event=form, scope="organization")
    assert answered["payload"]["questions_and_answers"]
