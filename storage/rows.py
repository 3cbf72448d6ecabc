"""Reads and writes dataclasses as rows. The names of a dataclass's fields are the keys of the columns.

query = select(*columns(Code, code, grant_ended=grant.c.ended_at.is_not(None))).join(grant)
found = await find_one(connection, Code, query)
await connection.execute(insert(code).values(values(found, code)))
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, Executable, Label, Table

from storage.connection import DatabaseConnection

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
D = TypeVar("D", bound="DataclassInstance")


def columns(kind: "type[DataclassInstance]", table: Table, /, **others: ColumnElement[Any]) -> list[Label[Any]]:
    """Return what a query has to select for a value of `kind`.

    Fields in `others` come from there, other fields from the column of `table`; a field without
    either is left out.
    """
    found = {**table.c, **others}
    return [found[each.name].label(each.name) for each in fields(kind) if each.name in found]


def values(row: "DataclassInstance", table: Table) -> dict[str, Any]:
    """Return what an INSERT or UPDATE of `table` writes of a value: the fields that are columns of the table."""
    return {each.name: getattr(row, each.name) for each in fields(row) if each.name in table.c}


async def find_one(
    connection: DatabaseConnection, kind: Callable[..., T], query: Executable, **values: str | int
) -> T | None:
    """Read the one row that a query finds, None when there is none.

    Args:
        connection: Reads.
        kind: What is made of the row.
        query: The query.
        values: What its parameters stand for.
    """
    found = (await connection.execute(query, values)).mappings().one_or_none()
    return None if found is None else kind(**found)


async def find_all(connection: DatabaseConnection, kind: Callable[..., T], query: Executable) -> list[T]:
    """Read every row that a query finds."""
    return [kind(**found) for found in (await connection.execute(query)).mappings()]


def part(kind: "type[D]", row: Mapping[Any, Any]) -> "D":
    """Read a value of `kind` from a row that has columns of others too."""
    return kind(**{each.name: row[each.name] for each in fields(kind)})
