"""The sentences of the audit log: every tool has one, whatever is missing, and it names nobody in plain text."""

from typing import Final

from calendly.identifiers import CALENDLY_ORIGIN as API
from tests.cases import each
from tests.tools.facts import required_arguments
from tools import ALL
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.tool import Tool

ME: Final = "#me"
USER: Final = f"{API}/users/U1"


class Hashed:
    """Names of which nothing is to be read."""

    def name(self, text: str) -> str:
        """Name somebody."""
        return f"#{len(text)}"

    def hash(self, text: str) -> str:
        """Hash somebody."""
        return f"##{len(text)}"


def told(name: str, /, **raw: object) -> str:
    """What is told of a call with these arguments."""
    tool = next(tool for tool in ALL if tool.name == name)
    return tool.audit.told(AuditedArguments(tool.parse(raw, ()).values(), ME, Hashed()))


@each("tool", ALL)
def test_every_tool_has_words_that_need_no_arguments_and_name_nobody(tool: Tool) -> None:
    words = tool.audit.told(AuditedArguments({}, ME, Hashed()))
    assert words
    assert "None" not in words
    assert "  " not in words
    values = tool.parse(required_arguments(tool), ()).values()
    assert "@" not in tool.audit.told(AuditedArguments(values, ME, Hashed()))


@each(
    "verb, past",
    [("list", "listed"), ("create", "created"), ("read", "read"), ("look up", "looked up"), ("cancel", "canceled")],
)
def test_a_verb_has_a_past(verb: str, past: str) -> None:
    assert Sentence(verb, "it").past == past


@each(
    "name, arguments, words",
    [
        ("get_user", {"user": USER}, "the profile of #33"),
        ("get_user", {"user": "me"}, "the profile of #me"),
        (
            "list_scheduled_events",
            {"min_start_time": "2026-12-01T00:00:00Z", "max_start_time": "2026-12-07T00:00:00Z"},
            "the scheduled events of #me, 1 to 7 Dec 2026",
        ),
        (
            "list_scheduled_events",
            {
                "user": USER,
                "status": "active",
                "min_start_time": "2026-12-30T00:00:00Z",
                "invitee_email": "a@b.example",
            },
            "the active scheduled events of #33, from 30 Dec 2026 with #11",
        ),
        (
            "list_user_busy_times",
            {"start_time": "2026-12-31T00:00:00Z", "end_time": "2027-01-02T00:00:00Z"},
            "the busy times of #me, 31 Dec 2026 to 2 Jan 2027",
        ),
        ("list_event_types", {"organization": "O1"}, "the event types of the organization O1"),
        ("cancel_scheduled_event", {"scheduled_event": "E1", "reason": "Anna is ill"}, "the scheduled event E1"),
        (
            "create_event_invitee",
            {
                "event_type": f"{API}/event_types/T1",
                "start_time": "2026-12-01T10:00:00Z",
                "invitee": {"name": "Anna", "email": "anna@b.example", "timezone": "Europe/Berlin"},
                "event_guests": ["x@b.example", "y@b.example"],
            },
            "a meeting of the event type T1 with #14 and 2 guests on 1 Dec 2026, 10:00 UTC",
        ),
        ("create_organization_invitation", {"email": "anna@b.example"}, "#14 to the organization"),
        ("list_organization_memberships", {"email": "a@b.example"}, "the memberships of the organization for #11"),
        ("delete_invitee_data", {"emails": ["a@b.example", "c@d.example"]}, "all data of ##11 and ##11"),
        ("create_contact", {"name": "Anna", "emails": ["anna@b.example"]}, "a contact"),
        ("update_contact", {"contact": f"{API}/contacts/C1", "name": "Anna"}, "the contact C1"),
        ("create_note", {"contact": f"{API}/contacts/C1", "body": "Anna is ill"}, "a note about the contact C1"),
        ("list_notes", {"contact": f"{API}/contacts/C1,{API}/contacts/C2"}, "the notes about 2 contacts"),
        (
            "create_webhook_subscription",
            {"url": "https://h.example/secret?t=x", "events": ["invitee.created"], "signing_key": "s3cret"},
            "a webhook subscription for invitee.created at h.example",
        ),
    ],
)
def test_a_call_is_told_with_its_arguments(name: str, arguments: dict[str, object], words: str) -> None:
    assert told(name, **arguments) == words


def test_many_are_counted_and_hidden_text_is_taken_out() -> None:
    many = told("delete_invitee_data", emails=[f"{'x' * number}@b.example" for number in range(1, 9)])
    assert many.endswith("and 3 more")
    values = {"scheduled_event": "E\u202e1\n" + "x" * 200}
    tool = next(tool for tool in ALL if tool.name == "get_scheduled_event")
    words = tool.audit.told(AuditedArguments(values, ME, Hashed()))
    assert words.startswith("the scheduled event E1 x")
    assert len(words) < 110


def test_arguments_as_they_would_be_sent_are_told_alike() -> None:
    tool = next(tool for tool in ALL if tool.name == "create_event_invitee")
    sent = {"event_type": "T1", "start_time": "2026-12-01T10:00:00Z", "invitee": {"email": "a@b.example"}}
    words = tool.audit.told(AuditedArguments(sent, ME, Hashed()))
    assert words == "a meeting of the event type T1 with #11 on 1 Dec 2026, 10:00 UTC"
    assert AuditedArguments({"user": USER}, ME, Hashed()).person() == "#33"
