"""What Calendly posts, and what others may: each check of the receiver, its neighbours, and their order. One table."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from events.incoming.incoming import LARGEST_BODY

NOW: Final = 1_764_000_000
PERSON: Final = "https://api.calendly.com/users/09930180-2957-40bd-b839-6ee7d1f9c95b"
OWN, OLD, NEW, FOREIGN = "own-key", "application-key-old", "application-key-new", "foreign-key"
MESSAGE: Final[dict[str, Any]] = {
    "event": "invitee.created",
    "created_at": "2025-11-24T16:00:00.000000Z",
    "created_by": PERSON,
    "payload": {"uri": "https://api.calendly.com/scheduled_events/E/invitees/I", "name": "Zoë"},
}


def _signature(body: bytes, key: str = OWN, time: int | str = NOW) -> str:
    return hmac.new(key.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()


def header(body: bytes, key: str = OWN, time: int | str = NOW) -> str:
    """Sign a body as Calendly does."""
    return f"t={time},v1={_signature(body, key, time)}"


def written(**changes: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    """Write the message with changes; one to `...` leaves the field out."""
    return json.dumps({name: value for name, value in (MESSAGE | changes).items() if value is not ...}).encode()


def _nested(depth: int) -> bytes:
    """Write a message that is so deep, itself and its payload included."""
    inner: Any = {}
    for _ in range(depth - 3):
        inner = [inner]
    return written(payload={"deep": inner} if depth > 2 else inner)


BODY: Final = written()


@dataclass(frozen=True)
class Post:
    """A request to a receiver."""

    body: bytes = BODY
    headers: tuple[str, ...] | None = None
    method: str = "POST"
    lengths: tuple[str, ...] | None = None
    encodings: tuple[str, ...] = ()
    is_known: bool = True
    now: float = NOW

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The headers of the request. Without a length the body is sent in chunks."""
        lengths = (str(len(self.body)),) if self.lengths is None else self.lengths
        signatures = (header(self.body),) if self.headers is None else self.headers
        return [
            *(("content-length", length) for length in lengths),
            *(("content-encoding", encoding) for encoding in self.encodings),
            *(("calendly-webhook-signature", text) for text in signatures),
        ]


def _signed(text: Callable[[bytes], str], body: bytes = BODY, **changes: Any) -> Post:  # noqa: ANN401 - fields of Post
    return replace(Post(body, (text(body),)), **changes)


_DEEP = _nested(33)
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}".encode() + BODY
LARGEST = BODY[:-1] + b" " * (LARGEST_BODY - len(BODY)) + b"}"
_TOO_LARGE = LARGEST[:-1] + b" }"
_FOURTH = "0" * 64

CASES: Final[dict[str, tuple[Post, int]]] = {
    "as Calendly posts it": (Post(), 204),
    "by GET": (Post(method="GET"), 405),
    "by PUT": (Post(method="PUT"), 405),
    "by GET, too large": (Post(method="GET", lengths=("65537",)), 405),
    "65,536 bytes": (Post(LARGEST), 204),
    "65,537 bytes": (Post(_TOO_LARGE), 413),
    "65,537 bytes that are declared": (Post(lengths=("65537",)), 413),
    "65,537 bytes in chunks": (Post(_TOO_LARGE, lengths=()), 413),
    "a length of many digits": (Post(lengths=("9" * 400,)), 413),
    "chunked": (Post(lengths=()), 204),
    "compressed": (Post(encodings=("gzip",)), 415),
    "said not to be compressed": (Post(encodings=("identity",)), 415),
    "too large and at an unknown address": (Post(_TOO_LARGE, is_known=False), 413),
    "at an unknown address": (Post(is_known=False), 404),
    "at an unknown address and unsigned": (Post(is_known=False, headers=()), 404),
    "unsigned": (Post(headers=()), 401),
    "signed twice over": (Post(headers=(header(BODY), header(BODY))), 401),
    "an empty signature": (Post(headers=("",)), 401),
    "a signature of 512 bytes": (_signed(lambda body: f"{header(body)},x={'y' * (512 - len(header(body)) - 3)}"), 204),
    "a signature of 513 bytes": (_signed(lambda body: f"{header(body)},x={'y' * (513 - len(header(body)) - 3)}"), 401),
    "a part that is no pair": (_signed(lambda body: f"{header(body)},x"), 401),
    "a comma at the end": (_signed(lambda body: f"{header(body)},"), 401),
    "a space after the comma": (_signed(lambda body: header(body).replace(",", ", ")), 401),
    "other names": (_signed(lambda body: f"v0=x,{header(body)},v2=y"), 204),
    "no time": (_signed(lambda body: f"v1={_signature(body)}"), 401),
    "two times": (_signed(lambda body: f"t={NOW},{header(body)}"), 401),
    "a time of 13 digits": (_signed(lambda body: header(body, time=f"000{NOW}")), 401),
    "a time of 12 digits": (_signed(lambda body: header(body, time=f"00{NOW}")), 204),
    "a time with a sign": (_signed(lambda body: header(body, time=f"+{NOW}")), 401),
    "a time in other digits": (_signed(lambda body: header(body, time="١٧٦٤٠٠٠٠٠٠")), 401),
    "a time with a line break": (_signed(lambda body: header(body, time=f"{NOW}\n")), 401),
    "no time in it": (_signed(lambda body: f"t=,v1={_signature(body)}"), 401),
    "180 seconds ago": (_signed(lambda body: header(body, time=NOW - 180)), 204),
    "181 seconds ago": (_signed(lambda body: header(body, time=NOW - 181)), 401),
    "180 seconds ahead": (_signed(lambda body: header(body, time=NOW + 180)), 204),
    "181 seconds ahead": (_signed(lambda body: header(body, time=NOW + 181)), 401),
    "half a second too old": (Post(now=NOW + 180.5), 401),
    "no signature": (_signed(lambda _: f"t={NOW}"), 401),
    "63 digits": (_signed(lambda body: header(body)[:-1]), 401),
    "65 digits": (_signed(lambda body: f"{header(body)}0"), 401),
    "no digits": (_signed(lambda _: f"t={NOW},v1={'g' * 64}"), 401),
    "upper case": (_signed(lambda body: f"t={NOW},v1={_signature(body).upper()}"), 204),
    "two signatures, the second is ours": (_signed(lambda body: f"t={NOW},v1={_FOURTH},v1={_signature(body)}"), 204),
    "two signatures, none is ours": (_signed(lambda _: f"t={NOW},v1={_FOURTH},v1={_FOURTH}"), 401),
    "four signatures": (_signed(lambda body: f"t={NOW}{f',v1={_FOURTH}' * 3},v1={_signature(body)}"), 204),
    "five signatures": (_signed(lambda body: f"t={NOW}{f',v1={_FOURTH}' * 4},v1={_signature(body)}"), 401),
    "one good and one broken signature": (_signed(lambda body: f"{header(body)},v1=x"), 401),
    "another version alone": (_signed(lambda body: header(body).replace("v1", "v0")), 401),
    "the application's old key": (_signed(lambda body: header(body, OLD)), 204),
    "the application's new key": (_signed(lambda body: header(body, NEW)), 204),
    "a foreign key": (_signed(lambda body: header(body, FOREIGN)), 401),
    "signed without the time": (
        _signed(lambda body: f"t={NOW},v1={hmac.new(OWN.encode(), body, hashlib.sha256).hexdigest()}"),
        401,
    ),
    "the time changed": (_signed(lambda body: header(body).replace(f"t={NOW}", f"t={NOW + 1}")), 401),
    "serialized again": (Post(json.dumps(MESSAGE, indent=1).encode(), (header(BODY),)), 401),
    "one byte changed": (Post(BODY.replace(b"E/", b"F/"), (header(BODY),)), 401),
    "unsigned and no JSON": (Post(b"{", headers=()), 401),
    "empty": (Post(b""), 400),
    "no JSON": (Post(b"{"), 400),
    "not UTF-8": (Post(b'{"event": "\xff"}'), 400),
    "UTF-16": (Post(BODY.decode().encode("utf-16")), 400),
    "a byte order mark": (Post(_BOM), 400),
    "a list": (Post(b"[]"), 400),
    "a number": (Post(b"7"), 400),
    "a number that JSON has not": (Post(written(payload={"n": float("nan")})), 400),
    "an integer of 5,000 digits": (Post(BODY.replace(b'"name"', b'"n": %s, "name"' % (b"9" * 5000))), 400),
    "two values": (Post(BODY + BODY), 400),
    "nesting of 32": (Post(_nested(32)), 204),
    "nesting of 33": (Post(_DEEP), 400),
    "nesting of thousands": (Post(b"[" * 60_000), 400),
    "no event": (Post(written(event=...)), 400),
    "an event that is a number": (Post(written(event=1)), 400),
    "no time of making": (Post(written(created_at=...)), 400),
    "a time of making that is null": (Post(written(created_at=None)), 400),
    "no maker": (Post(written(created_by=...)), 400),
    "no payload": (Post(written(payload=...)), 400),
    "a payload that is a list": (Post(written(payload=[])), 400),
    "a payload that is null": (Post(written(payload=None)), 400),
    "an empty payload": (Post(written(payload={})), 204),
    "an event of no known name": (Post(written(event="invitee.born")), 204),
    "another person": (Post(written(created_by=PERSON.replace("09", "10"))), 401),
    "a person by uuid alone": (Post(written(created_by=PERSON.rpartition("/")[2])), 401),
    "the person at another origin": (Post(written(created_by=PERSON.replace("api.", "api.eu."))), 204),
}
