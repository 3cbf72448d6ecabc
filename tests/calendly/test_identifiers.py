import string
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calendly.identifiers import (
    CALENDLY_ORIGIN,
    EventTypeId,
    GroupId,
    Identifier,
    InvalidIdentifier,
    InvitationId,
    InviteeId,
    MembershipId,
    OrganizationId,
    ScheduledEventId,
    ScheduleId,
    UserId,
    WebhookSubscriptionId,
)
from tests.cases import each

FLAT: dict[type[Identifier], str] = {
    UserId: "users",
    OrganizationId: "organizations",
    EventTypeId: "event_types",
    ScheduledEventId: "scheduled_events",
    ScheduleId: "user_availability_schedules",
    MembershipId: "organization_memberships",
    WebhookSubscriptionId: "webhook_subscriptions",
    GroupId: "groups",
}
NESTED: dict[type[Identifier], Callable[[str], str]] = {
    InviteeId: lambda uuid: f"scheduled_events/E1/invitees/{uuid}",
    InvitationId: lambda uuid: f"organizations/O1/invitations/{uuid}",
}
EVERY = [*FLAT, *NESTED]
UUID = "2f1c9a7e-5b0d-4a63-9c31-0d8e6f7a1b22"
SANDBOX = "http://127.0.0.1:9000"

HOSTILE = [
    "",
    " ",
    f" {UUID}",
    f"{UUID}\n",
    f"{UUID}\x00",
    "a/b",
    "..",
    "../users/me",
    "%2e%2e",
    "a%2Fb",
    "a\\b",
    "a?x=1",
    "a#x",
    "a;b",
    "\u0430\u0431\u0432",  # Cyrillic that looks like Latin
    "\uff21\uff22",  # full-width Latin
    "\u0661\u0662",  # Arabic digits
    "a\u200bb",
    "\ud800",
    "x" * 65,
    "x" * 1_000_000,
    f"{CALENDLY_ORIGIN}/users/" + "x" * 1_000_000,
    f"{CALENDLY_ORIGIN}/users/",
    f"{CALENDLY_ORIGIN}/users",
    f"{CALENDLY_ORIGIN}/users/{UUID}/",
    f"{CALENDLY_ORIGIN}/users/{UUID}?x=1",
    f"{CALENDLY_ORIGIN}/users/{UUID}#x",
    f"{CALENDLY_ORIGIN}/users/..",
    f"{CALENDLY_ORIGIN}/users/../users/{UUID}",
    f"{CALENDLY_ORIGIN}/event_types/%2e%2e/users/{UUID}",
    f"{CALENDLY_ORIGIN}//users/{UUID}",
    f"{CALENDLY_ORIGIN}/v2/users/{UUID}",
    f"{CALENDLY_ORIGIN}:443/users/{UUID}",
    f"{CALENDLY_ORIGIN}./users/{UUID}",
    f"{CALENDLY_ORIGIN}@evil.example/users/{UUID}",
    f"{CALENDLY_ORIGIN}\\@evil.example/users/{UUID}",
    f"https://me:secret@api.calendly.com/users/{UUID}",
    f"http://api.calendly.com/users/{UUID}",
    f"//api.calendly.com/users/{UUID}",
    f"HTTPS://API.CALENDLY.COM/users/{UUID}",
    f"https://apixcalendly.com/users/{UUID}",
    f"https://api.calendly.com.evil.example/users/{UUID}",
    f"https://evil.example/users/{UUID}",
    f"https://api.c\u0430lendly.com/users/{UUID}",
    f"https://xn--api-calendly.com/users/{UUID}",
    f"{CALENDLY_ORIGIN}/users/{UUID}\r\nHost: evil.example",
    f"{CALENDLY_ORIGIN}/\tusers/{UUID}",
    f"{SANDBOX}/users/{UUID}",
]


@each("kind", EVERY)
def test_a_bare_uuid_is_taken_as_it_is(kind: type[Identifier]) -> None:
    assert kind.parse(UUID).uuid == str(kind.parse(UUID)) == UUID
    assert kind.parse("CAFEBABE12345678").uuid == "CAFEBABE12345678"


@pytest.mark.requirement("identifiers-either-way")
@each("kind", FLAT)
def test_a_uri_and_its_uuid_are_the_same_identifier(kind: type[Identifier]) -> None:
    uri = f"{CALENDLY_ORIGIN}/{FLAT[kind]}/{UUID}"
    assert kind.parse(uri) == kind.parse(UUID)
    assert kind.parse(uri).uri == uri


@pytest.mark.requirement("uris-configured-origin")
@each("kind", FLAT)
def test_a_uri_at_a_further_origin_names_the_same_resource(kind: type[Identifier]) -> None:
    there = kind.parse(f"{SANDBOX}/{FLAT[kind]}/{UUID}", origins=(SANDBOX,))
    assert there.uri == f"{CALENDLY_ORIGIN}/{FLAT[kind]}/{UUID}"


@pytest.mark.requirement("outbound-identifiers")
@each("kind", EVERY)
@each("hostile", HOSTILE)
def test_hostile_text_is_refused_with_one_short_sentence(kind: type[Identifier], hostile: str) -> None:
    with pytest.raises(InvalidIdentifier, match=f"^Expected {kind.resource}: its uuid, or its URI") as refusal:
        kind.parse(hostile)
    assert len(str(refusal.value)) < 300
    assert str(refusal.value).isascii()
    assert str(refusal.value).isprintable()


@each("kind", EVERY)
def test_the_uri_of_another_collection_is_refused(kind: type[Identifier]) -> None:
    others = [f"{CALENDLY_ORIGIN}/{collection}/{UUID}" for other, collection in FLAT.items() if other is not kind]
    others += [f"{CALENDLY_ORIGIN}/{uri(UUID)}" for other, uri in NESTED.items() if other is not kind]
    for other in others:
        with pytest.raises(InvalidIdentifier):
            kind.parse(other)


@given(st.text(), st.sampled_from(EVERY))
@example("https://api.calendly.com/users/me\n", UserId)
def test_only_ascii_is_an_identifier(text: str, kind: type[Identifier]) -> None:
    allowed = set(string.ascii_letters + string.digits + "_-")
    if text and len(text) <= 64 and set(text) <= allowed:
        assert kind.parse(text).uuid == text
    else:
        with pytest.raises(InvalidIdentifier):
            kind.parse(text)


@pytest.mark.requirement("outbound-identifiers")
@given(st.text(min_size=1, max_size=12), st.integers(0, 60))
def test_nothing_can_be_injected_into_a_uri(inserted: str, where: int) -> None:
    uri = f"{CALENDLY_ORIGIN}/users/ABCDEFGH12345678"
    changed = uri[:where] + inserted + uri[where:]
    try:
        identifier = UserId.parse(changed)
    except InvalidIdentifier:
        return
    assert changed == f"{CALENDLY_ORIGIN}/users/{identifier.uuid}"


def test_the_singular_path_of_a_schedule_is_accepted_and_never_written() -> None:
    schedule = ScheduleId.parse(f"{CALENDLY_ORIGIN}/user_availability_schedule/{UUID}")
    assert schedule.uri == f"{CALENDLY_ORIGIN}/user_availability_schedules/{UUID}"


def test_me_is_a_user() -> None:
    assert UserId.parse("me") == UserId.ME
    assert UserId.ME.is_me
    assert not UserId.parse(UUID).is_me


def test_identifiers_of_different_collections_are_never_equal() -> None:
    assert len({UserId("A"), OrganizationId("A"), UserId("A")}) == 2


def test_an_invitee_uri_says_which_event_it_belongs_to() -> None:
    uri = f"{CALENDLY_ORIGIN}/scheduled_events/E1/invitees/I1"
    assert InviteeId.parse(uri) == InviteeId("I1", "E1")
    assert InviteeId.parse(uri).scheduled_event == "E1"
    assert InviteeId.parse(uri).uri == uri


def test_an_invitation_uri_says_which_organization_it_belongs_to() -> None:
    uri = f"{SANDBOX}/organizations/O1/invitations/I1"
    assert InvitationId.parse(uri, origins=(SANDBOX,)).organization == "O1"
    assert InvitationId.parse(uri, origins=(SANDBOX,)).uri == f"{CALENDLY_ORIGIN}/organizations/O1/invitations/I1"


def test_a_bare_nested_uuid_is_completed_with_its_parent() -> None:
    assert InviteeId.parse("I1").within(ScheduledEventId("E1")) == InviteeId("I1", "E1")
    assert InviteeId("I1", "E1").within(None) == InviteeId("I1", "E1")
    assert InviteeId("I1", "E1").within(ScheduledEventId("E1")) == InviteeId("I1", "E1")


@pytest.mark.requirement("identifiers-nested")
def test_a_bare_nested_uuid_alone_is_refused_by_naming_the_missing_parameter() -> None:
    with pytest.raises(InvalidIdentifier, match="pass `scheduled_event` as well"):
        InviteeId.parse("I1").within(None)
    with pytest.raises(InvalidIdentifier, match="pass `organization` as well"):
        _ = InvitationId.parse("I1").uri


def test_a_nested_uri_that_contradicts_the_parent_is_refused() -> None:
    with pytest.raises(InvalidIdentifier, match="`scheduled_event` disagree"):
        InviteeId("I1", "E1").within(ScheduledEventId("E2"))
