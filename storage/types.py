"""Column types that every table shares. SQLite and PostgreSQL store them alike."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Column, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """A moment: an aware datetime in Python, whole microseconds since 1970-01-01T00:00Z in a BIGINT.

    Comes back in UTC. The database compares and orders it as a number. Binding a naive datetime is
    a ValueError.
    """

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    @override
    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(value)


class Instants(TypeDecorator[tuple[datetime, ...]]):
    """Several moments: a tuple in Python, a JSON list of numbers as of `Instant` in the database."""

    impl = JSON
    cache_ok = True

    @override
    def process_bind_param(self, value: Iterable[datetime] | None, dialect: Dialect) -> list[int] | None:
        return None if value is None else [to_microseconds(instant) for instant in value]

    @override
    def process_result_value(self, value: list[int] | None, dialect: Dialect) -> tuple[datetime, ...] | None:
        return None if value is None else tuple(map(from_microseconds, value))


class Texts(TypeDecorator[tuple[str, ...]]):
    """Several texts: a tuple in Python, a JSON list in the database."""

    impl = JSON
    cache_ok = True

    @override
    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> list[str] | None:
        return None if value is None else list(value)

    @override
    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(value)


class Sealed(TypeDecorator[bytes]):
    """Ciphertext of `KeyRing.seal`. The column type is what `storage.rotation` finds it by.

    A table with such a column has a primary key of one text column, which is the `row` that the
    value is sealed for.
    """

    impl = LargeBinary
    cache_ok = True


def sealed_for(column: Column[Any], row: str) -> dict[str, str]:
    """Return the place that a value of a `Sealed` column is sealed for, as `KeyRing.seal` and `open` take it."""
    return {"table": column.table.name, "row": row, "column": column.name}


def to_microseconds(instant: datetime) -> int:
    """Return the microseconds since 1970-01-01T00:00Z. Raises ValueError for a naive datetime."""
    if instant.tzinfo is None:
        raise ValueError("an Instant is an aware datetime")
    return (instant - _EPOCH) // _MICROSECOND


def from_microseconds(number: int) -> datetime:
    """Return the moment so many microseconds after 1970-01-01T00:00Z, in UTC."""
    return _EPOCH + number * _MICROSECOND
