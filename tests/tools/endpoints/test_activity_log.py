from datetime import timedelta

import pytest

from calendly.errors import PermissionDenied
from tests.sandbox.api import MONDAY, Api, iso, sign_in
from tests.tools.agent import TOOLS, Agent
from tests.tools.conftest import AgentOf
from tools.answers.shown import shown
from tools.answers.size_limit import fitted
from tools.toolset.errors import ArgumentError

LOG = "list_activity_log_entries"
SENT = "list_outgoing_communications"


async def test_a_thousand_entries_fit_on_a_page_and_all_are_counted(agent_of: AgentOf) -> None:
    enterprise = agent_of("enterprise")
    log = await enterprise.call("list_activity_log_entries", count=1_000)
    assert (len(log["collection"]), log["total_count"], log["exceeds_max_total_count"]) == (130, 130, False)
    assert log["last_event_time"] == log["collection"][0]["occurred_at"]
    page = await enterprise.call(LOG, count=50, max_pages=2)
    assert page["collection"] == log["collection"][:100]
    assert page["total_count"] == 130
    rest = await enterprise.call(LOG, count=50, page_token=page["pagination"]["next_page_token"])
    assert rest["collection"] == log["collection"][100:]


async def test_a_page_that_was_cut_after_its_hundredth_row_goes_on_from_there(agent_of: AgentOf) -> None:
    token = "cut:120:1000:"
    rest = await agent_of("enterprise").call(LOG, count=1_000, page_token=token)
    assert len(rest["collection"]) == 10
    with pytest.raises(ArgumentError, match="page_token"):
        await agent_of("enterprise").call(LOG, page_token=token)


async def test_it_is_searched_by_word_person_kind_and_time(agent_of: AgentOf) -> None:
    enterprise = agent_of("enterprise")
    by_person = await enterprise.call(LOG, actor=["Erik Dahl"], namespace=["User"], action=["Login"], count=100)
    assert {row["actor"]["display_name"] for row in by_person["collection"]} == {"Erik Dahl"}
    assert {row["fully_qualified_name"] for row in by_person["collection"]} == {"User.Login"}
    (found,) = (await enterprise.call(LOG, search_term="colleague20@harborline.example"))["collection"]
    assert found["details"] == {"user_email": "colleague20@harborline.example"}
    span = {"min_occurred_at": "2026-11-20", "max_occurred_at": "2026-11-20"}
    of_a_day = (await enterprise.call(LOG, **span, sort=["occurred_at:asc"]))["collection"]
    assert len(of_a_day) == 5  # one every five hours
    assert of_a_day == sorted(of_a_day, key=lambda row: row["occurred_at"])
    nothing = await enterprise.call(LOG, namespace=["Nothing"])
    assert nothing["empty_because"] == "Nothing matches namespace; without that there may be some."


async def test_calendly_itself_is_an_actor_without_an_address(agent_of: AgentOf) -> None:
    log = await agent_of("enterprise").call(LOG, sort=["actor.uri:asc"])
    assert log["collection"][0]["actor"] == {"type": "System", "display_name": "Calendly"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"actor": ["me", "me"]}, "actor"),
        ({"sort": ["occurred_at:desc", "action:asc"]}, "sort"),
        ({"sort": ["created_at:desc"]}, "sort"),
        ({"count": 1_001}, "count"),
        ({"search_term": "a" * 301}, "search_term"),
        ({"min_occurred_at": "2026-11-21", "max_occurred_at": "2026-11-20"}, "Must not be before min_occurred_at"),
    ],
)
async def test_what_cannot_be_sent_is_refused_by_us(agent: Agent, arguments: dict[str, object], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        await agent.call(LOG, **arguments)


async def test_sent_messages_are_read_whole_and_withheld_where_invitees_are(agent_of: AgentOf) -> None:
    enterprise = agent_of("enterprise")
    sent = await enterprise.call("list_outgoing_communications")
    assert (sent["total_count"], {row["type"] for row in sent["collection"]}) == (8, {"email", "sms"})
    (sms, *_) = [row for row in sent["collection"] if row["type"] == "sms"]
    assert (sms["subject"], sms["from"]) == (None, "+15555550100")
    later = await enterprise.call(SENT, min_created_at=iso(MONDAY - timedelta(days=38)))
    assert 0 < later["total_count"] < 8
    hidden = str(shown(TOOLS[SENT].shape, sent, redacts=True))
    assert "@acme.example" not in hidden
    assert "meeting" not in hidden


async def test_a_log_of_a_thousand_long_entries_is_cut_and_goes_on(agent_of: AgentOf) -> None:
    log = await agent_of("enterprise").call(LOG, count=1_000)
    rows = [{**row, "details": {"note": "x y " * 200}} for row in log["collection"]]
    told = fitted({**log, "collection": rows}, str)
    assert isinstance(told, dict)
    assert told["left_out"]["rows"] > 0


async def test_it_is_for_admins_on_enterprise_alone(agent: Agent, agent_of: AgentOf, api: Api) -> None:
    member = agent_of(await sign_in(api, "Erik Dahl", "activity_log:read outgoing_communications:read users:read"))
    for name in (LOG, SENT):
        with pytest.raises(PermissionDenied, match="Please upgrade your Calendly account to Enterprise"):
            await agent.call(name)
        with pytest.raises(PermissionDenied, match="You do not have permission to access this resource"):
            await member.call(name)
