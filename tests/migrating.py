"""Migrations that Alembic runs once."""

import sqlite3
from collections.abc import Callable, Generator
from functools import cache
from operator import methodcaller
from typing import Any, Final

import pytest
from sqlalchemy import Connection, event, inspect

from storage import schema

EXECUTED: Final[dict[str, list[str]]] = {}
"""By dialect, what Alembic executed in an empty database of this process."""

_CHANGING: Final = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")


@pytest.fixture(scope="session", autouse=True)
def migrating_once() -> Generator[None]:
    """Repeat in each empty database what Alembic executed in the first of its dialect in this process.

    The statements alone take a tenth of the time. A database that has tables is migrated by Alembic.
    """
    upgrade: Callable[[Connection], None] = vars(schema)["_upgrade"]

    def upgrade_once(connection: Connection) -> None:
        if inspect(connection).get_table_names():
            upgrade(connection)
        elif connection.dialect.name in EXECUTED:
            repeat(connection)
        else:
            EXECUTED[connection.dialect.name] = _noted(upgrade, connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "_upgrade", upgrade_once)
        yield


def repeat(connection: Connection) -> None:
    """Bring an empty database up to date in an open transaction, past SQLAlchemy, which takes longer than they do."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "postgresql":
        driver.run_async(methodcaller("execute", ";".join(EXECUTED["postgresql"])))
    elif not driver.execute("PRAGMA database_list").fetchone()[2]:  # in memory: nobody else can begin meanwhile
        driver.commit()
        migrated().backup(driver)
        driver.execute("BEGIN IMMEDIATE")
    else:
        for statement in EXECUTED["sqlite"]:
            driver.execute(statement)


@cache
def migrated() -> sqlite3.Connection:
    """Make a database without rows, to be copied."""
    made = sqlite3.connect(":memory:")
    made.executescript(";".join(["BEGIN", *EXECUTED["sqlite"], "COMMIT"]))
    return made


def _noted(upgrade: Callable[[Connection], None], connection: Connection) -> list[str]:
    """Upgrade an empty database. Returns the statements that changed something."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.lstrip().startswith(_CHANGING):
            assert not parameters, statement
            statements.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    upgrade(connection)
    event.remove(connection, "before_cursor_execute", note)
    return statements
