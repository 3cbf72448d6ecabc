"""A client that holds every answer against the standards goes from discovery to revocation."""

import anyio
import pytest

from tests.e2e.hosting import Site
from tests.e2e.people import Browser
from tests.interop.node import SCRIPTS, node

pytestmark = pytest.mark.needs("node")


def test_a_strict_client_goes_from_discovery_to_revocation_with_every_way_of_authentication(site: Site) -> None:
    with node(SCRIPTS / "sign_in_strictly.mjs", site.endpoint) as client:
        while "open" in (message := client.hear()):
            client.say({"arrived": anyio.run(Browser("Jonas Weber").open, message["open"])})
    assert message["checksIssuer"]
    assert message["signedIn"] == [
        {"method": method, "scopes": ["users:read", "users:read"], "calls": [200, [401, "invalid_token"]]}
        for method in ("none", "client_secret_post", "client_secret_basic")
    ]
