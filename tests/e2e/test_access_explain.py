"""`calendly-mcp access explain`, as an operator uses it."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Sandbox
from tests.e2e.hosting import Agent, hosted, upstream_settings
from tests.e2e.people import ADMIN, OWNER, Browser
from tests.e2e.processes import run

pytestmark = pytest.mark.anyio

CANCEL = "cancel_scheduled_event"


@pytest.mark.requirement("access-explain")
def test_the_agent_of_this_machine_is_explained_without_a_token_by_flags_environment_and_file(tmp_path: Path) -> None:
    plain = run("access", "explain", CANCEL)
    assert (plain.status, plain.stderr) == (0, "")
    assert "because     canceling is ask (the operator's ceiling)\n" in plain.stdout
    file = tmp_path / "settings.toml"
    file.write_text('CALENDLY_MCP_ACCESS = ["canceling=full:domains=example.com", "invitee_data=off"]\n')
    by_file = run("access", "explain", CANCEL, "--config", str(file))
    assert "condition   canceling is limited to invitees and guests at example.com (the operator's" in by_file.stdout
    by_flag = run("access", "explain", CANCEL, "--access", "canceling=off", CALENDLY_MCP_ACCESS="canceling=full")
    assert "a call      is refused\n" in by_flag.stdout


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["cancel_event"], 2, 'There is no tool "cancel_event"; did you mean cancel_scheduled_event?'),
        ([], 2, "the following arguments are required: TOOL. See `calendly-mcp access explain --help`"),
        ([CANCEL, "--access", "canceling=read"], 2, '--access: canceling cannot be "read"; it can be off, ask, full.'),
        ([CANCEL, "--client", "x", "--database-url", "sqlite://"], 2, "--client: sqlite:// is memory"),
        (
            [CANCEL, "--client", "x", "--database-url", "sqlite:////nowhere/x"],
            1,
            "there is no database at /nowhere/x yet. A server with --sandbox keeps its own in memory",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_explained_is_one_line(words: list[str], status: int, line: str) -> None:
    ended = run("access", "explain", *words)
    assert (ended.status, ended.stdout) == (status, "")
    assert ended.stderr.startswith(f"calendly-mcp: {line}")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.requirement("access-explain-client")
async def test_an_agent_of_the_hosted_endpoint_is_explained_by_its_grant_or_its_client(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = {
        **upstream_settings(sandbox.url),
        "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'database'}",
        "CALENDLY_MCP_SECRET_KEYS": "k1:" + "A" * 43,
    }
    with hosted(**settings) as site:
        one, two = Agent("One", Browser(OWNER)), Agent("Two", Browser(ADMIN))
        await one.sign_in(site)
        two.memory.client = one.memory.client  # the same client, let in by another person
        await two.sign_in(site)
        many = run("access", "explain", CANCEL, "--client", one.client_id, **settings)
        assert (many.status, many.stdout) == (1, "")
        assert (
            f'Several agents have the id "{one.client_id[:60]}" here; name one by its grant: One (grant ' in many.stderr
        )
        nobody = run("access", "explain", CANCEL, "--client", "nobody", **settings)
        assert nobody.status == 1
        assert 'No agent has the id "nobody" here; name one by its grant: One (grant ' in nobody.stderr
        grant = nobody.stderr.partition("(grant ")[2].partition(",")[0]
        found = run("access", "explain", CANCEL, "--client", grant, CALENDLY_MCP_PUBLIC_URL=site.url, **settings)
    assert found.status == 0, found.stderr
    assert (
        f"agent       One (grant {grant}, client {one.client_id}), for https://api.calendly.com/users/" in found.stdout
    )
    assert "because     canceling is ask (the person's choice)\n" in found.stdout
    assert f"changed by  The person it acts for can change that at {site.url}/connections.\n" in found.stdout
    assert "together    canceling=ask\n" in found.stdout
    assert "token       has scheduled_events:write: " in found.stdout
    assert "calendly    has scheduled_events:write: " in found.stdout
