"""Polls that found nothing, counted for an hour and then told together: an agent may poll every few seconds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, select

from events.tables import empty_poll as table
from storage.connection import DatabaseConnection
from storage.database import Database, insert
from storage.rows import columns, find_all, values

_TOGETHER: Final = timedelta(hours=1)
"""Of so long a time the polls that found nothing are told together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyPolls:
    """The polls of one agent that found nothing.

    Attributes:
        grant: Its grant, or what stands for it where there are none.
        person: Whose events it polled.
        agent: What it is called.
        began_at: When the first of them was.
        polls: How many they are.
    """

    grant: str
    person: str
    agent: str
    began_at: datetime
    polls: int = 1


@dataclass(frozen=True, slots=True)
class EmptyPollCounts:
    """The counts of all replicas.

    Attributes:
        database: Where they are.
        now: The wall clock.
    """

    database: Database
    now: Callable[[], datetime]

    async def count(self, grant: str, person: str, agent: str) -> list[EmptyPolls]:
        """Count one poll. Returns those of an hour that is over, to be told. Raises StorageUnavailable."""
        now = self.now()
        new = EmptyPolls(grant=grant, person=person, agent=agent, began_at=now)
        one_more = {table.c.polls: table.c.polls + 1}
        async with self.database.begin() as connection:
            over = await _take(connection, table.c.grant == grant, table.c.began_at <= now - _TOGETHER)
            first = insert(connection, table).values(values(new, table))
            await connection.execute(first.on_conflict_do_update(index_elements=[table.c.grant], set_=one_more))
        return over

    async def take_over(self) -> list[EmptyPolls]:
        """Return what has to be told because its hour is over, each to one replica. Raises StorageUnavailable."""
        over = table.c.began_at <= self.now() - _TOGETHER
        async with self.database.read() as connection:
            if not (await connection.execute(select(table.c.grant).where(over).limit(1))).all():
                return []
        async with self.database.begin() as connection:
            return await _take(connection, over)


async def take_of_person(connection: DatabaseConnection, person: str) -> list[EmptyPolls]:
    """Return what has not been told yet of the agents of a person, and count it no more."""
    return await _take(connection, table.c.person == person)


async def _take(connection: DatabaseConnection, *which: ColumnElement[bool]) -> list[EmptyPolls]:
    """Delete counts and return them: what two replicas want at once goes to one of them."""
    return await find_all(connection, EmptyPolls, delete(table).where(*which).returning(*columns(EmptyPolls, table)))
