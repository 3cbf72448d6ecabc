"""Migrations that Alembic runs once."""

from collections.abc import Callable, Generator
from typing import Final

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
        elif statements := EXECUTED.get(connection.dialect.name):
            for statement in statements:
                connection.exec_driver_sql(statement)
        else:
            EXECUTED[connection.dialect.name] = _noted(upgrade, connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "_upgrade", upgrade_once)
        yield


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
