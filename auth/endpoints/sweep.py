"""Housekeeping: deletes expired rows and ends grants without valid tokens. Several processes may do it at once."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from auth.access.restrictions import RESTRICTION_LIFE
from auth.audit.log import AuditLogUnavailable
from auth.endpoints.ending import ending
from auth.endpoints.site import Site
from auth.grants import client_rows, grant_rows
from auth.grants.rate_limits import PERIOD
from auth.grants.rules import FAMILY_LIFE
from auth.tables import (
    access_token,
    agent_restriction,
    agent_token,
    authorization_transaction,
    booking_count,
    booking_key,
    code,
    family,
    grant,
    page_session,
    page_sign_in,
    pending_confirmation,
    rate_window,
    refresh_token,
    spent_confirmation,
)
from storage.errors import StorageUnavailable
from storage.retention import purge

_log: Final = logging.getLogger(__name__)

_PAUSE: Final = 60.0
"""Between two sweeps, in seconds."""

_BATCH: Final = 200
_ENDED_KEPT: Final = timedelta(days=1)
"""How long ended rows are kept, so that requests in progress still find them."""


async def keep_house(site: Site, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Sweep every minute until cancelled. `sleep` waits for the given number of seconds."""
    while True:
        try:
            await sweep(site)
        except (StorageUnavailable, AuditLogUnavailable) as error:
            _log.info("housekeeping will be tried again: %s", error)  # the database itself tells that it fails
        await sleep(_PAUSE)


async def sweep(site: Site) -> None:
    """Delete expired rows, end grants without valid tokens, and forget people without grants.

    Raises:
        StorageUnavailable: The database failed.
        AuditLogUnavailable: The audit log failed.
    """
    now = site.now()
    async with site.database.begin() as connection:
        await client_rows.drop_unused(connection, now)
    await _end_lifeless_grants(site)
    over = (authorization_transaction, page_sign_in, page_session, access_token, agent_token, spent_confirmation)
    calls = (pending_confirmation, booking_count, booking_key)
    await purge(site.database, [table.c.expires_at for table in (*over, *calls)], now=now)
    # A used refresh token is recognised for as long as an unused one would be valid.
    await purge(site.database, [refresh_token.c.expires_at, family.c.expires_at], now=now)
    await purge(site.database, [code.c.expires_at], now=now - FAMILY_LIFE)
    await purge(site.database, [rate_window.c.starts_at], now=now - 2 * PERIOD)
    await purge(site.database, [family.c.ended_at, grant.c.ended_at], now=now - _ENDED_KEPT)
    await purge(site.database, [agent_restriction.c.changed_at], now=now - RESTRICTION_LIFE)
    await _forget_people(site)
    await site.audit_log.clear_out(now - timedelta(days=site.audit_days))


async def _end_lifeless_grants(site: Site) -> None:
    async with site.database.read() as connection:
        grants = await grant_rows.find_lifeless(connection, site.now(), _BATCH)
    for grant_id in grants:
        async with ending(site, grant_id) as (connection, _):
            await grant_rows.end_lifeless(connection, grant_id, site.now())


async def _forget_people(site: Site) -> None:
    async with site.database.read() as connection:
        people = await grant_rows.find_people_without_grants(connection, _BATCH)
    for person in people:
        async with site.database.begin() as connection:
            await grant_rows.forget_person(connection, person)
