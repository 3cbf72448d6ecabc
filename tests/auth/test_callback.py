import pytest

from tests.auth.site import Site


@pytest.mark.anyio
async def test_a_whole_sign_in(site: Site) -> None:
    tokens = await site.sign_in(scope="users:read scheduled_events:write")
    assert tokens.scope == "users:read scheduled_events:write"
    response = await site.call(tokens.access)
    assert response.status_code == 200, response.text
