import json
from typing import Any, cast

import jsonschema
import mcp_types as types
import pytest

from calendly.errors import (
    CalendlyError,
    Conflict,
    InsufficientScope,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    Unreachable,
    UpstreamError,
)
from server.calls.results import Problem, failure, kind_of, success
from tests.cases import each
from tools import ALL
from tools.toolset.errors import (
    AlreadyBooked,
    ArgumentError,
    ConfirmationRequired,
    Declined,
    DeniedByPolicy,
    KeyTaken,
    NotRecorded,
    TooLate,
    ToolError,
)
from tools.toolset.question import Question

TOOLS = {tool.name: tool for tool in ALL}
TOOL = TOOLS["create_event_invitee"]

EVERY_PROBLEM: list[tuple[Problem, str]] = [
    (InvalidArgument("No."), "invalid_argument"),
    (Unauthenticated("No."), "unauthenticated"),
    (InsufficientScope("No."), "insufficient_scope"),
    (PermissionDenied("No."), "permission_denied"),
    (NotFound("No."), "not_found"),
    (Conflict("No."), "conflict"),
    (RateLimited("No.", retry_after=3), "rate_limited"),
    (UpstreamError("No."), "upstream_error"),
    (Unreachable("No."), "upstream_unreachable"),
    (OutcomeUnknown("No."), "outcome_unknown"),
    (ArgumentError.of("count", "No."), "invalid_argument"),
    (AlreadyBooked("No."), "conflict"),
    (KeyTaken("No."), "conflict"),
    (TooLate("No.", Question("Cancel a meeting")), "conflict"),
    (DeniedByPolicy("No."), "access_denied_by_policy"),
    (NotRecorded("The audit log cannot be written."), "access_denied_by_policy"),
    (ConfirmationRequired("No?", "token"), "confirmation_required"),
    (Declined("No."), "declined"),
]


def text(result: types.CallToolResult) -> str:
    content = result.content[0]
    assert isinstance(content, types.TextContent)
    return content.text


def error(result: types.CallToolResult) -> dict[str, Any]:
    return cast("dict[str, Any]", result.structured_content["error"])


@pytest.mark.requirement("answer-both-forms")
def test_an_answer_is_structured_content_and_the_same_as_compact_text() -> None:
    answer: dict[str, Any] = {"name": "Zoë", "none": None, "list": [{"some": 1}, None], "empty": {}}
    result = success(answer)
    assert result.structured_content == answer
    assert text(result) == '{"name":"Zoë","none":null,"list":[{"some":1},null],"empty":{}}'
    assert not result.is_error


def test_what_would_fill_an_agents_context_is_cut_in_both_forms() -> None:
    result = success({"collection": [{"uri": "https://api.calendly.com/users/" + "0" * 30}] * 5_000, "pagination": {}})
    assert len(result.structured_content["collection"]) < 5_000
    assert json.loads(text(result)) == result.structured_content


@pytest.mark.requirement("output-schemas-open", "error-kinds")
@pytest.mark.parametrize(("problem", "kind"), EVERY_PROBLEM, ids=lambda value: type(value).__name__)
def test_every_failure_has_its_kind_and_conforms_to_the_output_schema(problem: Problem, kind: str) -> None:
    result = failure(problem, TOOL)
    assert result.is_error
    assert error(result)["kind"] == kind == kind_of(problem)
    assert error(result)["next_step"] in text(result)
    jsonschema.validate(result.structured_content, TOOL.output_schema, jsonschema.Draft202012Validator)


@pytest.mark.requirement("error-kinds")
def test_no_error_of_the_tools_or_of_calendly_is_without_a_kind() -> None:
    def leaves(error: type[Exception]) -> set[type[Exception]]:
        below = error.__subclasses__()
        return {leaf for child in below for leaf in leaves(child)} if below else {error}

    assert leaves(CalendlyError) | leaves(ToolError) == {type(problem) for problem, _ in EVERY_PROBLEM}


@pytest.mark.requirement("error-text", "error-fields", "next-400")
def test_a_refusal_tells_everything_calendly_said_in_the_fields_and_in_the_text() -> None:
    result = failure(
        InvalidArgument(
            "Calendly answered 400 Invalid Argument: The supplied parameters are invalid.",
            status=400,
            title="Invalid Argument",
            message="The supplied parameters are invalid.",
            details=[
                {
                    "parameter": "event.start_time",
                    "message": "That start time has been filled",
                    "code": "already_filled",
                },
                {"message": "And more."},
            ],
        ),
        TOOL,
    )
    assert error(result) == {
        "kind": "invalid_argument",
        "status": 400,
        "title": "Invalid Argument",
        "message": "The supplied parameters are invalid.",
        "details": [
            {"parameter": "start_time", "message": "That start time has been filled", "code": "already_filled"},
            {"message": "And more."},
        ],
        "retryable": False,
        "next_step": "Correct `start_time` and call again.",
    }
    assert text(result).splitlines() == [
        "Calendly answered 400 Invalid Argument: The supplied parameters are invalid.",
        "- start_time: That start time has been filled (already_filled)",
        "- And more.",
        "The arguments cannot be used as they are; nothing was changed.",
        "Next: Correct `start_time` and call again.",
    ]


@each(
    "tool, look",
    [
        ("create_event_invitee", "Look at the open times with list_event_type_available_times"),
        ("create_share", "Check the arguments"),
    ],
)
@each(
    "title, message",
    [
        ("Internal Server Error", "The server encountered an unexpected condition."),
        ("Invalid Argument", "The supplied parameters are invalid."),
        (None, None),
    ],
)
def test_a_refusal_without_a_reason_is_not_said_to_give_one(
    title: str | None, message: str | None, tool: str, look: str
) -> None:
    result = failure(InvalidArgument("Calendly answered 400", status=400, title=title, message=message), TOOLS[tool])
    told = f"Calendly does not say why. {look}, then call again. If it is refused again, tell the user."
    assert error(result)["next_step"] == told
    assert text(result).splitlines()[-2] == "Calendly refused it, and does not say why."


@each("tool, parameter", [("list_event_types", "end_time"), ("create_event_invitee", "event.booking_source")])
def test_no_next_step_corrects_what_the_tool_does_not_take(tool: str, parameter: str) -> None:
    said = InvalidArgument("No.", status=400, details=[{"parameter": parameter, "message": "is bad"}])
    told = error(failure(said, TOOLS[tool]))
    assert told["details"] == [{"parameter": parameter.removeprefix("event."), "message": "is bad"}]
    assert told["next_step"].startswith("What Calendly names is no parameter of this tool. ")


@each(
    "path, tool, ours",
    [
        ("event.start_time", "create_event_invitee", "start_time"),
        ("event.location_configuration.location", "create_event_invitee", "location"),
        ("event.location_configuration", "create_event_invitee", "location"),
        ("invitee.email", "create_event_invitee", "invitee.email"),
        ("text_reminder_number", "create_event_invitee", "invitee.text_reminder_number"),
        ("questions_and_answers[0].answer", "create_event_invitee", "questions_and_answers.0.answer"),
        ("event.start_time", "reschedule_scheduled_event", "start_time"),
        ("event.location_configuration.location", "reschedule_scheduled_event", None),
        ("event.invitee.email", "reschedule_scheduled_event", None),
    ],
)
def test_a_path_of_calendlys_is_the_tools_own_parameter_or_none(path: str, tool: str, ours: str | None) -> None:
    said = InvalidArgument("No.", status=400, details=[{"parameter": path, "message": "no", "code": "c"}])
    result = failure(said, TOOLS[tool])
    assert error(result)["details"] == [{**({"parameter": ours} if ours else {}), "message": "no", "code": "c"}]
    assert "event." not in text(result)
    assert (
        error(result)["next_step"]
        == f"Correct {f'`{ours}`' if ours else 'the arguments as the message says'} and call again."
    )


def test_what_calendly_says_of_a_failed_write_is_told() -> None:
    said = OutcomeUnknown("Oops.", status=500, title="Oops", message="Try.", details=[{"message": "later"}])
    told = error(failure(said, TOOL))
    assert (told["title"], told["message"], told["details"]) == ("Oops", "Try.", [{"message": "later"}])


def test_what_was_found_out_since_is_in_the_fields_as_well_as_in_the_text() -> None:
    lost = OutcomeUnknown("Calendly answered 500 Oops: No.", status=500, title="Oops", message="No.")
    told = failure(lost.retold(f"{lost.reason} Look with invitee_email."), TOOL)
    assert error(told)["message"] == "No. Look with invitee_email."
    assert text(told).startswith("Calendly answered 500 Oops: No. Look with invitee_email.\n")
    assert error(failure(lost.retold("Another sentence."), TOOL))["message"] == "No."


def test_who_is_blocked_by_a_proxy_is_not_told_of_roles_tokens_or_arguments() -> None:
    blocked = failure(Unreachable("The request was blocked before Calendly answered.", status=403), TOOL)
    assert error(blocked)["kind"] == "upstream_unreachable"
    assert "have the proxy or firewall" in error(blocked)["next_step"]


def test_an_error_of_ours_about_one_of_calendlys_says_both() -> None:
    refused = InsufficientScope(
        "Pass `user`.", status=403, title="Insufficient scope", message="Not yours.", required_scopes=["users:read"]
    )
    assert text(failure(refused, TOOL)).splitlines() == [
        "Pass `user`.",
        "Calendly answered 403 Insufficient scope: Not yours.",
        "The access token lacks a scope that create_event_invitee needs.",
        "Scopes needed: users:read",
        (
            "Next: Ask the user to grant the token users:read in Calendly under Integrations & apps, API and webhooks; "
            "a new token has no scope until one is granted."
        ),
    ]


def test_arguments_at_fault_are_named_once_each() -> None:
    faults = ArgumentError({"parameter": "count", "message": "Too many."}, {"parameter": "sort", "message": "Unknown."})
    result = failure(faults, TOOL)
    assert text(result).splitlines()[:2] == ["- count: Too many.", "- sort: Unknown."]
    assert error(result)["next_step"] == "Correct `count`, `sort` and call again."
    assert error(result)["details"] == list(faults.faults)


@pytest.mark.requirement("error-fields")
def test_a_confirmation_that_is_required_carries_its_token_in_the_fields_and_in_the_text() -> None:
    result = failure(ConfirmationRequired("Cancel it?", "the-token"), TOOL)
    assert error(result)["confirmation"] == "the-token"
    assert text(result).splitlines()[0] == "Cancel it?"
    assert text(result).splitlines()[-1] == "confirmation: the-token"


@pytest.mark.requirement("error-fields", "next-429")
def test_a_limit_says_when_to_come_back() -> None:
    result = failure(RateLimited("Full.", retry_after=12.5), TOOL)
    assert error(result)["retry_after"] == 12.5
    assert error(result)["retryable"]
    assert "Call again in 13 s" in text(result)
