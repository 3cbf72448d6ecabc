"""Users: people with a Calendly login."""

from calendly import models
from tools.fields import User
from tools.toolset import Call, Toolset

users = Toolset()


@users.tool("GET", "/users/me", title="Get current user", scope="users:read", capability="users", scheduling=True)
async def get_current_user(call: Call) -> models.User:
    """Look up the current user, for whom you act: name, e-mail, time zone, booking page, organization."""
    return await call(models.User)


@users.tool("GET", "/users/{user}", title="Get user", scope="users:read", capability="users")
async def get_user(call: Call, user: User) -> models.User:
    """Look up a Calendly user: name, e-mail, time zone, booking page."""
    return await call(models.User, user=user)
