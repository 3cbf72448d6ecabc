"""Stdio as other programs see it: lines, revisions, ends."""

import json
import os
import signal
import subprocess
from collections.abc import Generator
from typing import Any

import pytest

from tests.cases import case
from tests.e2e.conftest import Sandbox
from tests.e2e.processes import Program, command, environment, greet, hello, program, request, run_apart
from tests.server.desk import ON
from tools import ALL

CANCELED = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}
NOBODY = "00000000-0000-4000-8000-000000000000"
READ = {"name": "get_user", "arguments": {"user": NOBODY}}


MEASURED = pytest.mark.usefixtures("measured")


@pytest.fixture
def server(settings: dict[str, str]) -> Generator[Program]:
    with program("stdio", **settings) as server:
        yield server


@pytest.mark.requirement("stdio-serves")
@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
def test_every_older_revision_is_negotiated_and_served(settings: dict[str, str], version: str) -> None:
    with program(**settings) as server:
        assert greet(server, version)["protocolVersion"] == version
        server.say(request("tools/list", 2))
        assert [tool["name"] for tool in server.hear()["result"]["tools"]] == [tool.name for tool in ON]
        server.say(request("tools/call", 3, name="get_current_user", arguments={}))
        assert server.hear()["result"]["structuredContent"]["name"] == "Maya Lindqvist"
        assert server.end().status == 0


def test_instructions_are_short_and_name_what_the_operator_switched_off(settings: dict[str, str]) -> None:
    access = ",".join(f"{name}=off" for name in ("users", "booking", "webhooks", "organization", "canceling"))
    excluded = ",".join(tool.name for tool in ALL)
    with program("--read-only", "--access", access, "--exclude-tools", excluded, **settings) as server:
        instructions = greet(server)["instructions"]
    assert len(instructions.split()) <= 150
    assert "everything that writes" in instructions
    assert "booking is off" in instructions


@MEASURED
@pytest.mark.requirement("stdio-end")
def test_the_end_of_input_ends_the_server_after_the_calls_in_flight(server: Program, sandbox: Sandbox) -> None:
    greet(server)
    sandbox.will_fail(path=f"/users/{NOBODY}", delay=1)
    server.say(request("tools/call", 2, **READ))
    ended = server.end()
    assert ended.status == 0
    [line] = ended.stdout.splitlines()
    answered = json.loads(line)
    assert answered["id"] == 2
    assert answered["result"]["structuredContent"]["error"]["kind"] == "not_found"


@MEASURED
@pytest.mark.requirement("signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_after_the_calls_in_flight(
    server: Program, sandbox: Sandbox, number: signal.Signals
) -> None:
    greet(server)
    sandbox.will_fail(delay=1)
    server.say(request("tools/call", 2, **READ))
    server.say(request("ping", 3))
    assert server.hear()["id"] == 3  # so the call has been read
    server.ask_to_stop(number)
    assert server.hear()["result"]["structuredContent"]["error"]["kind"] == "not_found"
    assert server.process.wait() == 0


def test_a_signal_ends_an_idle_server_while_its_input_is_still_open(server: Program) -> None:
    greet(server)
    server.ask_to_stop()
    assert server.process.wait() == 0


def test_a_canceled_call_does_not_hold_up_the_end(server: Program, sandbox: Sandbox) -> None:
    greet(server)
    sandbox.will_fail(delay=30)
    server.say(request("tools/call", 2, **READ))
    server.say(CANCELED)
    ended = server.end()
    assert (ended.status, ended.stdout) == (0, "")


def coming_meeting(server: Program) -> dict[str, Any]:
    """Find the last of the meetings to come."""
    last = {"status": "active", "sort": "start_time:desc", "count": 1}
    server.say(request("tools/call", 2, name="list_scheduled_events", arguments=last))
    [meeting] = server.hear()["result"]["structuredContent"]["collection"]
    found: dict[str, Any] = meeting
    return found


@MEASURED
def test_a_question_to_a_client_that_has_gone_is_not_waited_for(server: Program, sandbox: Sandbox) -> None:
    greet(server, elicitation={})
    meeting = coming_meeting(server)
    server.say(request("tools/call", 3, name="cancel_scheduled_event", arguments={"scheduled_event": meeting["uri"]}))
    question = server.hear()
    assert question["method"] == "elicitation/create"
    ended = server.end()
    assert ended.status == 0
    [line] = ended.stdout.splitlines()
    assert json.loads(line)["result"]["structuredContent"]["error"]["kind"] == "confirmation_required"
    assert not any("cancellation" in received for received in sandbox.requests())


def test_a_question_after_the_end_of_input_is_answered_for_the_client(server: Program, sandbox: Sandbox) -> None:
    greet(server, elicitation={})
    meeting = coming_meeting(server)
    sandbox.will_fail(delay=1)
    server.say(request("tools/call", 3, name="cancel_scheduled_event", arguments={"scheduled_event": meeting["uri"]}))
    *_, last = server.end().stdout.splitlines()
    assert json.loads(last)["result"]["structuredContent"]["error"]["kind"] == "confirmation_required"


def test_a_client_without_a_handshake_is_told_so(server: Program) -> None:
    server.say(request("tools/list", 1))
    assert "error" in server.hear()


MODERN: dict[str, object] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def test_a_client_that_only_asked_what_there_is_may_open_either_conversation(settings: dict[str, str]) -> None:
    with program("stdio", **settings) as older:
        for number in (7, 8):
            older.say(request("server/discover", number, _meta=MODERN))
            assert "2026-07-28" in older.hear()["result"]["supportedVersions"]
        assert greet(older)["protocolVersion"] == "2025-11-25"
        older.say(request("prompts/list", 2))
        assert older.hear()["result"]["prompts"]
    with program("stdio", **settings) as modern:
        modern.say(request("server/discover", 1, _meta=MODERN))
        assert modern.hear()["id"] == 1
        modern.say(request("prompts/list", 2, _meta=MODERN))
        assert modern.hear()["result"]["prompts"]
        assert modern.end().status == 0


def test_a_byte_order_mark_and_the_line_ends_of_windows_are_no_part_of_a_message(server: Program) -> None:
    server.say("\ufeff" + json.dumps(hello()) + "\r")
    assert server.hear()["result"]["protocolVersion"] == "2025-11-25"


@pytest.mark.parametrize("listing", ["tools/list", "prompts/list", "resources/list", "resources/templates/list"])
def test_a_cursor_that_is_not_ours_is_refused(server: Program, listing: str) -> None:
    greet(server)
    server.say(request(listing, 2, cursor="zzz"))
    assert server.hear()["error"]["code"] == -32602


NO_MESSAGES = [
    ("nonsense", -32700, None),
    ('{"jsonrpc": "2.0", "id": 1', -32700, 1),
    ("[]", -32600, None),
    (json.dumps([request("tools/list")]), -32600, None),
    ('{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600, 1),
    ('{"id": "a", "method": "ping"}', -32600, "a"),
    ('{"jsonrpc": "2.0", "id": 2, "method": "ping", "params": [1]}', -32600, 2),
    ('{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600, None),
    ('{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600, None),
    ('"text"', -32600, None),
    ("[" * 100_000, -32700, None),
]


@MEASURED
def test_a_line_that_is_no_message_is_refused_and_the_next_one_is_answered(server: Program) -> None:
    for line, code, named in NO_MESSAGES:
        with case(line):
            server.say(f"\n  \n{line}")
            refused = server.hear()
            assert (refused["id"], refused["error"]["code"]) == (named, code)
            assert greet(server)["protocolVersion"] == "2025-11-25"


def test_an_argument_of_a_megabyte_is_refused_by_name(server: Program) -> None:
    greet(server)
    server.say(request("tools/call", 2, name="get_user", arguments={"user": "x" * 1_000_000}))
    error = server.hear()["result"]["structuredContent"]["error"]
    assert error["kind"] == "invalid_argument"
    assert error["details"][0]["parameter"] == "user"
    assert len(json.dumps(error)) < 1000


def test_text_of_every_language_survives_both_ways(server: Program) -> None:
    greet(server)
    arguments = {"scheduled_event": coming_meeting(server)["uri"], "reason": "Zoë 日本語 🎉"}
    server.say(request("tools/call", 3, name="cancel_scheduled_event", arguments=arguments))
    assert "Zoë 日本語 🎉" in server.hear()["result"]["content"][0]["text"]


@MEASURED
def test_a_client_that_reads_no_more_does_no_harm(server: Program) -> None:
    greet(server)
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.say(request("ping", 2))
    server.ask_to_stop()
    assert server.process.wait() == 0


def test_on_a_terminal_a_person_is_told_what_it_waits_for_and_how_to_stop_it() -> None:
    keyboard, terminal = os.openpty()
    words = [*command(), "--sandbox"]
    with subprocess.Popen(
        words, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment({})
    ) as server:
        assert server.stderr is not None
        told = next(line for line in server.stderr if "waits" in line)
        assert told.startswith("calendly-mcp waits for an MCP client")
        assert "Ctrl-C or the end of input stops it." in told
        os.close(terminal)
        os.close(keyboard)  # the window is closed: the end of input
        server.stderr.read()
        assert server.wait() == 0


def test_a_last_line_without_an_end_is_answered(settings: dict[str, str]) -> None:
    ended = run_apart("stdio", stdin=json.dumps(hello()), **settings)
    assert json.loads(ended.stdout)["result"]["serverInfo"]["name"] == "calendly"
    assert ended.status == 0


@pytest.mark.requirement("stdio-end")
def test_without_any_input_the_server_ends_in_peace(settings: dict[str, str]) -> None:
    ended = run_apart("stdio", **settings)
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")


@MEASURED
@pytest.mark.requirement("stdio-streams")
def test_only_messages_come_on_stdout_and_the_log_on_stderr(settings: dict[str, str]) -> None:
    quiet = {name: value for name, value in settings.items() if name != "CALENDLY_MCP_LOG_LEVEL"}
    with program("stdio", "--sandbox", CALENDLY_MCP_LOG_FORMAT="json", **quiet) as server:
        assert server.line("ignored with --sandbox: ") == "CALENDLY_API_URL"
        assert server.line("sandbox: ").startswith("http://127.0.0.1:")
        greet(server)
        server.say(request("tools/call", 2, **READ))
        server.hear()
        ended = server.end()
    assert ended.stdout == ""
    [event] = [json.loads(line) for line in ended.stderr.splitlines()]
    assert event["level"] == "info"
    assert event["message"].startswith("get_user: not_found in ")
    assert "sandbox-pat" not in ended.stderr
