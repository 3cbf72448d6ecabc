"""Who signed in last in a browser, sealed into a cookie: see `auth.endpoints.cookies`."""

import base64
import binascii
from typing import Final

from storage.errors import UnreadableSecret
from storage.keys import KeyRing

# A cookie stands in no table; these names keep it from being opened as anything else.
_PLACE: Final = {"table": "cookie", "row": "person", "column": "uri"}


def write_person_hint(keyring: KeyRing, person: str) -> str:
    """Seal a user URI for the cookie."""
    return base64.urlsafe_b64encode(keyring.seal(person.encode(), **_PLACE)).decode()


def read_person_hint(keyring: KeyRing, hint: str | None) -> str | None:
    """Open a cookie; None when there is none, or its key has gone."""
    try:
        return keyring.open(base64.urlsafe_b64decode(hint or ""), **_PLACE).decode()
    except (UnreadableSecret, binascii.Error):
        return None
