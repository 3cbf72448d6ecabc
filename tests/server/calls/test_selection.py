from typing import TypedDict

import pytest
from typing_extensions import Unpack

from auth.access.levels import LOCAL, Access
from auth.access.text import parse_access
from server.calls.selection import Rules, Selection, narrow, select
from server.configuration.terminal import UsageError
from tools import ALL, ENDPOINTS, EVENTS, GUIDE_TOOLS, WORKFLOWS

NAMES = [tool.name for tool in ALL]
DEFAULT = [tool.name for tool in (*GUIDE_TOOLS, *WORKFLOWS, *EVENTS)]
READING = [tool.name for tool in (*GUIDE_TOOLS, *WORKFLOWS, *EVENTS) if tool.access == "read"]
SCHEDULING = [tool.name for tool in ALL if "scheduling" in tool.toolsets]


class Chosen(TypedDict, total=False):
    """The fields of `Rules`, all optional."""

    toolsets: tuple[str, ...]
    tools: tuple[str, ...]
    exclude_tools: tuple[str, ...]
    read_only: bool
    ceiling: Access
    is_hosted: bool


def selection(**chosen: Unpack[Chosen]) -> Selection:
    fields: Chosen = {"ceiling": LOCAL, "is_hosted": True, **chosen}
    return select(ALL, Rules(**fields))


FAMILIES = tuple(dict.fromkeys(tool.toolset for tool in ENDPOINTS if tool not in GUIDE_TOOLS))


def listed(selection: Selection) -> list[str]:
    return [tool.name for tool in selection.listed]


def at(access: str) -> Access:
    return {**LOCAL, **parse_access(access)}


@pytest.mark.requirement("toolsets-default", "toolset-events")
def test_by_default_all_endpoint_tools_are_on_in_their_order() -> None:
    chosen = selection()
    assert listed(chosen) == DEFAULT
    assert set(chosen.refusals) == set(NAMES) - set(DEFAULT)
    assert chosen.summary == ()
    assert chosen.families_off == FAMILIES


@pytest.mark.requirement("watch-events")
def test_where_nobody_signs_in_calendly_cannot_be_had_to_tell_what_happens() -> None:
    chosen = selection(is_hosted=False)
    assert listed(chosen) == [name for name in DEFAULT if name != "watch_events"]
    assert chosen.refusals["watch_events"].told == (
        "watch_events (capabilities webhooks and events) is switched off: Calendly can post to a hosted endpoint only, "
        "and this server is none. It works without: list_received_events looks at Calendly. A hosted endpoint is "
        "another server, which `calendly-mcp http` starts and people sign in to."
    )


def test_the_families_that_are_off_are_named_until_one_of_their_tools_is_on() -> None:
    assert selection(toolsets=("extended",)).families_off == ()
    assert "locations" not in selection(toolsets=("availability",)).families_off
    assert "locations" not in selection(tools=("list_user_meeting_locations",)).families_off
    refusal = selection().refusals["list_user_meeting_locations"].told
    assert "the toolset locations is not on. Whoever started this server can change that with --toolsets" in refusal


@pytest.mark.requirement("toolset-all", "tool-choice", "read-only")
@pytest.mark.parametrize(
    ("rules", "names"),
    [
        (Chosen(toolsets=("scheduling",)), SCHEDULING),
        (Chosen(toolsets=("all",)), NAMES),
        (Chosen(toolsets=("webhooks",)), [tool.name for tool in ENDPOINTS if tool.capability == "webhooks"]),
        (Chosen(tools=("get_user",)), ["get_user"]),
        (
            Chosen(toolsets=("users",), tools=("list_event_types",)),
            ["get_current_user", "get_user", "list_event_types"],
        ),
        (Chosen(tools=("get_user", "get_current_user"), exclude_tools=("get_user",)), ["get_current_user"]),
        (Chosen(toolsets=("extended",)), [tool.name for tool in ENDPOINTS if tool not in GUIDE_TOOLS]),
        (Chosen(read_only=True), READING),
    ],
    ids=str,
)
def test_toolsets_and_tools_add_up_and_exclusion_wins(rules: Chosen, names: list[str]) -> None:
    chosen = selection(**rules)
    assert listed(chosen) == names
    assert set(chosen.refusals) == set(NAMES) - set(names)


@pytest.mark.requirement("toolset-capability")
def test_every_capability_is_the_name_of_a_toolset() -> None:
    for capability in {tool.capability for tool in ENDPOINTS}:
        assert listed(selection(toolsets=(capability,))) == [
            tool.name for tool in ENDPOINTS if capability in {tool.capability, *tool.toolsets}
        ]


@pytest.mark.requirement("access-ceiling")
def test_a_level_hides_what_it_denies() -> None:
    assert "cancel_scheduled_event" not in listed(selection(ceiling=at("canceling=off")))
    assert "cancel_scheduled_event" in listed(selection(ceiling=at("canceling=ask")))
    readable = listed(selection(ceiling=at("organization=read")))
    assert "list_organization_memberships" in readable
    assert "remove_organization_membership" not in readable


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (Chosen(exclude_tools=("cancel_scheduled_event",)), "it is excluded. Whoever started this server can change"),
        (Chosen(tools=("get_user",)), "the toolset endpoints is not on. Whoever started this server can change"),
        (Chosen(read_only=True), "the server is read-only. Whoever started this server can change"),
        (
            Chosen(ceiling=at("canceling=off")),
            "canceling is off. Whoever started this server can change that with --acc",
        ),
    ],
    ids=str,
)
def test_a_tool_that_is_off_says_its_capability_the_rule_and_who_can_change_it(rules: Chosen, reason: str) -> None:
    refusal = selection(**rules).refusals["cancel_scheduled_event"].told
    assert refusal.startswith(f"cancel_scheduled_event (capability canceling) is switched off: {reason}")


@pytest.mark.requirement("tool-unknown")
@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (Chosen(toolsets=("endpoint",)), 'There is no toolset "endpoint"; did you mean endpoints?'),
        (
            Chosen(toolsets=()),
            "No toolset and no tool is named, so there would be none; `calendly-mcp tools` lists all.",
        ),
        (Chosen(tools=()), "No toolset and no tool is named, so there would be none; `calendly-mcp tools` lists all."),
        (Chosen(toolsets=("weather",)), 'There is no toolset "weather"; `calendly-mcp tools` lists them all.'),
        (Chosen(tools=("get_users",)), 'There is no tool "get_users"; did you mean get_user?'),
        (Chosen(exclude_tools=("nothing",)), 'There is no tool "nothing"; `calendly-mcp tools` lists them all.'),
    ],
    ids=str,
)
def test_an_unknown_name_stops_the_start(rules: Chosen, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        selection(**rules)
    assert str(refused.value) == sentence


def test_what_the_operator_switched_off_is_summed_up_in_phrases() -> None:
    chosen = selection(
        read_only=True, exclude_tools=("get_user",), ceiling=at("users=off"), toolsets=("users", "webhooks")
    )
    assert chosen.summary == (
        "everything that writes",
        "users is off",
        "get_user is excluded",
        "tools outside the selected toolsets",
    )


@pytest.mark.requirement("narrowing-unknown")
@pytest.mark.parametrize(
    ("toolsets", "names", "read_only", "left"),
    [
        (None, None, False, DEFAULT),
        ("users", None, False, ["get_current_user", "get_user"]),
        (None, "get_user, get_current_user", False, ["get_current_user", "get_user"]),
        ("users", "list_event_types", False, ["get_current_user", "get_user", "list_event_types"]),
        ("users,nonsense", None, False, ["get_current_user", "get_user"]),
        ("nonsense", None, False, []),
        ("", None, False, []),
        (None, "", False, []),
        (None, None, True, READING),
        ("canceling", None, True, []),
    ],
)
def test_a_request_narrows_itself_and_unknown_names_add_nothing(
    toolsets: str | None,
    names: str | None,
    read_only: bool,  # noqa: FBT001 - a table
    left: list[str],
) -> None:
    narrowed = narrow(ALL, selection(), toolsets=toolsets, names=names, read_only=read_only)
    assert listed(narrowed) == left
    assert set(narrowed.refusals) == set(NAMES) - set(left)


@pytest.mark.requirement("narrowing-never-widens")
def test_a_request_never_widens_what_the_operator_chose() -> None:
    chosen = selection(toolsets=("users",))
    narrowed = narrow(ALL, chosen, toolsets="all", names="cancel_scheduled_event", read_only=False)
    assert listed(narrowed) == ["get_current_user", "get_user"]
    assert narrowed.refusals["cancel_scheduled_event"] == chosen.refusals["cancel_scheduled_event"]


def test_a_request_that_leaves_a_tool_out_is_named_as_the_reason() -> None:
    narrowed = narrow(ALL, selection(), toolsets="users", names=None, read_only=False)
    assert (
        "the X-MCP headers of the request leave it out. Whoever configured this client"
        in narrowed.refusals["list_event_types"].told
    )


def test_what_the_application_at_calendly_cannot_ask_for_is_off() -> None:
    selection = select(ALL, Rules(ceiling=LOCAL, scopes=frozenset({"webhooks:read", "users:read"})))
    assert {scope for tool in selection.listed for scope in tool.scopes} == {"webhooks:read", "users:read"}
    assert "is not registered for webhooks:write" in selection.refusals["create_webhook_subscription"].told
    assert "CALENDLY_SCOPES" in selection.refusals["create_webhook_subscription"].told
