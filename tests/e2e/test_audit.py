"""The audit log as an operator sees it: what the commands print, and what a server does that cannot write it."""

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.conftest import Sandbox
from tests.e2e.hosting import Agent, hosted, upstream_settings
from tests.e2e.people import Browser
from tests.e2e.processes import Program, greet, program, request, run
from tests.server.desk import call

STRANGER = "olga.secret@stranger.example"
WRITE = "create_single_use_scheduling_link"


@pytest.fixture
def folder(settings: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The settings of a server whose user's data is in a folder of its own."""
    return {**settings, "XDG_DATA_HOME": str(tmp_path)}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where such a server keeps its record."""
    return tmp_path / "calendly-mcp" / "calendly-mcp.sqlite3"


@contextmanager
def session(*words: str, module: str = "server", **settings: str) -> Generator[Program]:
    """Run a server over stdio, with the conversation opened."""
    with program(*words, module=module, **settings) as server:
        greet(server)
        yield server


def ask(server: Program, name: str, **arguments: object) -> dict[str, Any]:
    """Call a tool; its result."""
    server.say(request("tools/call", 7, name=name, arguments=arguments))
    result: dict[str, Any] = server.hear()["result"]
    return result


def error(result: dict[str, Any]) -> dict[str, Any]:
    """The error in a result."""
    assert result["isError"], result
    found: dict[str, Any] = result["structuredContent"]["error"]
    return found


def event_type(server: Program) -> str:
    """One of the person's event types."""
    return str(ask(server, "list_event_types")["structuredContent"]["collection"][0]["uri"])


def exported(*words: str, **settings: str) -> list[dict[str, Any]]:
    """What `audit export` prints."""
    ended = run("audit", "export", *words, **settings)
    assert (ended.status, ended.stderr) == (0, "")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def verify(**settings: str) -> tuple[int, str]:
    """What `audit verify` says."""
    ended = run("audit", "verify", **settings)
    return ended.status, ended.stdout + ended.stderr


@pytest.mark.requirement("every-call-recorded", "audit-list-export", "agent-name-setting")
def test_every_call_is_recorded_with_who_what_why_and_how_it_ended(folder: dict[str, str]) -> None:
    with session(**folder, CALENDLY_MCP_EXCLUDE_TOOLS="get_event_type") as server:
        kind = event_type(server)
        ask(server, WRITE, owner=kind)
        ask(server, "get_user", nonsense=1)
        ask(server, "get_event_type", event_type=kind)
        ask(server, "get_user", user="00000000-0000-4000-8000-000000000000")
        ask(server, "delete_invitee_data", emails=[STRANGER])
        ask(server, "delete_invitee_data", emails=[STRANGER], dry_run=True)
        server.end()
    lines = exported(**folder)
    told = [(line["tool"], line["decision"], line["outcome"]) for line in lines]
    assert told == [
        ("list_event_types", "allowed", "answered"),
        (WRITE, "allowed", "answered"),
        ("get_user", "refused", "invalid_argument"),
        ("get_event_type", "refused", "access_denied_by_policy"),
        ("get_user", "allowed", "not_found"),
        ("delete_invitee_data", "asked", "confirmation_required"),
        ("delete_invitee_data", "tried", "answered"),
    ]
    names = {"time", "person", "agent", "action", "tool", "where", "decision", "rule", "outcome", "request_id"}
    assert all(names <= line.keys() for line in lines)
    assert {line["agent"] for line in lines} == {"test"}
    assert {line["named_by"] for line in lines} == {"client"}
    assert len({line["request_id"] for line in lines}) == len(lines)
    assert lines[1]["rule"] == "scheduling_links is full"
    assert lines[1]["where"]["endpoint"] == "POST /scheduling_links"
    assert lines[1]["where"]["resource"] == kind
    assert lines[1]["where"]["transport"] == "stdio"
    listed = run("audit", "list", "--tool", WRITE, **folder)
    assert listed.stdout.endswith(
        f"test created a single-use link for the event type {kind.rpartition('/')[2]}: allowed\n"
    )
    assert verify(**folder)[0] == 0


def open_time(server: Program, kind: str) -> str:
    """The first time from tomorrow at which an event type can be booked."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    times = {"start_time": tomorrow.isoformat(), "end_time": (tomorrow + timedelta(days=7)).isoformat()}
    found = ask(server, "list_event_type_available_times", event_type=kind, **times, detail="full")
    return str(found["structuredContent"]["collection"][0]["start_time"])


@pytest.mark.requirement("audit-settings")
def test_neither_secrets_nor_personal_data_are_in_the_database_or_the_export(
    folder: dict[str, str], database: Path
) -> None:
    secrets = ["the-signing-key", "https://h.example/hook-with-token", STRANGER, "Olga", "sandbox-pat-owner", "Because"]
    allowed = "booking=full,canceling=full,webhooks=full,organization=full,data_deletion=full"
    with session("--access", allowed, **{**folder, "CALENDLY_ACCESS_TOKEN": "sandbox-pat-enterprise"}) as server:
        me = ask(server, "get_current_user")["structuredContent"]
        kind = event_type(server)
        times = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-02T00:00:00Z"}
        ask(server, "list_event_type_available_times", event_type=kind, **times)
        invitee = {"name": "Olga", "email": STRANGER, "timezone": "Europe/Berlin"}
        order = {"event_type": kind, "start_time": open_time(server, kind), "invitee": invitee, "idempotency_key": "k"}
        assert ask(server, "create_event_invitee", **order)["structuredContent"]["email"] == STRANGER
        ask(server, "list_scheduled_events", invitee_email=STRANGER, status="active")
        ask(server, "cancel_scheduled_event", scheduled_event="E1", reason="Because")
        ask(
            server,
            "create_webhook_subscription",
            url="https://h.example/hook-with-token",
            events=["invitee.created"],
            signing_key="the-signing-key",
        )
        ask(server, "create_organization_invitation", email=STRANGER)
        ask(server, "list_event_invitees", scheduled_event="E1", email=STRANGER)
        ask(server, "delete_invitee_data", emails=[STRANGER])
        ask(server, "get_user", user=me["uri"])
        first = error(ask(server, "get_user", confirmation=STRANGER))
        assert first["kind"] == "invalid_argument"
        server.end()
    personal = [me["uri"], me["email"], me["name"]]
    stored = database.read_bytes() + b"".join(path.read_bytes() for path in database.parent.glob("*-wal"))
    text = json.dumps(exported(**folder)) + run("audit", "list", **folder).stdout
    for secret in [*secrets, *personal]:
        assert secret.encode() not in stored
        assert secret not in text
    person = exported("--person", me["uri"], **folder)
    assert person
    assert {line["person"][0] for line in person} == {"#"}


@pytest.mark.requirement("audit-settings")
def test_full_detail_names_people_but_never_those_whose_data_was_deleted(folder: dict[str, str]) -> None:
    folder = {**folder, "CALENDLY_MCP_AUDIT_DETAIL": "full"}
    with session("--access", "data_deletion=full", **folder) as server:
        event_type(server)
        ask(server, "list_scheduled_events", invitee_email=STRANGER)
        ask(server, "delete_invitee_data", emails=["gone@stranger.example"])
        server.end()
    lines = exported(**folder)
    assert lines[-1]["person"].startswith("https://api.calendly.com/users/")
    assert STRANGER in lines[1]["sentence"]
    assert "gone@" not in json.dumps(lines)


@pytest.mark.requirement("audit-list-export", "agent-name-setting")
def test_filters_choose_entries_and_wrong_ones_are_refused(folder: dict[str, str]) -> None:
    for name in ("Anna's agent", "Bert's agent"):
        with session("--agent-name", name, **folder) as server:
            ask(server, "get_current_user")
            ask(server, "get_user", nonsense=1)
            server.end()
    anna = exported("--agent", "Anna's agent", **folder)
    assert [(line["tool"], line["named_by"]) for line in anna] == [
        ("get_current_user", "operator"),
        ("get_user", "operator"),
    ]
    assert len(exported("--decision", "refused", **folder)) == 2
    assert exported("--until", "2026-01-01", **folder) == []
    assert len(exported("--since", "2026-01-01T00:00+01:00", **folder)) == 4
    assert len(run("audit", "list", "--limit", "1", **folder).stdout.splitlines()) == 1
    for words in (["--since", "soon"], ["--until", "1"]):
        ended = run("audit", "export", *words, **folder)
        assert (ended.status, "must be a day or a time" in ended.stderr) == (2, True)
    for words, fault in (
        (["--limit", "many"], "--limit: must be a number from 1 to 999999999."),
        (["--limit", "-5"], "--limit: must be a number from 1 to 999999999."),
        (["--decision", "refuse"], 'there is no decision "refuse"; did you mean refused?'),
        (["--tool", "get_users"], 'there is no tool "get_users", and nothing of that name was recorded; did you mean'),
        (["--entry", "2"], "--entry: needs --chain"),
        (["--since", "2026-02-01", "--until", "2026-01-01"], "--since: must be before --until."),
    ):
        ended = run("audit", "list", *words, **folder)
        assert (ended.status, ended.stdout, fault in ended.stderr) == (2, "", True), ended


@pytest.mark.requirement("audit-verify")
def test_verify_names_what_was_changed(folder: dict[str, str], database: Path) -> None:
    with session(**folder) as server:
        event_type(server)
        event_type(server)
        server.end()
    assert verify(**folder) == (0, "2 entries in 1 chains: nothing was changed, removed or moved.\n")
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute("UPDATE audit_entry SET entry = replace(entry, 'allowed', 'refused') WHERE sequence = 2")
    status, said = verify(**folder)
    assert status == 1
    assert "chain 1, entry 2: it was changed, or put in the place of another" in said
    assert "calendly-mcp: the audit log was changed: 1 fault in 2 entries. `calendly-mcp audit list --chain N" in said
    assert "keep a copy of the database" in said
    shown = run("audit", "list", "--chain", "1", "--entry", "2", **folder)
    assert "event types" in shown.stdout
    assert len(shown.stdout.splitlines()) == 1
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute("UPDATE audit_entry SET entry = 'nonsense' WHERE sequence = 1")
    listed = run("audit", "list", **folder)
    assert listed.status == 0
    assert "this entry was changed so that it cannot be read" in listed.stdout
    nothing = run("audit", "list", "--chain", "7", **folder)
    assert (nothing.stdout, nothing.stderr) == ("", "Nothing that was recorded fits.\n")


def test_without_a_record_there_is_nothing_to_read(folder: dict[str, str]) -> None:
    for action in ("list", "export", "verify"):
        ended = run("audit", action, **folder)
        assert (ended.status, ended.stdout) == (1, "")
        assert "there is no database at" in ended.stderr
    assert run("audit", "list", "--database-url", "sqlite://", **folder).status == 2


def test_a_server_that_is_killed_leaves_a_record_without_faults(folder: dict[str, str]) -> None:
    with session(**folder) as server:
        kind = event_type(server)
        for number in range(10, 60):
            server.say(request("tools/call", number, name=WRITE, arguments={"owner": kind}))
        answered = [server.hear()["id"] for _ in range(5)]
        server.process.kill()
        server.process.wait()
    assert len(answered) == 5
    assert verify(**folder)[0] == 0
    writes = exported("--tool", WRITE, **folder)
    assert len(writes) >= 5
    assert {line["decision"] for line in writes} == {"allowed"}
    unknown = [line for line in writes if line["outcome"] == "outcome_unknown"]
    assert all(line["sentence"].endswith(": allowed, outcome unknown") for line in unknown)


def test_two_processes_share_one_record(folder: dict[str, str]) -> None:
    with session(**folder) as one, session(**folder) as other:
        kind = event_type(one)
        for server in (one, other, one, other):
            assert not ask(server, WRITE, owner=kind).get("isError")
        one.end()
        other.end()
    assert len(exported("--tool", WRITE, **folder)) == 4
    assert verify(**folder)[1] == "9 entries in 2 chains: nothing was changed, removed or moved.\n"


def test_a_full_disk_refuses_what_writes_and_serves_what_reads(folder: dict[str, str], sandbox: Sandbox) -> None:
    with session(**folder) as server:
        event_type(server)
        server.end()
    with session("400000", "stdio", module="tests.e2e.small_disk", **folder) as server:
        kind = event_type(server)
        results = [ask(server, WRITE, owner=kind)]
        while not results[-1].get("isError"):
            results.append(ask(server, WRITE, owner=kind))
        sent = sandbox.requests().count("POST /scheduling_links")
        refused = error(results[-1])
        assert event_type(server) == kind
        server.end()
    assert sent == len(results) - 1
    assert refused["kind"] == "access_denied_by_policy"
    assert folder["XDG_DATA_HOME"] in refused["message"]
    assert "CALENDLY_MCP_DATABASE_URL=sqlite://" in refused["message"]
    assert verify(**folder)[0] == 0


@contextmanager
def locked(database: Path) -> Generator[None]:
    """Hold the lock of a database, as another program can."""
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute("BEGIN IMMEDIATE")
        yield


def test_a_locked_database_refuses_what_writes_over_stdio_and_serves_what_reads(
    folder: dict[str, str], database: Path, sandbox: Sandbox
) -> None:
    with session(**folder) as server:
        kind = event_type(server)
        assert not ask(server, WRITE, owner=kind).get("isError")
        with locked(database):
            assert event_type(server) == kind
            refused = error(ask(server, WRITE, owner=kind))
            assert refused["kind"] == "access_denied_by_policy"
            assert "No rule forbids the call: call again once that is mended." in refused["next_step"]
        assert not ask(server, WRITE, owner=kind).get("isError")
        server.end()
    assert sandbox.requests().count("POST /scheduling_links") == 2
    outcomes = [line["outcome"] for line in exported("--tool", WRITE, **folder)]
    assert outcomes == ["answered", "access_denied_by_policy", "answered"]
    assert verify(**folder)[0] == 0


@pytest.mark.anyio
async def test_a_locked_database_refuses_what_writes_over_http_and_serves_what_reads(
    folder: dict[str, str], database: Path
) -> None:
    with program("http", "--auth", "none", "--port", "0", **folder) as server:
        async with Client(server.line("ready: ")) as client:
            kind = (await call(client, "list_event_types")).content["collection"][0]["uri"]
            assert (await call(client, WRITE, owner=kind)).kind == "answered"
            with locked(database):
                assert (await call(client, "list_event_types")).kind == "answered"
                assert (await call(client, WRITE, owner=kind)).kind == "access_denied_by_policy"
    assert {line["where"]["transport"] for line in exported(**folder)} == {"http"}
    assert verify(**folder)[0] == 0


def test_without_a_disk_what_reads_is_served_and_what_writes_is_told_the_way_out(
    settings: dict[str, str], tmp_path: Path
) -> None:
    nowhere = tmp_path / "a-file"
    nowhere.write_text("where a folder would have to be")
    with session(**settings, XDG_DATA_HOME=str(nowhere)) as server:
        kind = event_type(server)
        refused = error(ask(server, WRITE, owner=kind))
        server.end()
    assert refused["kind"] == "access_denied_by_policy"
    assert str(nowhere / "calendly-mcp") in refused["message"]
    assert "CALENDLY_MCP_DATABASE_URL=sqlite://" in refused["message"]


def test_in_memory_each_entry_is_a_line_of_json_on_stderr(settings: dict[str, str], tmp_path: Path) -> None:
    memory = {**settings, "CALENDLY_MCP_DATABASE_URL": "sqlite://", "XDG_DATA_HOME": str(tmp_path)}
    with session(**memory) as server:
        kind = event_type(server)
        assert not ask(server, WRITE, owner=kind).get("isError")
        ended = server.end()
    told = [json.loads(line)["audit"] for line in ended.stderr.splitlines() if line.startswith("{")]
    assert [(entry["kind"], entry["tool"]) for entry in told] == [
        ("ended", "list_event_types"),
        ("begun", WRITE),
        ("ended", WRITE),
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("sandbox-database")
def test_a_sandbox_records_in_memory_and_tells_nobody(tmp_path: Path) -> None:
    with session("--sandbox", XDG_DATA_HOME=str(tmp_path), CALENDLY_MCP_LOG_LEVEL="warning") as server:
        kind = event_type(server)
        assert not ask(server, WRITE, owner=kind).get("isError")
        ended = server.end()
    assert "audit" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_next_start_keeps_what_is_young_enough_and_begins_a_chain_of_its_own(
    folder: dict[str, str], database: Path
) -> None:
    with session(**folder) as server:
        event_type(server)
        server.end()
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        (before,) = opened.execute("SELECT count(*) FROM audit_entry").fetchone()
    with session(**folder, CALENDLY_MCP_AUDIT_DAYS="36500") as server:
        event_type(server)
        server.end()
    assert before == 1
    assert verify(**folder)[1].startswith("2 entries in 2 chains")


@pytest.mark.anyio
async def test_hosted_the_record_tells_of_sign_ins_and_calls_and_of_scopes_that_were_missing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    kept = {**upstream_settings(sandbox.url), "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'database'}"}
    agent = Agent("Claude", Browser(asked="users:read event_types:read"))
    with hosted(**kept) as site:
        async with agent.connect(site.endpoint) as client:
            assert (await call(client, "list_event_types")).kind == "answered"
        async with httpx2.AsyncClient() as http:
            refresh = {
                "grant_type": "refresh_token",
                "client_id": agent.client_id,
                "refresh_token": agent.refresh_token,
            }
            assert (await http.post(f"{site.url}/token", data=refresh)).status_code == 200
            lacking = request("tools/call", 1, name="list_scheduled_events", arguments={})
            headers = {"Authorization": f"Bearer {agent.access_token}", "Accept": "application/json, text/event-stream"}
            assert (await http.post(site.endpoint, json=lacking, headers=headers)).status_code == 403
            revoked = {"client_id": agent.client_id, "token": agent.refresh_token}
            assert (await http.post(f"{site.url}/revoke", data=revoked)).status_code == 200
    lines = exported(**kept)
    told = [(line["tool"] or line["action"], line["decision"], line["outcome"]) for line in lines]
    assert told == [
        ("register", "allowed", None),
        ("consent", "allowed", None),
        ("redeem_code", "allowed", None),
        ("list_event_types", "allowed", "answered"),
        ("refresh", "allowed", None),
        ("list_scheduled_events", "refused", "insufficient_scope"),
        ("revoke", "allowed", None),
    ]
    assert {line["grant"] for line in lines[1:6]} == {lines[1]["grant"]}
    assert {line["person"] for line in lines[1:]} == {lines[1]["person"]}
    assert {line["agent"] for line in lines} == {"Claude"}
    assert exported("--person", "maya@", **kept) == []
    assert verify(**kept)[0] == 0


@pytest.mark.anyio
async def test_hosted_a_locked_database_refuses_what_writes_and_serves_what_reads(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    database = tmp_path / "database"
    kept = {**upstream_settings(sandbox.url), "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{database}"}
    with hosted(**kept) as site:
        kept["CALENDLY_MCP_PUBLIC_URL"] = site.url
        await Agent().sign_in(site)
        scopes = "event_types:read,scheduling_links:write"
        token = run("token", "create", "--for", "CI", "--scopes", scopes, **kept).stdout.strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(site.endpoint, http_client=http)) as client,
        ):
            kind = (await call(client, "list_event_types")).content["collection"][0]["uri"]
            assert (await call(client, WRITE, owner=kind)).kind == "answered"
            with locked(database):
                assert (await call(client, "list_event_types")).kind == "answered"
                refused = await call(client, WRITE, owner=kind)
        assert refused.kind == "access_denied_by_policy"
        assert str(tmp_path) not in refused.error["message"]
    assert sandbox.requests().count("POST /scheduling_links") == 1
    assert [line["action"] for line in exported("--tool", "create_agent_token", **kept)] == ["create_agent_token"]
    made = exported("--agent", "CI", **kept)
    assert {line["grant"] for line in made} == {made[0]["grant"]}
    assert run("token", "revoke", made[0]["grant"], **kept).status == 0
    assert run("keys", "rotate", **kept).status == 0
    last = [(line["action"], line["where"]["transport"]) for line in exported(**kept)][-2:]
    assert last == [("revoke_agent_token", "command"), ("rotate_keys", "command")]
    assert verify(**kept)[0] == 0
