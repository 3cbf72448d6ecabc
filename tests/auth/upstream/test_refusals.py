from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auth.protocol.errors import OAuthError, ServerError, TemporarilyUnavailable
from auth.upstream.connection import Connection, GiveUp, Impasse, RefreshFailure, Status
from auth.upstream.login import CalendlyLoginError, GrantRefused, LoginRefused, LoginUnavailable
from auth.upstream.refusals import no_token, scope_note, to_call, to_client
from calendly.errors import CalendlyError, RateLimited, Unauthenticated, Unreachable
from storage.errors import StorageUnavailable, UnreadableSecret
from tests.cases import each

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
ROW = Connection("https://api.calendly.com/users/MAYA", 3, Status.ACTIVE, NOW + timedelta(hours=2), NOW)
REMEDY = "Connect again at https://mcp.example/connections."


@each(
    "impasse, kind, words",
    [
        (GiveUp(Impasse.NOT_CONNECTED), Unauthenticated, REMEDY),
        (GiveUp(Impasse.NEEDS_REAUTH), Unauthenticated, REMEDY),
        (GiveUp(Impasse.PAUSED, RefreshFailure.BUSY, 40.0), RateLimited, "in 40 seconds"),
        (GiveUp(Impasse.PAUSED, RefreshFailure.UNAVAILABLE, 9.7), Unreachable, "in 10 seconds"),
        (GiveUp(Impasse.PAUSED, RefreshFailure.REFUSED, 60.0), Unauthenticated, "id or secret is wrong"),
    ],
)
def test_whoever_gets_no_token_is_told_what_can_be_done(impasse: GiveUp, kind: type[CalendlyError], words: str) -> None:
    error = no_token(impasse, REMEDY)
    assert type(error) is kind
    assert words in error.reason
    assert error.status is None
    if isinstance(error, RateLimited):
        assert error.retry_after == 40.0


@each(
    "fault, call, client",
    [
        (LoginUnavailable("cut"), Unreachable, TemporarilyUnavailable),
        (LoginRefused("no"), Unauthenticated, ServerError),
        (GrantRefused("used"), Unauthenticated, ServerError),
    ],
)
def test_what_calendly_refused_is_told_to_a_call_and_to_a_client_in_the_same_words(
    fault: CalendlyLoginError, call: type[CalendlyError], client: type[OAuthError]
) -> None:
    assert (type(to_call(fault)), to_call(fault).reason) == (call, fault.reason)
    assert (type(to_client(fault)), to_client(fault).description) == (client, fault.reason)


@each("fault", [StorageUnavailable("the disk of /srv is full"), UnreadableSecret("key k1")])
def test_a_database_that_gives_nothing_is_told_without_its_private_detail(fault: StorageUnavailable) -> None:
    error = to_call(fault)
    assert isinstance(error, Unreachable)
    assert "nothing was sent" in error.reason
    assert str(fault) not in error.reason


@pytest.mark.requirement("upstream-granted")
@each(
    "granted, explains",
    [({"users:read"}, True), (None, True), ({"event_types:read"}, False), ({"event_types:write"}, False)],
)
def test_what_was_asked_for_and_not_granted_is_told_from_what_was(granted: set[str] | None, *, explains: bool) -> None:
    row = replace(ROW, scopes=None if granted is None else frozenset(granted))
    assert (scope_note(row, ["event_types:read"], REMEDY, asked=["event_types:write"]) is not None) == explains
    assert scope_note(row, ["event_types:read"], REMEDY, asked=["users:read"]) is None
    assert scope_note(row, ["event_types:read"], REMEDY) is None
    assert scope_note(row, [], REMEDY, asked=["event_types:read"]) is None


@pytest.mark.requirement("upstream-granted")
def test_a_refusal_for_scope_mentions_what_calendly_took_away() -> None:
    row = replace(ROW, narrowed=frozenset({"webhooks:write", "users:read"}))
    note = scope_note(row, ["webhooks:read"], REMEDY, asked=["webhooks:read"])
    assert note == f"Calendly once granted webhooks:write here and no longer does. {REMEDY}"
    assert scope_note(row, ["organizations:read"], REMEDY) is None
