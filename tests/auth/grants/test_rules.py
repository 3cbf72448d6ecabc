from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.grants.rules import (
    FAMILY_LIFE,
    MOST_USES,
    REFRESH_GRACE,
    REFRESH_TOKEN_LIFE,
    AccessToken,
    Code,
    CodeRequest,
    Redeem,
    RefreshRequest,
    RefreshToken,
    Refuse,
    Revoke,
    Rotate,
    check_resource,
    live_scopes,
    redeem,
    refresh,
    refresh_token_end,
)
from auth.protocol.errors import InvalidGrant, InvalidRequest, InvalidScope, InvalidTarget, OAuthError
from auth.protocol.pkce import check_challenge, s256
from tests.cases import each

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RESOURCE = "https://mcp.example/mcp"
VERIFIER = "abcDEF0123456789-._~abcDEF0123456789-._~abc"
SCOPES = frozenset({"users:read", "scheduled_events:write"})

CODE = Code(
    grant="g",
    client="c",
    redirect_uri="https://agent.example/callback",
    redirect_uri_sent=True,
    challenge=s256(VERIFIER),
    resource=RESOURCE,
    scopes=SCOPES,
    expires_at=NOW + timedelta(seconds=60),
    used_at=None,
    grant_ended=False,
)
CODE_REQUEST = CodeRequest("c", "https://agent.example/callback", VERIFIER, RESOURCE)

TOKEN = RefreshToken(
    family="f",
    grant="g",
    client="c",
    resource=RESOURCE,
    scopes=SCOPES,
    allowed=SCOPES,
    expires_at=NOW + REFRESH_TOKEN_LIFE,
    family_expires_at=NOW + FAMILY_LIFE,
    used_at=None,
    uses=0,
    ended=False,
)
REFRESH_REQUEST = RefreshRequest("c", RESOURCE, None)


def error_of(decision: object) -> type[OAuthError]:
    assert isinstance(decision, Refuse | Revoke)
    return type(decision.error)


@pytest.mark.requirement("s256-only")
def test_a_challenge_is_the_one_of_rfc_7636_appendix_b() -> None:
    challenge = s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert check_challenge(challenge, "S256") == challenge


@pytest.mark.requirement("s256-only")
@each("method", [None, "plain", "s256", "S512", "", "S256 "])
def test_no_method_but_s256_is_taken_and_none_is_assumed(method: str | None) -> None:
    with pytest.raises(InvalidRequest):
        check_challenge(s256(VERIFIER), method)


@pytest.mark.requirement("challenge-43")
@each("challenge", [None, "", "a", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "+", "a" * 42 + "/", "a" * 42 + "\n"])
def test_a_challenge_is_exactly_43_characters_of_base64url(challenge: str | None) -> None:
    with pytest.raises(InvalidRequest):
        check_challenge(challenge, "S256")


@pytest.mark.requirement("resource-ours")
def test_no_resource_means_ours_and_a_trailing_slash_is_accepted() -> None:
    assert check_resource(None, RESOURCE) == RESOURCE
    assert check_resource(RESOURCE, RESOURCE) == RESOURCE
    for said in (f"{RESOURCE}/", "HTTPS://MCP.example/mcp", "https://mcp.example:443/mcp"):
        assert check_resource(said, RESOURCE) == RESOURCE


@pytest.mark.requirement("resource-ours")
@each(
    "resource",
    [
        "https://mcp.example",
        "https://mcp.example/",
        "https://mcp.example/mcp//",
        "https://mcp.example/mcp/x",
        "https://mcp.example/mcp?x",
        "https://mcp.example/mcp#x",
        "https://mcp.example/MCP",
        "https://mcp.example:80/mcp",
        "http://mcp.example/mcp",
        "https://evil.example/mcp",
        "https://mcp.example.evil.example/mcp",
    ],
)
def test_another_resource_is_refused(resource: str) -> None:
    with pytest.raises(InvalidTarget):
        check_resource(resource, RESOURCE)


def test_a_good_code_is_redeemed() -> None:
    assert redeem(CODE, CODE_REQUEST, NOW) == Redeem(CODE)


@pytest.mark.requirement("code-60-seconds")
def test_a_code_lives_for_60_seconds() -> None:
    assert redeem(CODE, CODE_REQUEST, NOW + 59 * SECOND) == Redeem(CODE)
    assert error_of(redeem(CODE, CODE_REQUEST, NOW + 60 * SECOND)) is InvalidGrant


@pytest.mark.requirement("code-bound")
@each(
    "asked",
    [
        replace(CODE_REQUEST, client="another"),
        replace(CODE_REQUEST, redirect_uri="https://agent.example/callback/"),
        replace(CODE_REQUEST, redirect_uri="https://evil.example/callback"),
        replace(CODE_REQUEST, redirect_uri=None),
        replace(CODE_REQUEST, verifier=None),
        replace(CODE_REQUEST, verifier=""),
        replace(CODE_REQUEST, verifier=VERIFIER + "x"),
        replace(CODE_REQUEST, verifier=VERIFIER[:-1]),
        replace(CODE_REQUEST, verifier=s256(VERIFIER)),
        replace(CODE_REQUEST, verifier="\u0661" * 43),
    ],
)
def test_a_code_is_bound_to_client_redirect_uri_and_challenge(asked: CodeRequest) -> None:
    assert error_of(redeem(CODE, asked, NOW)) is InvalidGrant
    assert isinstance(redeem(CODE, asked, NOW), Refuse)


@pytest.mark.requirement("code-bound")
def test_a_code_is_bound_to_its_resource() -> None:
    assert error_of(redeem(CODE, replace(CODE_REQUEST, resource="https://evil.example/mcp"), NOW)) is InvalidTarget
    assert redeem(CODE, replace(CODE_REQUEST, resource=None), NOW) == Redeem(CODE)
    assert redeem(CODE, replace(CODE_REQUEST, resource=f"{RESOURCE}/"), NOW) == Redeem(CODE)


def test_a_redirect_uri_that_was_not_sent_to_authorize_need_not_be_sent_again_but_must_fit() -> None:
    unsent = replace(CODE, redirect_uri_sent=False)
    assert redeem(unsent, replace(CODE_REQUEST, redirect_uri=None), NOW) == Redeem(unsent)
    assert redeem(unsent, CODE_REQUEST, NOW) == Redeem(unsent)
    assert error_of(redeem(unsent, replace(CODE_REQUEST, redirect_uri="https://evil.example/"), NOW)) is InvalidGrant


@pytest.mark.requirement("code-replay")
@given(st.integers(0, 10**6))
def test_a_second_good_askedwith_a_code_revokes_what_the_first_gave_however_late(seconds: int) -> None:
    used = replace(CODE, used_at=NOW)
    assert isinstance(redeem(used, CODE_REQUEST, NOW + seconds * SECOND), Revoke)


@pytest.mark.requirement("code-replay")
def test_whoever_only_saw_a_used_code_cannot_revoke_with_it() -> None:
    used = replace(CODE, used_at=NOW)
    assert isinstance(redeem(used, replace(CODE_REQUEST, verifier="x" * 43), NOW), Refuse)
    assert isinstance(redeem(used, replace(CODE_REQUEST, client="another"), NOW), Refuse)


def test_a_code_of_a_grant_that_ended_and_an_unknown_code_are_refused() -> None:
    assert error_of(redeem(replace(CODE, grant_ended=True), CODE_REQUEST, NOW)) is InvalidGrant
    assert error_of(redeem(None, CODE_REQUEST, NOW)) is InvalidGrant


@pytest.mark.requirement("refresh-rotates")
def test_a_fresh_refresh_token_is_rotated() -> None:
    assert refresh(TOKEN, REFRESH_REQUEST, NOW) == Rotate(TOKEN, SCOPES)


USED = replace(TOKEN, used_at=NOW, uses=1)


@pytest.mark.requirement("refresh-grace")
@given(st.integers(-60, 3600), st.integers(1, MOST_USES - 1))
def test_within_the_hour_of_its_first_use_a_token_gives_three_more_successors_even_if_clocks_differ(
    seconds: int, uses: int
) -> None:
    used = replace(USED, uses=uses)
    assert refresh(used, REFRESH_REQUEST, NOW + seconds * SECOND) == Rotate(used, SCOPES)


@pytest.mark.requirement("refresh-reuse")
@given(st.integers(1, 10**6))
def test_every_other_repeat_revokes_the_family_whatever_else_is_wrong_with_it(seconds: int) -> None:
    later = NOW + REFRESH_GRACE + seconds * SECOND
    assert isinstance(refresh(USED, REFRESH_REQUEST, later), Revoke)
    assert isinstance(refresh(USED, replace(REFRESH_REQUEST, scope="webhooks:write"), later), Revoke)
    assert isinstance(refresh(replace(USED, uses=MOST_USES), REFRESH_REQUEST, NOW), Revoke)
    assert isinstance(refresh(USED, replace(REFRESH_REQUEST, client="another"), NOW), Revoke)
    assert isinstance(refresh(USED, REFRESH_REQUEST, NOW + SECOND, timedelta(0)), Revoke)


@pytest.mark.requirement("refresh-grace")
def test_an_unused_token_is_worth_nothing_to_another_client_and_stays_its_owners() -> None:
    assert isinstance(refresh(TOKEN, replace(REFRESH_REQUEST, client="another"), NOW), Refuse)


@pytest.mark.requirement("lifetimes")
def test_a_refresh_token_dies_after_30_idle_days_and_never_outlives_its_family() -> None:
    assert refresh_token_end(NOW, NOW + FAMILY_LIFE) == NOW + timedelta(days=30)
    assert refresh_token_end(NOW + timedelta(days=160), NOW + FAMILY_LIFE) == NOW + timedelta(days=180)
    assert isinstance(refresh(TOKEN, REFRESH_REQUEST, TOKEN.expires_at - SECOND), Rotate)
    assert error_of(refresh(TOKEN, REFRESH_REQUEST, TOKEN.expires_at)) is InvalidGrant


@pytest.mark.requirement("never-grows")
def test_scope_and_resource_never_grow() -> None:
    wider = replace(REFRESH_REQUEST, scope="users:read webhooks:write")
    assert error_of(refresh(TOKEN, wider, NOW)) is InvalidScope
    elsewhere = replace(REFRESH_REQUEST, resource="https://evil.example/mcp")
    assert error_of(refresh(TOKEN, elsewhere, NOW)) is InvalidTarget
    narrower = replace(REFRESH_REQUEST, scope="users:read")
    assert refresh(TOKEN, narrower, NOW) == Rotate(TOKEN, frozenset({"users:read"}))


@pytest.mark.requirement("never-grows")
def test_what_the_person_took_back_since_is_not_refreshed() -> None:
    less = replace(TOKEN, allowed=frozenset({"users:read"}))
    assert refresh(less, REFRESH_REQUEST, NOW) == Rotate(less, frozenset({"users:read"}))
    nothing = replace(TOKEN, allowed=frozenset({"webhooks:read"}))
    assert error_of(refresh(nothing, REFRESH_REQUEST, NOW)) is InvalidGrant


def test_a_refresh_token_of_an_ended_family_and_an_unknown_one_are_refused() -> None:
    assert error_of(refresh(replace(TOKEN, ended=True), REFRESH_REQUEST, NOW)) is InvalidGrant
    assert error_of(refresh(None, REFRESH_REQUEST, NOW)) is InvalidGrant


ACCESS = AccessToken(RESOURCE, SCOPES, SCOPES, NOW + timedelta(minutes=30), ended=False)


@pytest.mark.requirement("resource-bound")
def test_an_access_token_is_good_for_its_resource_and_nothing_else() -> None:
    assert live_scopes(ACCESS, RESOURCE, NOW) == SCOPES
    assert live_scopes(ACCESS, "https://other.example/mcp", NOW) is None


@pytest.mark.requirement("lifetimes")
def test_an_access_token_is_good_until_it_expires() -> None:
    assert live_scopes(ACCESS, RESOURCE, ACCESS.expires_at - SECOND) == SCOPES
    assert live_scopes(ACCESS, RESOURCE, ACCESS.expires_at) is None


def test_an_access_token_is_good_for_no_more_than_the_person_allows_now() -> None:
    less = replace(ACCESS, allowed=frozenset({"scheduled_events:read"}))
    assert live_scopes(less, RESOURCE, NOW) == frozenset({"scheduled_events:read"})
    assert live_scopes(replace(ACCESS, ended=True), RESOURCE, NOW) is None
    assert live_scopes(None, RESOURCE, NOW) is None
