"""Calendly's webhook subscriptions of one person: made, read once an hour, repaired and removed.

One subscription for each family of events, so that a plan or a role that refuses one leaves the rest.
Each has a receiver of its own, since Calendly refuses a second subscription of one address. A receiver
is stored before Calendly is asked: whatever breaks off is found and removed by the next check.
"""

import logging
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from calendly.errors import (
    CalendlyError,
    InsufficientScope,
    OutcomeUnknown,
    PermissionDenied,
    Unauthenticated,
    unreadable,
)
from calendly.request import JSON, Request
from events.facts import canonical, part
from events.feed.feed import Feeds
from events.feed.stored_feeds import hold
from events.incoming import stored_receivers
from events.incoming.calendly_subscriptions import CalendlyOfPeople, creation, deletion, listed, remove
from events.incoming.incoming import receiver_digest
from events.incoming.stored_receivers import UNFINISHED_LIVES, StoredReceiver
from events.incoming.webhook_states import MOST_REPAIRS, FamilyWebhook, out_of_reach, shown_webhooks
from events.kinds import FAMILIES, MEETINGS, EventFamily
from storage.connection import DatabaseConnection
from storage.database import Database
from storage.errors import UnreadableSecret
from storage.keys import KeyRing, RandomBytes

PATH: Final = "/webhooks/calendly"
"""Of all receivers."""

CHECK_EVERY: Final = timedelta(hours=1)

_DAY: Final = timedelta(days=1)
_SECRET_BYTES: Final = 32

_log: Final = logging.getLogger(__name__)


WebhookAction = Literal["watch_events", "unwatch_events", "rotate_webhook", "lose_webhook", "repair_webhook"]
"""What is done with a subscription, as the audit log calls it."""


class WebhookNotes(Protocol):
    """The audit log."""

    async def __call__(self, person: str, action: WebhookAction, sentence: str) -> None:
        """Store an entry. `sentence` has `{person}` for the person's name."""
        ...


class OutOfReach(Exception):
    """Calendly cannot post to this server; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """The subscriptions of all people.

    Attributes:
        database: Where receivers are.
        keyring: What their keys are sealed under.
        feeds: What they tell goes into.
        calendly: Where subscriptions are.
        address: The address of this server.
        calendly_url: Where Calendly's API is.
        told: The audit log.
        now: The wall clock.
        random: Unpredictable bytes.
    """

    database: Database
    keyring: KeyRing = field(repr=False)
    feeds: Feeds
    calendly: CalendlyOfPeople
    address: str
    calendly_url: str
    told: WebhookNotes
    now: Callable[[], datetime]
    random: RandomBytes

    async def of(self, person: str) -> list[FamilyWebhook]:
        """Return the subscriptions of a person that are on. Raises StorageUnavailable."""
        async with self.database.read() as connection:
            return shown_webhooks(await stored_receivers.of_person(connection, person))

    @property
    def out_of_reach(self) -> str | None:
        """Why Calendly cannot post to this server, None where it can."""
        reason = out_of_reach(self.address, self.calendly_url)
        return reason and f"{reason} Events are still found by asking Calendly now and then."

    def require_reach(self) -> None:
        """Raise OutOfReach where Calendly cannot post to this server."""
        if self.out_of_reach is not None:
            raise OutOfReach(self.out_of_reach)

    async def requests(self, person: str, families: Collection[EventFamily], *, stop: bool) -> list[Request]:
        """Return what `watch` or `unwatch` would send, without addresses and keys. Raises CalendlyError."""
        if not stop:
            organization = await self.calendly.organization(person)
            return [creation(f"{self.address}{PATH}/…", person, organization, family) for family in families]
        names = {family.name for family in families}
        async with self.database.read() as connection:
            rows = await stored_receivers.of_person(connection, person)
        return [request for row in rows if row.family in names and (request := deletion(row.calendly_uri))]

    async def watch(self, person: str, families: Collection[EventFamily] = (MEETINGS,)) -> Mapping[str, CalendlyError]:
        """Make the subscriptions that a person has not.

        Returns:
            What Calendly refused, by the name of the family.

        Raises:
            OutOfReach: Calendly cannot post to this server.
            CalendlyError: Nothing could be asked of Calendly.
            StorageUnavailable: The database failed.
        """
        self.require_reach()
        await self.feeds.begin(person)
        organization = await self.calendly.organization(person)
        refused: dict[str, CalendlyError] = {}
        for family in families:
            try:
                if await self._make(person, organization, family):
                    await self.told(
                        person, "watch_events", f"Calendly tells of {family.name} of {{person}} from now on"
                    )
            except CalendlyError as error:
                refused[family.name] = error
        return refused

    async def unwatch(self, person: str, families: Collection[EventFamily] = FAMILIES) -> None:
        """Remove subscriptions of a person. What their sign-in may not remove loses its receiver; Calendly disables it.

        Raises:
            CalendlyError: One cannot be removed now; it stays, and what follows it.
            StorageUnavailable: The database failed.
        """
        names = {family.name for family in families}
        async with self.database.read() as connection:
            rows = [row for row in await stored_receivers.of_person(connection, person) if row.family in names]
        for row in rows:
            with suppress(InsufficientScope, PermissionDenied, Unauthenticated):
                await remove(self.calendly, person, row.calendly_uri)
            async with self.database.begin() as connection:
                await stored_receivers.drop(connection, [row.receiver_digest])
                if row.family == MEETINGS.name:
                    await stored_receivers.prove(connection, person, None)
            if row.state in {"making", "live"}:
                await self.told(person, "unwatch_events", f"Calendly tells of {row.family} of {{person}} no more")

    async def rotate(self, person: str) -> None:
        """Replace every subscription of a person, with its address and key; the old ones are good for a day more.

        Raises:
            OutOfReach: Calendly cannot post to this server.
            CalendlyError: One cannot be replaced; it stays, and what follows it.
            StorageUnavailable: The database failed.
        """
        self.require_reach()
        organization = await self.calendly.organization(person)
        async with self.database.read() as connection:
            rows = [row for row in await stored_receivers.of_person(connection, person) if row.state == "live"]
        for row in rows:
            if await self._make(person, organization, _family(row), _Instead(row)):
                await remove(self.calendly, person, row.calendly_uri)
                await self.told(person, "rotate_webhook", f"the webhook for {row.family} of {{person}} got another key")

    async def check_due(self) -> None:
        """Check what was not checked for an hour, and whoever signed in again. Raises StorageUnavailable."""
        async with self.database.read() as connection:
            people = await stored_receivers.find_people(connection)
        for person in people:
            try:
                signed_in_at = await self.calendly.signed_in_at(person)
                if await self._is_turn(person, signed_in_at):
                    await self.check(person, signed_in_at)
            except (CalendlyError, UnreadableSecret) as error:
                _log.info("the webhook subscriptions of %s could not be checked: %s", person, error)

    async def check(self, person: str, signed_in_at: datetime | None = None) -> None:
        """Read the subscriptions of a person at Calendly: repair, note what is gone, remove what nobody knows.

        Args:
            person: Whose.
            signed_in_at: When they last signed in: what was made before and is gone is made anew.

        Raises:
            CalendlyError: Calendly cannot be asked.
            StorageUnavailable: The database failed.
        """
        now = self.now()
        async with self.database.begin() as connection:
            rows = await stored_receivers.of_person(connection, person)
            over = [row.receiver_digest for row in rows if _is_over(row, now)]
            await stored_receivers.drop(connection, over)
        rows = [row for row in rows if row.receiver_digest not in over]
        organization = await self.calendly.organization(person)
        found: list[JSON] = []
        for extent in sorted({_family(row).extent for row in rows if row.state == "live"} | {"user"}):
            of_extent = [row for row in rows if row.state == "live" and _family(row).extent == extent]
            try:
                hooks = await listed(self.calendly, person, organization, extent)
            except PermissionDenied:  # who administers the organization no more may not list its subscriptions
                continue
            await self._settle_all(of_extent, organization, hooks, signed_in_at)
            found += hooks
        await self._remove_unknown(person, found)

    async def detach(self, connection: DatabaseConnection, person: str) -> list[str]:
        """Delete the receivers of a person, in the transaction that ends their last grant.

        Returns:
            Calendly's subscriptions, to be given to `leave` once the transaction is committed.
        """
        rows = await stored_receivers.of_person(connection, person)
        await stored_receivers.drop(connection, [row.receiver_digest for row in rows])
        return [row.calendly_uri for row in rows if row.calendly_uri is not None]

    async def leave(self, person: str, subscriptions: Collection[str], token: str) -> None:
        """Remove subscriptions at Calendly with a token that is revoked afterwards. What fails, Calendly disables."""
        for subscription in subscriptions:
            try:
                await remove(self.calendly, person, subscription, token=token)
            except CalendlyError as error:
                _log.info("a webhook subscription of %s is left to Calendly: %s", person, error)

    async def _is_turn(self, person: str, signed_in_at: datetime | None) -> bool:
        now = self.now()
        due = now - CHECK_EVERY if signed_in_at is None else max(now - CHECK_EVERY, signed_in_at)
        async with self.database.begin() as connection:
            return await stored_receivers.is_turn(connection, person, due, now)

    async def _make(
        self, person: str, organization: str, family: EventFamily, instead: "_Instead | None" = None
    ) -> bool:
        """Make the subscription of a family, unless there is one that it does not take the place of.

        Raises CalendlyError.
        """
        now, secret, key = self.now(), self._secret(), self._secret()
        digest = receiver_digest(secret)
        new = StoredReceiver(
            receiver_digest=digest,
            person=person,
            family=family.name,
            state="making",
            key_ciphertext=self.keyring.seal(key.encode(), **stored_receivers.key_place(digest)),
            created_at=now,
            checked_at=now,
            repairs=instead.repairs if instead else 0,
            repaired_at=instead.repaired_at if instead else None,
        )
        async with self.database.begin() as connection:
            await hold(connection, person)
            if instead is None and await stored_receivers.find_on(connection, person, family.name):
                return False
            await stored_receivers.add(connection, new)
        made = await self._subscribe(new, organization, family, secret, key)
        async with self.database.begin() as connection:
            if not await stored_receivers.is_made(connection, digest, made, self.now()):
                return False  # it was switched off meanwhile; the next check removes the subscription
            if family is MEETINGS:
                await stored_receivers.prove(connection, person, None)
            if instead is not None:
                await stored_receivers.replace(connection, instead.row.receiver_digest, self.now())
        return True

    async def _subscribe(
        self, new: StoredReceiver, organization: str, family: EventFamily, secret: str, key: str
    ) -> str:
        """Create a subscription at Calendly and return its URI. What was refused leaves no receiver."""
        request = creation(f"{self.address}{PATH}/{secret}", new.person, organization, family, key)
        try:
            answer = await self.calendly.send(new.person, request)
        except OutcomeUnknown:
            raise  # should Calendly have made it, the next check removes it
        except CalendlyError:
            async with self.database.begin() as connection:
                await stored_receivers.drop(connection, [new.receiver_digest])
            raise
        uri = canonical(part(answer, "resource").get("uri"))
        if uri is None:
            raise unreadable(request)
        return uri

    async def _settle_all(
        self,
        rows: Sequence[StoredReceiver],
        organization: str,
        hooks: Sequence[JSON],
        signed_in_at: datetime | None,
    ) -> None:
        states = {canonical(hook.get("uri")): hook.get("state") for hook in hooks}
        for row in rows:
            was_before = signed_in_at is not None and row.created_at < signed_in_at
            await self._settle(row, organization, states.get(row.calendly_uri), anew=was_before)

    async def _settle(self, row: StoredReceiver, organization: str, state: object, *, anew: bool) -> None:
        """Repair a subscription that Calendly disabled; note one that is gone, or make it anew."""
        family = _family(row)
        if state == "disabled":
            await self._repair(row, organization, family)
        elif state is None:
            async with self.database.begin() as connection:
                await stored_receivers.switch_off(connection, row.receiver_digest)
                if family is MEETINGS:
                    await stored_receivers.prove(connection, row.person, None)
            if anew:
                await self._make(row.person, organization, family)
            else:
                await self.told(
                    row.person, "lose_webhook", f"Calendly's webhook for {row.family} of {{person}} is gone there"
                )

    async def _repair(self, row: StoredReceiver, organization: str, family: EventFamily) -> None:
        now, since, repairs = self.now(), row.repaired_at, row.repairs
        if since is None or now - since >= _DAY:
            since, repairs = now, 0
        elif repairs >= MOST_REPAIRS:
            async with self.database.begin() as connection:
                await stored_receivers.count_repairs(connection, row.receiver_digest, MOST_REPAIRS + 1)
                await stored_receivers.prove(connection, row.person, None)
            return
        if await self._make(row.person, organization, family, _Instead(row, repairs + 1, since)):
            await remove(self.calendly, row.person, row.calendly_uri)
            await self.told(
                row.person, "repair_webhook", f"Calendly had disabled the webhook for {row.family} of {{person}}"
            )

    async def _remove_unknown(self, person: str, found: Sequence[JSON]) -> None:
        """Remove subscriptions of this person under our address that no receiver is there for."""
        beginning = f"{self.address}{PATH}/"
        ours = {
            receiver_digest(url.removeprefix(beginning)): hook
            for hook in found
            if isinstance(url := hook.get("callback_url"), str)
            and url.startswith(beginning)
            and canonical(hook.get("creator")) == person
        }
        async with self.database.read() as connection:
            known = await stored_receivers.known(connection, list(ours))
        for digest, hook in ours.items():
            if digest not in known:
                await remove(self.calendly, person, canonical(hook.get("uri")))

    def _secret(self) -> str:
        return urlsafe_b64encode(self.random(_SECRET_BYTES)).decode().rstrip("=")


def _is_over(row: StoredReceiver, now: datetime) -> bool:
    """Say whether a receiver is good for nothing any more."""
    is_replaced = row.state == "replaced" and (row.valid_until is None or row.valid_until <= now)
    return is_replaced or (row.state == "making" and row.created_at <= now - UNFINISHED_LIVES)


@dataclass(frozen=True, slots=True)
class _Instead:
    """What a new receiver takes the place of.

    Attributes:
        row: The receiver.
        repairs: Which repair it is in the day that began at `repaired_at`; 0 where nothing was wrong.
        repaired_at: When the first of these was.
    """

    row: StoredReceiver
    repairs: int = 0
    repaired_at: datetime | None = None


def _family(row: StoredReceiver) -> EventFamily:
    return next((family for family in FAMILIES if family.name == row.family), MEETINGS)
