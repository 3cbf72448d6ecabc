"""What people see and change of what happens at Calendly, on their page and when their last agent leaves."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from auth.access.words import LEVELS, WORDS
from auth.endpoints.site import LeftEvents, NotSwitched, ShownSubscription, ShownWebhook
from calendly.errors import CalendlyError, InsufficientScope
from calendly.third_party_text import shown
from events.feed import stored_feeds
from events.feed.empty_polls import take_of_person
from events.incoming.webhook_states import WebhookState
from events.incoming.webhooks import OutOfReach, Webhooks
from events.kinds import KINDS
from events.outgoing.endings import Endings
from events.outgoing.stored_subscriptions import StoredSubscription
from server.calls.events.empty_polls import note_of
from storage.connection import DatabaseConnection
from storage.errors import StorageUnavailable

_LEAVING: Final = 10.0
"""How long the removal of subscriptions at Calendly may take, in seconds."""

_LONGEST_FILTER: Final = 200
"""Characters that are shown of what narrows a subscription."""

_PAUSE: Final = 60.0
"""Between two looks at what is due, in seconds."""

_OFF: Final = "Off. Your agents learn what happens because this server asks Calendly now and then."
_TOLD: Final[Mapping[WebhookState, str]] = {
    WebhookState.MAKING: "It is being made at Calendly.",
    WebhookState.UNPROVED: "On. Calendly has told nothing yet; until then this server also asks now and then.",
    WebhookState.WORKING: "On. Calendly tells this server at once what happens in your calendar.",
    WebhookState.FOREIGN_KEY: (
        "On, but nothing of it is taken: Calendly signs with another key than the one it was given. Whoever runs this "
        "server sets CALENDLY_WEBHOOK_KEYS to the signing key of its application at Calendly."
    ),
    WebhookState.GIVEN_UP: (
        "Calendly has disabled it again and again today. It is made anew tomorrow; until then this server asks now "
        "and then."
    ),
}

_log: Final = logging.getLogger(__name__)


async def check_webhooks(webhooks: Webhooks, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Check the subscriptions of people until cancelled, each once an hour. `sleep` waits for a number of seconds."""
    while True:
        await sleep(_PAUSE)
        try:
            await webhooks.check_due()
        except StorageUnavailable as error:
            _log.info("the webhook subscriptions will be checked later: %s", error)


@dataclass(frozen=True, slots=True)
class PeoplesEvents:
    """See `auth.endpoints.site.EventsOfPeople`.

    Args:
        webhooks: Calendly's webhooks.
        endings: Ends subscriptions of agents.
        may_be_made: The operator allows them.
    """

    webhooks: Webhooks
    endings: Endings
    may_be_made: bool = True

    async def subscriptions(self, grant: str) -> Sequence[ShownSubscription]:
        """Return the live subscriptions of an agent, the oldest first. Raises StorageUnavailable."""
        async with self.endings.database.read() as connection:
            found = await self.endings.rows.of_grant(connection, grant)
        return [_shown(one) for one in found if not one.is_over(self.endings.now())]

    async def end_subscription(self, subscription: str, grant: str) -> bool:
        """End a subscription of an agent. Returns whether there was one. Raises StorageUnavailable."""
        return await self.endings.end_by_id(subscription, grant=grant)

    async def webhook(self, person: str) -> ShownWebhook | None:
        """Return how it is with Calendly's webhook for a person. Raises StorageUnavailable."""
        found = await self.webhooks.of(person)
        if not found:
            return self._off() if self.may_be_made else None
        worst = min(found, key=lambda each: _WORST_FIRST.index(each.state))
        latest = max((each.last_at for each in found if each.last_at is not None), default=None)
        return ShownWebhook(is_on=True, told=_TOLD[worst.state], last_at=latest)

    def _off(self) -> ShownWebhook:
        reason = self.webhooks.out_of_reach
        return ShownWebhook(is_on=False, told=f"Off. {reason}" if reason else _OFF, may_change=reason is None)

    async def switch(self, person: str, *, on: bool) -> str:
        """Switch Calendly's webhook on or off, and say that it is. Raises NotSwitched, StorageUnavailable."""
        try:
            if not on:
                await self.webhooks.unwatch(person)
                return "Calendly's webhook is off."
            if not self.may_be_made:
                raise NotSwitched("The operator of this server does not allow that.")
            refused = await self.webhooks.watch(person)
        except (OutOfReach, CalendlyError) as failure:
            raise NotSwitched(reason_for(failure)) from failure
        if refused:
            raise NotSwitched(reason_for(next(iter(refused.values()))))
        return "Calendly's webhook is on."

    async def forget(self, connection: DatabaseConnection, person: str) -> LeftEvents:
        """Delete everything about a person; returns what is left to be done."""
        ended = await self.endings.take_of_person(connection, person)
        webhooks = await self.webhooks.detach(connection, person)
        await stored_feeds.drop(connection, person)
        for polls in await take_of_person(connection, person):
            self.endings.noted.jot(note_of(polls))
        return LeftEvents(webhooks, partial(self.endings.tell_all, ended))

    async def leave(self, person: str, subscriptions: Sequence[str], token: str) -> None:
        """Remove subscriptions at Calendly with an access token that is about to be revoked."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVING):
                await self.webhooks.leave(person, subscriptions, token)


def _shown(subscription: StoredSubscription) -> ShownSubscription:
    narrowed = ((name.replace("_", " "), shown(str(value))) for name, value in subscription.arguments.items())
    only = ", ".join(f"the {name} “{value[:_LONGEST_FILTER]}”" for name, value in narrowed)
    return ShownSubscription(
        id=subscription.id,
        told=f"{KINDS[subscription.name].words}{f' Only {only}.' if only else ''}",
        host=subscription.host,
        since=subscription.created_at,
        last_at=subscription.last_at,
        is_suspended=subscription.state == "suspended",
    )


_WORST_FIRST: Final = (
    WebhookState.FOREIGN_KEY,
    WebhookState.GIVEN_UP,
    WebhookState.MAKING,
    WebhookState.UNPROVED,
    WebhookState.WORKING,
)


def reason_for(failure: Exception, page: str | None = None) -> str:
    """Say in a sentence or two why Calendly did not do it, and what helps.

    Args:
        failure: What Calendly answered.
        page: Where the person finds their agents; None where they are there.
    """
    if isinstance(failure, InsufficientScope):
        missing = failure.required_scopes or ("webhooks:write",)
        parts = dict.fromkeys(scope.partition(":")[0] for scope in missing)
        titles = " and ".join(WORDS[part].title if part in WORDS else part for part in parts)
        whose = f"this person. They open one of their agents at {page}" if page else "you. Open one of your agents"
        return (
            f"Calendly has not given this server {', '.join(missing)} for {whose}, set {titles} to “{LEVELS['ask']}”, "
            "press “Save, and have the app sign in again”, and sign in with the app; then try again."
        )
    if isinstance(failure, CalendlyError):
        repeats = (failure.message or "") in (failure.reason or "")
        return " ".join(filter(None, (failure.reason, None if repeats else failure.message)))
    return str(failure)
