"""Column types of authorization: values of `auth.protocol` and `auth.access` in the database."""

from collections.abc import Iterable
from types import MappingProxyType

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from auth.access.levels import Access
from auth.access.text import read_access, spell_access
from auth.protocol.scopes import Scopes


class ScopeSet(TypeDecorator[Scopes]):
    """Scopes: a frozenset in Python, names separated by spaces in the database (RFC 6749, 3.3)."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> str | None:
        return None if value is None else " ".join(sorted(value))

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> Scopes | None:
        return None if value is None else frozenset(value.split())


class AccessText(TypeDecorator[Access]):
    """Access as `auth.access.text` spells it. NULL is read as access that names no capability."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: Access | None, dialect: Dialect) -> str | None:
        return None if value is None else spell_access(value)

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> Access:
        return MappingProxyType({}) if value is None else read_access(value)
