"""The tokens that the tools and their answers cost an agent, in the o200k vocabulary."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import httpx2
import toktok  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # the wheel has no types

from benchmarks.measure import Row, written
from benchmarks.processes import PRODUCT, TOKEN, ServerFailed, Stdio, listening, stdio

_READ: Final = ("name", "description", "inputSchema")
"""The fields of a tool that a client shows the model."""

_TYPE: Final = "Intro call"
"""An event type of 30 minutes in the sandbox."""


@dataclass(frozen=True, kw_only=True)
class _Question:
    """A call of a tool, the same request to Calendly, and the targets for the tokens of the answer."""

    what: str
    tool: str
    path: str
    arguments: dict[str, Any]
    must: float
    reach: float


def rows() -> Iterator[Row]:
    """Count the tokens of the list of tools, a page of events and a month of slots, over stdio."""
    with (
        listening(PRODUCT, "sandbox", "--port", "0") as (sandbox, _),
        httpx2.Client(base_url=sandbox, headers={"Authorization": f"Bearer {TOKEN}"}) as calendly,
        stdio(PRODUCT, "stdio", "--api-url", sandbox) as server,
    ):
        server.open()
        yield _tools(server)
        user = calendly.get("/users/me").json()["resource"]["uri"]
        for question in (_events(user), _slots(calendly, user)):
            yield _answer(question, server, calendly)


def _tools(server: Stdio) -> Row:
    listed: list[dict[str, Any]] = server.request("tools/list", {})["tools"]
    tools = [tool for tool in listed if tool["_meta"]["calendly/toolset"] == "endpoints"]
    cost = _tokens(*(_compact({name: tool[name] for name in _READ}) for tool in tools))
    return Row(
        what=f"tokens: the {len(tools)} tools as an agent reads them",
        ours=f"{written(cost)} tokens",
        figure=cost,
        must=5000,
        reach=4500,
    )


def _events(user: str) -> _Question:
    return _Question(
        what="a page of 100 scheduled events",
        tool="list_scheduled_events",
        path="/scheduled_events",
        arguments={"user": user, "count": 100},
        must=0.28,
        reach=0.20,
    )


def _slots(calendly: httpx2.Client, user: str) -> _Question:
    types = calendly.get("/event_types", params={"user": user}).json()["collection"]
    start = datetime.now(UTC) + timedelta(hours=1)
    return _Question(
        what="a month of half-hour slots",
        tool="list_event_type_available_times",
        path="/event_type_available_times",
        arguments={
            "event_type": next(each["uri"] for each in types if each["name"] == _TYPE),
            "start_time": start.isoformat(),
            "end_time": (start + timedelta(days=30)).isoformat(),
        },
        must=0.15,
        reach=0.06,
    )


def _answer(question: _Question, server: Stdio, calendly: httpx2.Client) -> Row:
    """Compare the default answer of a tool with Calendly's own."""
    text = cast("str", server.call(question.tool, question.arguments)["content"][0]["text"])
    theirs = calendly.get(question.path, params=question.arguments).json()
    length = len(theirs["collection"])
    if sum(len(row.get("times", [row])) for row in json.loads(text)["collection"]) != length:
        raise ServerFailed(f"{question.tool} gives another list than {question.path}.")
    ours, floor = _tokens(text), _tokens(_compact(theirs))
    return Row(
        what=f"tokens: {question.what} ({length})",
        ours=f"{written(ours)} tokens",
        floor=f"{written(floor)} tokens",
        figure=ours / floor,
        must=question.must,
        reach=question.reach,
    )


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _tokens(*texts: str) -> int:
    return sum(toktok.batch_count(texts, "o200k_base"))
