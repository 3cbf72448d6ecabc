from datetime import timedelta

import pytest

from auth.endpoints.agent_tokens import AgentTokenError, create, list_all, revoke
from auth.endpoints.sweep import sweep
from tests.auth.site import Served
from tests.cases import each


async def connected_people(served: Served) -> list[tuple[str, str]]:
    users = list(served.calendly.running.sandbox.records.users.values())
    for number in (0, 1):
        await served.sign_in(scope="users:read", person=number)
    return [(f"https://api.calendly.com/users/{user.id}", user.email) for user in users[:2]]


@pytest.mark.requirement("agent-tokens")
async def test_an_agent_token_acts_for_one_connected_person_within_its_scopes(every_site: Served) -> None:
    served = every_site
    (person, email), _ = await connected_people(served)
    made = await create(
        served.site, name="nightly\u202e report", person=email.upper(), scopes=["scheduled_events:read"]
    )
    assert made.secret.startswith("cmcp_ag_")
    called = (await served.call(made.secret)).json()
    assert called["person"] == person
    assert called["scopes"] == "scheduled_events:read"
    assert called["kind"] == "agent_token"
    assert called["client_name"] == "nightly report"
    assert called["client_id"].startswith("agent-")


@pytest.mark.requirement("agent-tokens")
async def test_a_person_is_named_by_uri_uuid_or_address(served: Served) -> None:
    (uri, email), _ = await connected_people(served)
    for name in (uri, uri.rpartition("/")[2], email):
        made = await create(served.site, name="job", person=name, scopes=["users:read"])
        assert (await served.call(made.secret)).json()["person"] == uri


async def test_it_must_be_clear_who_is_meant_and_they_must_be_connected(served: Served) -> None:
    with pytest.raises(AgentTokenError, match="Nobody has connected Calendly here yet"):
        await create(served.site, name="job", person=None, scopes=["users:read"])
    await connected_people(served)
    with pytest.raises(AgentTokenError, match="say whom the agent acts for"):
        await create(served.site, name="job", person=None, scopes=["users:read"])
    with pytest.raises(AgentTokenError, match="Nobody of that name has connected"):
        await create(served.site, name="job", person="nobody@example.com", scopes=["users:read"])


@each(
    "name, scopes, reason",
    [
        ("job", [], "No scope was named"),
        ("job", ["contacts:read"], "gives no scope contacts:read; it gives users:read event_types:"),
        ("job", ["mcp:scheduling:read"], "gives no scope mcp:scheduling:read"),
        ("\u202e", ["users:read"], "needs a name"),
    ],
)
async def test_a_token_has_a_name_and_scopes_that_there_are(
    served: Served, name: str, scopes: list[str], reason: str
) -> None:
    with pytest.raises(AgentTokenError, match=reason):
        await create(served.site, name=name, person=None, scopes=scopes)


@pytest.mark.requirement("agent-tokens", "token-list-revoke")
async def test_tokens_are_listed_without_their_secret_and_revoked_at_once(every_site: Served) -> None:
    served = every_site
    (uri, email), _ = await connected_people(served)
    first = await create(served.site, name="first", person=uri, scopes=["users:read"])
    served.advance(seconds=1)
    second = await create(served.site, name="second", person=uri, scopes=["users:read", "webhooks:read"])
    listed = await list_all(served.site)
    assert [(token.id, token.name, token.person, token.email) for token in listed] == [
        (first.id, "first", uri, email),
        (second.id, "second", uri, email),
    ]
    assert first.secret not in repr(listed)
    assert first.secret not in repr(first)
    await revoke(served.site, first.id)
    assert not await served.is_live(first.secret)
    assert await served.is_live(second.secret)
    assert [token.id for token in await list_all(served.site)] == [second.id]
    with pytest.raises(AgentTokenError):
        await revoke(served.site, first.id)


async def test_the_grants_of_browsers_are_no_agent_tokens(served: Served) -> None:
    tokens = await served.sign_in()
    grant_id = (await served.call(tokens.access)).json()["grant_id"]
    with pytest.raises(AgentTokenError):
        await revoke(served.site, grant_id)
    assert await served.is_live(tokens.access)


@pytest.mark.requirement("agent-tokens")
async def test_a_token_lives_for_a_year_unless_told_otherwise_and_housekeeping_spares_it(served: Served) -> None:
    await served.sign_in()
    long = await create(served.site, name="long", person=None, scopes=["users:read"])
    short = await create(served.site, name="short", person=None, scopes=["users:read"], life=timedelta(hours=1))
    served.advance(hours=1)
    assert not await served.is_live(short.secret)
    served.advance(days=364)
    await sweep(served.site)
    assert await served.is_live(long.secret)
    served.advance(days=1)
    assert not await served.is_live(long.secret)


@pytest.mark.requirement("header-only")
async def test_an_agent_token_is_no_refresh_token_and_its_client_signs_nobody_in(served: Served) -> None:
    await served.sign_in()
    made = await create(served.site, name="job", person=None, scopes=["users:read"])
    client = {"client_id": f"agent-{made.id}", "redirect_uris": ["https://agent.example/callback"]}
    assert (await served.try_to_refresh(client, made.secret)).status_code == 400
    assert (await served.browser().open(served.request(client))).status_code == 400
