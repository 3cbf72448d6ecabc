"""`subscriptions/listen` (MCP 2026-07-28): an agent hears, while it is connected, that there are new events.

The answer to the request is the stream. The SDK's own handler takes any URI and knows no user; this one
takes one resource, and asks before each notice whether the agent may still read it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY

from events.feed.cursor import Cursor
from events.feed.feed import Feeds
from events.feed.stored_events import Wanted
from events.outgoing.listeners import CHECK_EVERY, FeedListener, FeedListeners
from events.outgoing.standing import Noted
from events.outgoing.wire import LISTEN, WireProfile
from server.calls.confirm import Context
from server.calls.events.feed import readable_kinds
from server.calls.events.notes import entry
from server.calls.handlers import Handlers
from server.calls.principal import Principal
from server.calls.prompts_and_resources import REFUSED
from server.calls.selection import refusal_of
from server.event_methods.answering import answering
from storage.errors import StorageUnavailable
from tools.events import list_received_events
from tools.resources import LATEST_EVENTS
from tools.toolset.tool import tool_of

_TRY_AGAIN: Final = 1.0
"""How long to wait before what could not be read is read again, in seconds."""

_Ending = Literal["client", "access", "stop"]

_TOLD: Final = MappingProxyType[_Ending, str](
    {
        "client": "the agent went away",
        "access": "the agent may not read these events any more",
        "stop": "this server stops",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Answers `subscriptions/listen`.

    Attributes:
        handlers: Know which tools a request may call.
        feeds: The feeds of people.
        listeners: Who listens in this process.
        standing: Returns for whom a grant speaks now, None when it is over. Raises StorageUnavailable.
        noted: The audit log.
        profile: Whose error codes there are.
    """

    handlers: Handlers
    feeds: Feeds
    listeners: FeedListeners
    standing: Callable[[str], Awaitable[Principal | None]]
    noted: Noted
    profile: WireProfile

    async def __call__(
        self, context: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Answer a request: acknowledge what it will hear of, and tell that until it ends. Raises MCPError."""
        stream = _Stream(context)
        if LATEST_EVENTS in (params.notifications.resource_subscriptions or ()):
            with answering(self.profile, LISTEN):
                await self._serve(stream, self._permitted(context))
        else:  # nothing else is told here, and the acknowledgement says so
            await stream.acknowledge([])
        return types.SubscriptionsListenResult(_meta=stream.meta)

    def _permitted(self, context: Context) -> Principal:
        """Return who asks. Raises MCPError where they may not read the resource."""
        principal, tool = self.handlers.callers.principals.of(context), tool_of(list_received_events)
        if not self.handlers.allows(context, tool):
            self.noted.jot(
                entry("listen_events", "{agent} tried to listen for the events of {person}", principal, is_refused=True)
            )
            told = refusal_of(tool, principal.decide(tool), principal)
            raise MCPError(REFUSED, told, {"uri": LATEST_EVENTS})
        return principal

    async def _serve(self, stream: "_Stream", principal: Principal) -> None:
        """Tell an agent of new events until it goes away, may not have them, or the process stops."""
        account = principal.account
        with self.listeners.opened(account.user, account.agent) as listener:
            await self.noted.keep(entry("listen_events", "{agent} listens for the events of {person}", principal))
            ending: _Ending = "client"  # who goes away has its request canceled
            try:
                ending = await self._tell(stream, listener, principal)
            finally:
                told = f"{{agent}} listens no more for the events of {{person}}, as {_TOLD[ending]}"
                self.noted.jot(entry("end_listening", told, principal))

    async def _tell(self, stream: "_Stream", listener: FeedListener, principal: Principal) -> _Ending:
        feed = await self.feeds.begin(listener.person)
        await self.listeners.began(listener.person)
        await stream.acknowledge([LATEST_EVENTS])
        place, pause = feed.cursor, CHECK_EVERY
        while True:
            with anyio.move_on_after(pause):
                await listener.woken.wait()
            if self.listeners.is_closed:
                return "stop"
            listener.woken.clear()
            try:
                standing = await self.standing(principal.account.agent)
                if standing is None or standing.decide(tool_of(list_received_events)).verdict == "deny":
                    return "access"
                wanted = Wanted(kinds=readable_kinds(standing.limits), count=1)
                page = await self.feeds.read(listener.person, wanted, str(place))
            except StorageUnavailable:  # the database itself tells that it fails
                pause = _TRY_AGAIN
                continue
            if page.events:
                await stream.tell(LATEST_EVENTS)
            place, pause = Cursor(feed.epoch, page.head), CHECK_EVERY


@dataclass(frozen=True, slots=True)
class _Stream:
    """The answer to a request that listens."""

    context: Context

    @property
    def meta(self) -> dict[str, object]:
        """What each message of the stream carries: the id of the request."""
        return {SUBSCRIPTION_ID_META_KEY: self.context.request_id}

    async def acknowledge(self, resources: list[str]) -> None:
        """Say which resources are listened to, as the first message."""
        heard = types.SubscriptionFilter(resource_subscriptions=resources or None)
        params = types.SubscriptionsAcknowledgedNotificationParams(notifications=heard, _meta=self.meta)
        await self._send(types.SubscriptionsAcknowledgedNotification(params=params))

    async def tell(self, uri: str) -> None:
        """Say that a resource has changed."""
        params = types.ResourceUpdatedNotificationParams(uri=uri, _meta=self.meta)
        await self._send(types.ResourceUpdatedNotification(params=params))

    async def _send(self, message: types.ServerNotification) -> None:
        await self.context.session.send_notification(message, related_request_id=self.context.request_id)
