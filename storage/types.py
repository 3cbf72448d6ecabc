"""Column types that every table shares; SQLite and PostgreSQL store them alike."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """A moment: an aware datetime in Python, whole microseconds since 1970-01-01T00:00Z in a BIGINT.

    Comes back in UTC. The database compares and orders it as a number. Binding a naive datetime is a ValueError.
    """

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an Instant is an aware datetime")
        return (value - EPOCH) // MICROSECOND

    @override
    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + value * MICROSECOND


class Sealed(TypeDecorator[bytes]):
    """Ciphertext of `KeyRing.seal`. The column type is what `storage.rotation` finds it by.

    A table with such a column has a primary key of one text column, which is the `row` that the value is sealed for.
    """

    impl = LargeBinary
    cache_ok = True
