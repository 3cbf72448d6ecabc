from calendly.endpoint import Endpoint
from calendly.request import Account, Request
from tests.calendly.tokens import Token


def test_a_query_leaves_out_none_and_writes_booleans_as_json_does() -> None:
    request = Request(
        Endpoint("GET", "/event_types"), query={"active": True, "admin_managed": False, "count": 5, "sort": None}
    )
    assert request.parameters == {"active": "true", "admin_managed": "false", "count": "5"}


def test_only_a_get_is_a_read() -> None:
    assert Request(Endpoint("GET", "/users/me")).is_read
    assert not Request(Endpoint("POST", "/data_compliance/deletion/invitees")).is_read


def test_an_account_never_shows_its_credentials() -> None:
    assert repr(Account("user", "agent", Token("secret"))) == "Account(user='user', agent='agent')"
