"""A client that holds every answer against the standards goes from discovery to revocation."""

import pytest

from tests.interop.browser import sign_in
from tests.interop.node import SCRIPTS, node

pytestmark = pytest.mark.needs("node")


def test_a_strict_client_goes_from_discovery_to_revocation_with_every_way_of_authentication(hosted: str) -> None:
    with node(SCRIPTS / "sign_in_strictly.mjs", hosted) as client:
        while "open" in (message := client.hear()):
            client.say({"arrived": sign_in(message["open"], "Jonas Weber")})
    assert message["checksIssuer"]
    assert message["signedIn"] == [
        {"method": method, "scopes": ["users:read", "users:read"], "calls": [200, [401, "invalid_token"]]}
        for method in ("none", "client_secret_post", "client_secret_basic")
    ]
