import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.grants.clients import Client, Credentials, authenticate, read_credentials, read_metadata
from auth.protocol.errors import InvalidClient, InvalidClientMetadata, InvalidRedirectUri, InvalidRequest, OAuthError
from auth.protocol.redirect_uris import PRIVATE_USE_SCHEMES
from auth.protocol.secrets import digest
from tests.cases import each

BACK = "https://agent.example/callback"


def client(secret: str | None) -> Client:
    return Client(
        id="c",
        kind="registered",
        name="Agent",
        redirect_uris=(BACK,),
        auth_method="none" if secret is None else "client_secret_basic",
        secret_digest=None if secret is None else digest(secret),
        refreshes=True,
        approved=False,
    )


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def read(**members: object) -> object:
    return read_metadata({"redirect_uris": [BACK], **members}, PRIVATE_USE_SCHEMES)


@pytest.mark.requirement("register-names")
@each("name", ["Claude Code (calendly)", "Agent <3 & friends", "\u4e88\u5b9a", "\U0001f469\u200d\U0001f4bb", "a" * 200])
def test_any_printable_name_is_taken(name: str) -> None:
    assert read_metadata({"redirect_uris": [BACK], "client_name": name}, ()).shown_name == name


@pytest.mark.requirement("register-methods")
@each("method", ["none", "client_secret_post", "client_secret_basic"])
def test_three_ways_of_authentication_are_taken(method: str) -> None:
    metadata = read_metadata({"redirect_uris": [BACK], "token_endpoint_auth_method": method}, ())
    assert metadata.token_endpoint_auth_method == method
    assert metadata.is_public is (method == "none")


@each("method", ["private_key_jwt", "tls_client_auth", 7, ["none"]])
def test_another_way_of_authentication_is_refused(method: object) -> None:
    with pytest.raises(InvalidClientMetadata, match="token_endpoint_auth_method"):
        read(token_endpoint_auth_method=method)


@pytest.mark.requirement("register-application-type")
def test_both_types_of_application_are_taken_and_no_other() -> None:
    for application_type in ("native", "web"):
        metadata = read_metadata({"redirect_uris": [BACK], "application_type": application_type}, ())
        assert metadata.application_type == application_type
    with pytest.raises(InvalidClientMetadata, match="application_type is native or web"):
        read(application_type="toaster")


@pytest.mark.requirement("register-unknown-ignored")
def test_members_that_mean_nothing_here_and_placeholders_are_ignored() -> None:
    metadata = read_metadata(
        {
            "redirect_uris": [BACK],
            "client_name": "",
            "application_type": None,
            "client_uri": "javascript:alert(1)",
            "logo_uri": 7,
            "jwks": {"keys": []},
            "scope": "openid",
            "software_statement": "x",
            "contacts": None,
        },
        (),
    )
    assert metadata.shown_name is None
    assert metadata.token_endpoint_auth_method == "client_secret_basic"


@pytest.mark.requirement("register-bounds")
@each("uris", [None, [], "https://agent.example/", [7], [["x"]], [BACK] * 21, {"a": 1}, ["javascript:alert(1)"]])
def test_one_to_twenty_good_redirect_uris_are_needed(uris: object) -> None:
    with pytest.raises(InvalidRedirectUri):
        read(redirect_uris=uris)


@pytest.mark.requirement("register-left-out")
def test_redirect_uris_that_cannot_be_used_are_left_out_and_logged_by_scheme(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "auth.grants.clients")
    sent = ["zed://callback", BACK, None, 7, "javascript:alert(1)", "", BACK, "http://localhost/callback"]
    metadata = read_metadata({"redirect_uris": sent}, PRIVATE_USE_SCHEMES)
    assert metadata.redirect_uris == (BACK, "http://localhost/callback")
    assert "scheme zed: This server takes no redirect URI of the scheme zed" in caplog.text
    assert "alert(1)" not in caplog.text


@pytest.mark.requirement("register-bounds")
@each(
    "members",
    [
        {"client_name": "a" * 201},
        {"client_name": 7},
        {"grant_types": "authorization_code"},
        {"grant_types": ["a" * 101]},
        {"grant_types": ["client_credentials"]},
        {"grant_types": []},
        {"response_types": ["token"]},
    ],
)
def test_members_that_are_too_large_or_of_another_kind_are_refused_by_name(members: dict[str, object]) -> None:
    with pytest.raises(InvalidClientMetadata):
        read(**members)


def test_refresh_tokens_are_for_clients_that_want_them_and_that_do_not_say() -> None:
    assert read_metadata({"redirect_uris": [BACK]}, ()).refreshes
    assert read_metadata(
        {"redirect_uris": [BACK], "grant_types": ["authorization_code", "refresh_token"]}, ()
    ).refreshes
    assert not read_metadata({"redirect_uris": [BACK], "grant_types": ["authorization_code"]}, ()).refreshes


@given(
    st.dictionaries(
        st.sampled_from(["redirect_uris", "client_name", "grant_types", "token_endpoint_auth_method", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_whatever_a_stranger_sends_is_taken_or_refused_and_nothing_else(document: dict[str, object]) -> None:
    with suppress(InvalidRedirectUri, InvalidClientMetadata):
        read_metadata(document, PRIVATE_USE_SCHEMES)


def test_a_public_client_says_who_it_is_and_needs_no_more() -> None:
    assert read_credentials({"client_id": "c"}, None) == Credentials("c", None)
    assert authenticate(client(None), Credentials("c", None)).id == "c"


def test_a_confidential_client_shows_its_secret_in_header_or_form() -> None:
    in_header = read_credentials({}, basic("c:s%2B%20"))
    in_form = read_credentials({"client_id": "c", "client_secret": "s+ "}, None)
    assert in_header == in_form == Credentials("c", "s+ ")
    assert authenticate(client("s+ "), in_header).id == "c"
    assert read_credentials({"client_id": "c"}, basic("c:s")) == Credentials("c", "s")


@each("secret, shown", [("right", "wrong"), ("right", None), ("right", ""), (None, "any"), ("right", "right ")])
def test_another_secret_a_missing_one_and_one_too_many_are_refused(secret: str | None, shown: str | None) -> None:
    with pytest.raises(InvalidClient):
        authenticate(client(secret), Credentials("c", shown))


@pytest.mark.requirement("register-deleted")
def test_an_unknown_client_is_told_to_register_again() -> None:
    with pytest.raises(InvalidClient, match="register again"):
        authenticate(None, Credentials("c", None))


@each(
    "form, authorization, error",
    [
        ({}, None, InvalidClient),
        ({"client_id": ""}, None, InvalidClient),
        ({}, "Basic", InvalidClient),
        ({}, "Basic !!!", InvalidClient),
        ({}, basic("no-colon"), InvalidClient),
        ({}, basic(":s"), InvalidClient),
        ({}, "Basic " + base64.b64encode(b"\xff:\xff").decode(), InvalidClient),
        ({}, "Bearer x", InvalidClient),
        ({"client_id": "c", "client_secret": "s"}, basic("c:s"), InvalidRequest),
        ({"client_id": "other"}, basic("c:s"), InvalidRequest),
    ],
)
def test_credentials_that_cannot_be_read_or_come_in_two_ways_are_refused(
    form: dict[str, str], authorization: str | None, error: type[OAuthError]
) -> None:
    with pytest.raises(error):
        read_credentials(form, authorization)


def test_a_secret_shows_in_no_representation() -> None:
    assert "hidden" not in repr(Credentials("c", "hidden"))
    assert digest("hidden") not in repr(client("hidden"))
