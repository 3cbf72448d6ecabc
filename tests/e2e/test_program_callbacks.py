"""Events posted to programs, as an operator arranges it: for an agent token, to the receivers of the documents."""

import json
import shlex
import ssl
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from socket import create_connection
from typing import Any

import httpx2
import pytest

from events.outgoing.callback_urls import CallbackUrl
from events.outgoing.callbacks import Addressee, CallbackPoster, compact
from tests.documents import blocks
from tests.e2e.conftest import KEYS, Sandbox
from tests.e2e.hosting import Agent, hosted, upstream_settings
from tests.e2e.people import ADMIN, Browser
from tests.e2e.processes import Ended, run
from tests.e2e.receivers import receiver
from tests.e2e.test_events import book
from tests.e2e.test_webhooks import Operator
from tests.events.outgoing.callback_host import CallbackHost
from tests.ports import kept_port

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("measured")]

MAY = "users=read,scheduled_events=read,webhooks=full"
SCOPES = "users:read,scheduled_events:read"


@pytest.fixture
def port() -> Generator[str]:
    """Return a port that nobody else is given."""
    with kept_port() as port:
        yield str(port)


@pytest.fixture
def operator(sandbox: Sandbox, tmp_path: Path) -> Generator[Operator]:
    """Run a hosted server on an empty database, which may post to this machine."""
    settings = {
        **upstream_settings(sandbox.url),
        "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'database'}",
        "CALENDLY_MCP_SECRET_KEYS": KEYS,
        "CALENDLY_WEBHOOK_KEYS": "sandbox-signing-key",
        "CALENDLY_MCP_CALLBACK_HOSTS": "127.0.0.1",
    }
    with hosted(**settings) as site:
        yield Operator(site, settings)


def token(operator: Operator, *words: str, name: str = "CI", scopes: str = SCOPES) -> str:
    """Make an agent token."""
    made = run(
        *("token", "create", "--for", name, "--scopes", scopes, *words),
        **operator.settings,
        CALENDLY_MCP_PUBLIC_URL=operator.site.url,
    )
    assert made.status == 0, made.stderr
    return made.stdout.strip()


def listed(operator: Operator) -> list[dict[str, Any]]:
    """List what is posted, to whom."""
    found: list[dict[str, Any]] = json.loads(operator.run("list", "--json").stdout)["subscriptions"]
    return found


def poster_to(port: str) -> CallbackPoster:
    """Make what posts to a program on this machine, as the server does."""
    return CallbackHost(int(port), ssl.create_default_context()).poster(now=lambda: datetime.now(UTC))


def status_of_unmeasured(port: str) -> bytes:
    """Begin a post without a length, and return what it is answered before a body is sent."""
    with create_connection(("127.0.0.1", int(port)), timeout=20) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        return connection.makefile("rb").readline().split()[1]


@pytest.mark.requirement("events-callbacks", "events-settings", "receiver-examples")
@pytest.mark.parametrize("example", ["receiver.py", pytest.param("receiver.mjs", marks=pytest.mark.needs("node"))])
async def test_a_program_is_told_of_each_event_once_until_the_operator_ends_it(
    operator: Operator, sandbox: Sandbox, tmp_path: Path, port: str, example: str
) -> None:
    await Agent(browser=Browser(access=MAY)).sign_in(operator.site)
    assert operator.run("enable").status == 0
    token(operator)
    url = f"http://127.0.0.1:{port}/hook/path-of-n8n"
    made = operator.run("enable", "--to", url, "--for", "CI")
    assert made.status == 0, made.stderr
    secret = made.stdout.strip()
    kinds = {one["kind"]: one for one in listed(operator)}
    assert [*kinds] == ["meeting.booked", "meeting.canceled", "meeting.rescheduled"]
    assert all(one["id"] in made.stderr and one["until"] is None for one in kinds.values())
    booked = kinds["meeting.booked"]

    with receiver(example, secret, tmp_path, port) as (program, _):
        to = Addressee(CallbackUrl(url, f"127.0.0.1:{port}", is_listed=True), [secret], booked["id"])
        await poster_to(port).challenge(to)
        async with httpx2.AsyncClient() as http:
            assert (await http.post(url, json={})).status_code == 401
            if example.endswith(".py"):
                assert status_of_unmeasured(port) == b"411"
        await book(sandbox, "one@example.com")
        first = program.hear()
        again = await poster_to(port).post(to, first["eventId"], compact(first))
        await book(sandbox, "two@example.com")
        second = program.hear()
        assert operator.run("disable", "--subscription", booked["id"]).stdout.endswith(f" to 127.0.0.1:{port}.\n")
        ended = program.hear()

    assert again.status == 200
    assert [each["data"]["invitee"]["email"] for each in (first, second)] == ["one@example.com", "two@example.com"]
    assert (ended["type"], ended["error"]["message"]) == (
        "terminated",
        "The operator of this server ended this subscription.",
    )
    assert [one["kind"] for one in listed(operator)] == ["meeting.canceled", "meeting.rescheduled"]
    shown = operator.run("list").stdout + operator.run("list", "--json").stdout + made.stderr
    entries = run("audit", "list", **operator.settings, CALENDLY_MCP_PUBLIC_URL=operator.site.url).stdout
    assert f"  meeting.canceled of maya@northlight.example, for CI\n  to 127.0.0.1:{port}, since 2" in shown
    assert max(map(len, operator.run("list").stdout.splitlines())) <= 80
    assert "an operator has events 'meeting.booked' about" in entries
    assert "CI is no longer posted events 'meeting.booked' about" in entries
    assert "path-of-n8n" not in shown + entries
    assert secret not in shown + entries


@pytest.mark.requirement("events-callbacks")
async def test_what_cannot_be_arranged_is_refused_in_a_sentence_that_names_what_to_do(
    operator: Operator, port: str
) -> None:
    here = f"http://127.0.0.1:{port}/hook"
    await Agent(browser=Browser(access=f"{MAY},event_types=read")).sign_in(operator.site)
    for name, scopes, levels in (
        ("CI", f"{SCOPES},event_types:read", []),
        ("Blind", SCOPES, ["--access", "users=read"]),
    ):
        token(operator, *levels, name=name, scopes=scopes)
    for name, scopes in (
        ("Narrow", "users:read"),
        ("Twin", SCOPES),
        ("Twin", SCOPES),
    ):
        token(operator, name=name, scopes=scopes)
    assert operator.run("enable", "--to", here, "--for", "CI", "--kind", "meeting.booked").status == 0
    [there] = listed(operator)

    def refusal(*words: str, **settings: str) -> Ended:
        return Operator(operator.site, operator.settings | settings).run(*words)

    to_ci = ["enable", "--for", "CI", "--to"]
    cases: list[tuple[list[str], dict[str, str], int, str]] = [
        (["enable", "--to", here], {}, 2, "--for for which agent token: name both"),
        (["enable", "--for", "CI"], {}, 2, "--to says where events are posted"),
        ([*to_ci, here, "--person", "x"], {}, 2, "with --to the agent token says whose"),
        ([*to_ci, here, "--rotate"], {}, 2, "with --to the agent token says whose"),
        ([*to_ci, here, "--kind", "meeting.lost"], {}, 2, 'there is no kind "meeting.lost"; there are meetings,'),
        ([*to_ci, here, "--kind", "other"], {}, 2, 'there is no kind "other"'),
        ([*to_ci, "n8n.example.com"], {}, 2, "--to: cannot be used. Use an https address"),
        ([*to_ci, "http://n8n.example.com/x"], {}, 2, "--to: cannot be used. Callbacks are https addresses."),
        ([*to_ci, "https://user:pass@n8n.example.com/"], {}, 2, "without a user name"),
        ([*to_ci, "https://10.1.2.3/hook"], {}, 1, "list it in CALENDLY_MCP_CALLBACK_HOSTS, for this command and"),
        ([*to_ci, "https://localhost/hook"], {}, 1, "localhost is not an address of the internet"),
        ([*to_ci, "https://[fd00::1]:8443/hook"], {}, 1, "[fd00::1]:8443 is not an address of the internet"),
        ([*to_ci, "https://nowhere.invalid/"], {}, 1, "nowhere.invalid cannot be found: check its name"),
        ([*to_ci, here], {"CALENDLY_MCP_CALLBACKS": "off"}, 1, "CALENDLY_MCP_CALLBACKS is off"),
        (
            [*to_ci, "https://8.8.8.8/"],
            {"CALENDLY_MCP_CALLBACKS": "listed"},
            1,
            "add it to CALENDLY_MCP_CALLBACK_HOSTS",
        ),
        (
            [*to_ci, here, "--kind", "event_type.created"],
            {},
            1,
            "`calendly-mcp events enable --kind event_type.created` has",
        ),
        ([*to_ci, here, "--kind", "contact.created"], {}, 1, "CI may not have contact.created: its token lacks the"),
        ([*to_ci, "http://127.0.0.1:9/x"], {"CALENDLY_MCP_CALLBACK_HOSTS": ""}, 2, "On this machine http works for a"),
        ([*to_ci, here, "--kind", "meeting.booked"], {}, 1, f"events disable --subscription {there['id']}`"),
        (
            ["enable", "--to", here, "--for", "Nightly"],
            {},
            1,
            "there are CI, Blind, Narrow, Twin. `calendly-mcp token",
        ),
        (["enable", "--to", here, "--for", "Twin"], {}, 1, "name one by its id: "),
        (["enable", "--to", here, "--for", "Blind"], {}, 1, "events=read and scheduled_events=read"),
        (["enable", "--to", here, "--for", "Narrow"], {}, 1, "--for Narrow --scopes scheduled_events:read`"),
        ([*to_ci, f"{here}/2"], {"CALENDLY_MCP_ACCESS": "events=off"}, 1, "within CALENDLY_MCP_ACCESS"),
        (["disable", "--subscription", "sub_0"], {}, 1, "`calendly-mcp events list` names them."),
        (["disable", "--subscription", "x", "--person", "y"], {}, 2, "name one."),
    ]
    for words, settings, status, sentence in cases:
        refused = refusal(*words, **settings)
        assert (refused.status, refused.stdout) == (status, ""), (words, refused)
        assert sentence in refused.stderr, words
        assert refused.stderr.count("\n") == 1, words
    assert listed(operator) == [there]
    more = operator.run(*to_ci, here)
    assert (more.status, more.stdout) == (0, "")
    assert "It is signed by the secret of this address." in more.stderr
    assert [one["kind"] for one in listed(operator)] == ["meeting.booked", "meeting.canceled", "meeting.rescheduled"]


async def test_a_job_asks_what_is_new_with_the_words_of_the_documents(operator: Operator) -> None:
    await Agent(browser=Browser(access=MAY)).sign_in(operator.site)
    shown = [block.text for block in blocks("text") if block.page.name == "start-a-program.md"]
    [recipe] = [text for text in shown if text.startswith("curl")]
    words = shlex.split(recipe.replace("$TOKEN", token(operator)))
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "--header")
    headers["Content-Type"] = "application/json"  # as --json sends
    assert words[-1] == "https://calendly-mcp.example.com/mcp"
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        answer = await http.post(operator.site.endpoint, content=words[words.index("--json") + 1])
    result = answer.raise_for_status().json()["result"]
    assert (result["events"], result["hasMore"], result["cursor"][:3]) == ([], False, "c1-")


@pytest.mark.requirement("events-callbacks")
async def test_a_kind_may_be_named_a_token_known_by_its_id_and_an_address_be_public(operator: Operator) -> None:
    await Agent("One", Browser(access=MAY)).sign_in(operator.site)
    await Agent("Two", Browser(ADMIN, access=MAY)).sign_in(operator.site)
    for who in ("maya@northlight.example", "tomas@northlight.example"):
        token(operator, "--user", who)
    of_admin = json.loads(
        run("token", "list", "--json", **operator.settings, CALENDLY_MCP_PUBLIC_URL=operator.site.url).stdout
    )[1]
    made = operator.run("enable", "--to", "https://8.8.8.8:8443/hook", "--for", of_admin["id"], "--kind", "meetings")
    assert made.status == 0, made.stderr
    found = listed(operator)
    assert {one["kind"] for one in found} >= {"meeting.booked", "no_show.unmarked"}
    assert {(one["person"], one["agent"], one["host"], one["state"], one["outstanding"]) for one in found} == {
        (of_admin["person"], "CI", "8.8.8.8:8443", "active", 0)
    }
    assert {(one["last_delivery"], one["last_error"]) for one in found} == {(None, None)}
