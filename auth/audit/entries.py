"""The entries of the audit log, and how personal data is redacted in them. Pure.

A call that writes has two entries of one `request_id`: `begun`, stored before anything is sent, and
`ended`. How entries show that nobody changed them is in `auth.audit.chain`.
"""

import hmac
import json
import re
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from calendly.third_party_text import shown

EntryKind = Literal["begun", "ended", "note", "lost"]
"""A call about to be sent, a finished call, a decision outside of calls, and entries that were lost."""

UNKNOWN: Final = "outcome unknown"

_LONGEST: Final = 200
"""Characters of a name or a text that somebody else chose."""

_HASH_DIGITS: Final = 16
_ADDRESS: Final = re.compile(r"[^\s@\"'“”()<>\[\],;:#?&=/]+(?:@|%40)\w[\w-]*(?:\.[\w-]+)*\.[^\W\d_]{2,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry of the audit log.

    Attributes:
        time: When the call or decision began.
        kind: What it is an entry of.
        request_id: Ours, one for each call or decision; the log names it too.
        person: The URI of the person's Calendly user, hashed unless the operator wants full detail.
        agent: The name of the agent.
        named_by: Who gave that name: the `client`, the `operator`, or the client when it
            `registered`.
        grant: The id of the agent's grant, on the hosted endpoint.
        action: `read`, `write` or `dry_run`, or the decision outside of calls, such as
            `redeem_code`.
        tool: The tool.
        endpoint: Its operation at Calendly.
        organization: Its organization, where that is known.
        resource: The resource that the call names.
        transport: `stdio`, `http` or `command`.
        decision: `allowed`, `refused`, `asked`, `declined` or `tried`.
        rule: The rule that decided.
        source: Whose rule it is.
        confirmed: How the call was confirmed.
        outcome: `answered`, the kind of an error, or `canceled`; None while a call is under way.
        status: The HTTP status that Calendly answered an error with.
        duration: Seconds.
        sentence: What happened, for a person to read.
    """

    time: datetime
    kind: EntryKind
    request_id: str
    person: str | None = None
    agent: str | None = None
    named_by: str | None = None
    grant: str | None = None
    action: str
    tool: str | None = None
    endpoint: str | None = None
    organization: str | None = None
    resource: str | None = None
    transport: str | None = None
    decision: str | None = None
    rule: str | None = None
    source: str | None = None
    confirmed: str | None = None
    outcome: str | None = None
    status: int | None = None
    duration: float | None = None
    sentence: str

    @property
    def told(self) -> str:
        """The sentence. For a call without an end it says that the outcome is unknown."""
        return f"{self.sentence}, {UNKNOWN}" if self.kind == "begun" else self.sentence

    @property
    def ending(self) -> str | None:
        """The outcome, `outcome_unknown` for a call without an end."""
        return "outcome_unknown" if self.kind == "begun" else self.outcome


@dataclass(frozen=True, slots=True)
class Redactor:
    """Redacts personal data in the audit log.

    Attributes:
        key: The key of the hashes.
        full: The operator wants personal data in clear.
    """

    key: bytes = field(repr=False)
    full: bool = False

    def name(self, text: str) -> str:
        """Return the keyed hash of personal data, or the data itself where the operator wants it in clear."""
        return cut(text) if self.full else self.hash(text)

    def hash(self, text: str) -> str:
        """Return the keyed hash of personal data. Case and surrounding spaces do not change it."""
        mac = hmac.digest(self.key, text.strip().casefold().encode(errors="surrogatepass"), "sha256")
        return f"#{mac.hex()[:_HASH_DIGITS]}"


def redacted(entry: AuditEntry, redactor: Redactor) -> AuditEntry:
    """Return an entry whose texts are visible, each on one line, and name no e-mail address that is to be redacted.

    What makes an entry takes care of both; this holds also where something else is written into a name or a text.
    """
    texts: dict[str, Any] = {
        name: text
        for name in _FIELDS
        if isinstance(value := getattr(entry, name), str) and (text := _plain(value, redactor)) != value
    }
    return replace(entry, **texts) if texts else entry


def _plain(text: str, redactor: Redactor) -> str:
    """Return a text on one visible line, with its e-mail addresses redacted."""
    line = shown(text)
    if "@" not in line and "%40" not in line:
        return line
    return _ADDRESS.sub(lambda found: redactor.name(found[0]), line)


def cut(text: str) -> str:
    """Return a text that somebody else wrote, on one line of visible characters and cut to 200."""
    line = shown(text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def write(entry: AuditEntry) -> str:
    """Return an entry as it is stored: JSON with sorted names and without fields that are None."""
    return _ENCODER.encode(facts(entry))


def facts(entry: AuditEntry) -> dict[str, Any]:
    """Return the fields of an entry that are not None, as JSON values."""
    values = {name: getattr(entry, name) for name in _FIELDS}
    applying = {name: value for name, value in values.items() if value is not None}
    return {**applying, "time": entry.time.astimezone(UTC).isoformat(timespec="microseconds")}


def read(text: str) -> AuditEntry:
    """Read what `write` wrote. Raises ValueError for anything else."""
    try:
        values: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in _FIELDS}
        values["time"] = datetime.fromisoformat(values["time"])
        return AuditEntry(**values)
    except (AttributeError, KeyError, TypeError) as fault:
        raise ValueError("this is no entry of the audit log") from fault


_FIELDS: Final = tuple(each.name for each in fields(AuditEntry))
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
