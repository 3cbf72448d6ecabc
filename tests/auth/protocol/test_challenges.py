import re

import pytest

from auth.protocol.challenges import insufficient_scope, resource_metadata_url, unauthenticated
from tests.cases import each

RESOURCE = "https://mcp.example/mcp"


def parameters(challenge: str) -> dict[str, str]:
    scheme, _, rest = challenge.partition(" ")
    assert scheme == "Bearer"
    return dict(re.findall(r'(\w+)="([^"\\]*)"', rest))


@pytest.mark.requirement("challenge-401")
def test_without_a_token_the_challenge_names_metadata_and_scope_and_no_error() -> None:
    assert parameters(unauthenticated(RESOURCE, {"users:read", "availability:read"}, token_sent=False)) == {
        "resource_metadata": "https://mcp.example/.well-known/oauth-protected-resource/mcp",
        "scope": "users:read availability:read",
    }


@pytest.mark.requirement("challenge-401")
def test_with_a_token_that_is_no_good_the_challenge_says_so() -> None:
    challenge = parameters(unauthenticated(RESOURCE, {"users:read"}, token_sent=True))
    assert challenge["error"] == "invalid_token"
    assert {"resource_metadata", "scope"} < challenge.keys()


@pytest.mark.requirement("challenge-403")
def test_a_step_up_names_every_scope_that_is_needed_or_held_and_the_metadata() -> None:
    challenge = parameters(insufficient_scope(RESOURCE, ["scheduled_events:write", "users:read"], {"webhooks:read"}))
    assert challenge["error"] == "insufficient_scope"
    assert challenge["scope"] == "users:read scheduled_events:write webhooks:read"
    assert challenge["resource_metadata"] == "https://mcp.example/.well-known/oauth-protected-resource/mcp"


@each(
    "resource, expected",
    [
        ("http://127.0.0.1:8000/mcp", "http://127.0.0.1:8000/.well-known/oauth-protected-resource/mcp"),
        ("https://mcp.example", "https://mcp.example/.well-known/oauth-protected-resource"),
    ],
)
def test_the_well_known_part_goes_before_the_path(resource: str, expected: str) -> None:
    assert resource_metadata_url(resource) == expected
