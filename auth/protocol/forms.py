"""The forms of our own pages: where they may come from, and their fields.

Our pages send no referrer, with which browsers say `Origin: null`; so that is accepted besides our own origin, and a
secret in the form decides.
"""

from collections.abc import Iterable
from typing import Final

from starlette.requests import Request

from auth.protocol.errors import Stopped

_SAME_SITE: Final = frozenset({"same-origin", "none"})


def check_origin(issuer: str, request: Request) -> None:
    """Raise Stopped when a browser says that a form comes from a page of somebody else's."""
    origins = request.headers.getlist("origin")
    site = request.headers.get("sec-fetch-site", "none")  # absent from old browsers; no page can forge it
    if any(origin not in {issuer, "null"} for origin in origins) or site not in _SAME_SITE:
        raise Stopped("This form was sent by a page of somebody else's. Nothing was done.")


def values(pairs: Iterable[tuple[str, str]], name: str) -> list[str]:
    """Return all the values of a field."""
    return [value for key, value in pairs if key == name]


def only(pairs: Iterable[tuple[str, str]], name: str) -> str | None:
    """Return the value of a field that is there exactly once and not empty."""
    found = values(pairs, name)
    return found[0] if len(found) == 1 and found[0] else None
