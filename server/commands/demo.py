"""`calendly-mcp demo`: the transcript of an MCP client at work against the sandbox."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import Any, Final, cast

import anyio
import httpx2
import mcp_types as types
from mcp import Client, StdioServerParameters

from calendly.pacing.booking_limits import PAID_PLANS
from sandbox.serving import running
from server.commands.declaring import Command, Invocation
from server.configuration.hints import as_typed
from server.configuration.settings import SANDBOX_TOKEN, TOKEN
from server.configuration.terminal import CommandError

_WIDTH: Final = 100
_OWNER: Final = f"{SANDBOX_TOKEN}owner"
_EVENT_TYPE: Final = "Intro call"
_INVITEE: Final = {"name": "Ada Example", "email": "ada@example.com"}


def run(_invocation: Invocation) -> int:
    """Show the transcript."""
    anyio.run(_demo)
    return 0


async def _demo() -> None:
    # Its audit log is kept apart: that of a real person has no made-up meetings in it.
    with TemporaryDirectory(prefix="calendly-mcp-") as folder:
        await _demo_in(folder)


async def _demo_in(folder: str) -> None:
    async with running() as sandbox:
        environment = {
            TOKEN: _OWNER,
            "CALENDLY_API_URL": sandbox.url,
            "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3",
            "CALENDLY_MCP_LOG_LEVEL": "warning",
        }
        server = StdioServerParameters(command=sys.executable, args=["-m", "server", "stdio"], env=environment)
        async with Client(server, elicitation_callback=answer) as client:
            await converse(client, sandbox.url, datetime.now(UTC))


async def converse(client: Client, url: str, now: datetime) -> None:
    """Write the transcript of a conversation to stdout.

    Args:
        client: Is connected to a server whose user is answered for by `answer`.
        url: Where the sandbox answers that the server uses.
        now: The time of the sandbox.

    Raises:
        CommandError: A call fails.
    """
    _say(
        "An AI agent's conversation with Calendly, start to end. A sandbox plays Calendly at "
        f"{url}: no account, no token, and nothing leaves this machine."
    )
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    _say(f"The client starts `calendly-mcp stdio` and speaks MCP {client.protocol_version}: {len(tools)} tools.")
    await _conversation(_Conversation(client, tools, now))
    await _show_calendlys_side(url)


@dataclass(frozen=True)
class _Conversation:
    """A client at work.

    Attributes:
        client: The client.
        tools: What it knows of the tools, by their names.
        now: The time.
    """

    client: Client
    tools: Mapping[str, types.Tool]
    now: datetime

    async def call(self, why: str, name: str, **arguments: object) -> dict[str, Any]:
        """Call a tool and show it. Raises CommandError when the call fails."""
        facts = self.tools[name].meta or {}
        _write(f"\n{why}\n")
        _line("call", f"{name}   ({facts['calendly/endpoint']}, scope {' '.join(facts['calendly/scopes'])})")
        for parameter, value in arguments.items():
            _line("", f"{parameter}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
        result = await self.client.call_tool(name, arguments)
        if result.is_error:
            raise CommandError(f"{name} failed: {cast('types.TextContent', result.content[0]).text}")
        return cast("dict[str, Any]", result.structured_content)


async def _conversation(with_: _Conversation) -> None:
    me = await with_.call("1. Who am I?", "get_current_user")
    _line("answer", f"{me['name']} <{me['email']}>, {me['timezone']}")

    offered = await with_.call("2. What can be booked with me?", "list_event_types", active=True)
    _line("answer", ", ".join(f"{one['name']} ({one['duration']} min)" for one in offered["collection"]))
    wanted = next(one["uri"] for one in offered["collection"] if one["name"] == _EVENT_TYPE)

    slot = await _open_time(with_, wanted)
    event_type = await with_.call("4. What does it take to book it?", "get_event_type", event_type=wanted)
    questions = ", ".join(question["name"] for question in event_type["custom_questions"] if question["required"])
    _line("answer", f"by {event_type['locations'][0]['kind']}; to be answered: {questions}")
    invitee = await _book(with_, event_type, slot)
    _line("answer", f"booked; {_INVITEE['name']} can reschedule at {invitee['reschedule_url']}")

    meetings = await with_.call(
        "6. Is it in my calendar?", "list_scheduled_events", invitee_email=_INVITEE["email"], status="active"
    )
    meeting = meetings["collection"][0]
    _line("answer", f"{meeting['name']}, {meeting['local_start']}, {meeting['status']}")

    canceled = await with_.call(
        "7. It has to go. Canceling reaches a stranger, so the server asks a person first.",
        "cancel_scheduled_event",
        scheduled_event=meeting["uri"],
        reason="This was a demonstration.",
    )
    _line("answer", f"canceled by {canceled['canceled_by']}: {canceled['reason']}")


async def _open_time(with_: _Conversation, event_type: str) -> dict[str, str]:
    """Find the first open time of the coming week: its start, and in which zone."""
    first = (with_.now + timedelta(days=1)).replace(microsecond=0)
    times = await with_.call(
        "3. When is there time?",
        "list_event_type_available_times",
        event_type=event_type,
        start_time=first.isoformat(),
        end_time=(first + timedelta(days=7)).isoformat(),
    )
    days = times["collection"]
    count, first_day = sum(len(day["times"]) for day in days), days[0]
    _line("answer", f"{count} open times, the first ones on {first_day['date']} at {', '.join(first_day['times'][:3])}")
    return {"start_time": f"{first_day['date']}T{first_day['times'][0]}", "timezone": first_day["timezone"]}


async def _book(with_: _Conversation, event_type: Mapping[str, Any], slot: Mapping[str, str]) -> dict[str, Any]:
    answers = [
        {"question": question["name"], "answer": "How agents book.", "position": question["position"]}
        for question in event_type["custom_questions"]
        if question["required"]
    ]
    return await with_.call(
        "5. Book the first one.",
        "create_event_invitee",
        event_type=event_type["uri"],
        **slot,
        invitee={**_INVITEE, "timezone": "Europe/London"},
        location={"kind": event_type["locations"][0]["kind"]},
        questions_and_answers=answers,
    )


async def answer(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:  # noqa: ARG001 - the SDK passes it by name
    """Answer for the person, where they can see it."""
    first, *others = params.message.splitlines()
    _line("asked", first)
    for line in others:
        _line("", line)
    _line("reply", "yes (this demonstration answers in the person's place)")
    return types.ElicitResult(action="accept", content={"approve": True})


async def _show_calendlys_side(url: str) -> None:
    headers = {"Authorization": f"Bearer {_OWNER}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, trust_env=False) as calendly:
        received = (await calendly.get("/_sandbox/requests")).json()
        limits = (await calendly.get("/users/me")).headers
    _write("\nWhat Calendly received:\n")
    for request in received:
        _line(str(request["status"]), f"{request['method']} {request['path']}")
    _write("\nLimits:\n")
    _line(
        "Calendly",
        f"{limits['X-RateLimit-Limit']} requests a minute for this person, {limits['X-RateLimit-Remaining']} left; "
        f"the server keeps to what these headers say",
    )
    _line("bookings", f"{PAID_PLANS}, as on Calendly's paid plans (--booking-limits)")
    _say(
        as_typed(
            "\nNext: `calendly-mcp install CLIENT --sandbox` puts it into your own client, and `calendly-mcp login` "
            "signs you in to your own Calendly."
        )
    )


def _line(label: str, text: str) -> None:
    _write(
        fill(text, _WIDTH, initial_indent=f"   {label:<10}", subsequent_indent=" " * 13, break_on_hyphens=False) + "\n"
    )


def _say(text: str) -> None:
    _write(fill(text, _WIDTH, replace_whitespace=False) + "\n")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


COMMAND: Final = Command(run)
