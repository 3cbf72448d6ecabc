"""What `calendly-mcp doctor` makes of what it saw: findings, each in words that say what to do. Pure functions."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, Literal

from calendly.errors import CalendlyError, InsufficientScope, PermissionDenied, Refusal, Unauthenticated
from calendly.pacing.rate_headers import Report
from calendly.scopes import includes
from server.calls.clock import complaint, seconds_ahead
from server.configuration.terminal import PROGRAM
from tools import ENDPOINTS

State = Literal["ok", "note", "fix"]

# Calls a minute by plan (developer.calendly.com, "API rate limits"); no endpoint tells the plan itself.
_PLANS: Final[Mapping[int, str]] = {
    50: "Free, by its limit: what takes a paid plan is refused, and the answer says so",
    500: "a paid one, by its limit; whether it is Enterprise, which delete_invitee_data takes, is not known before use",
}
_WHERE: Final = "in Calendly under Integrations & apps > API and webhooks"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        about: What it is, in a word.
        state: `ok`; `note` for what may be meant so; `fix` for what keeps the server from working.
        text: What was seen and, unless it is in order, what to do.
    """

    about: str
    state: State
    text: str


def connection(api_url: str, status: int | None, failure: str = "") -> Finding:
    """Judge whether Calendly can be reached.

    Args:
        api_url: Where it was asked, without a token.
        status: What was answered, None for nothing.
        failure: Why there was no answer.
    """
    if status == HTTPStatus.UNAUTHORIZED:
        return Finding("network", "ok", f"{api_url} answers")
    if "CERTIFICATE" in failure.upper():
        seen, remedy = failure, "see whether this machine's clock is right, and whether a proxy stands between"
    elif status is None:
        seen, remedy = f"it cannot be reached: {failure}", "see to the network, and to the proxy if there is one"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        seen, remedy = f"it answers {status}", "try again later; if it stays so, look at Calendly's status page"
    else:
        seen = f"something answers {status}, as Calendly does not"
        remedy = "see whether this network wants a sign-in of its own, or a proxy stands between"
    return Finding("network", "fix", f"{api_url}: {seen}. {remedy[0].upper()}{remedy[1:]}")


def clock(date: str | None, now: datetime) -> Finding:
    """Compare the machine's clock with the Date of an answer."""
    seconds = seconds_ahead(date, now)
    if seconds is None:
        return Finding("clock", "note", "the answer has no date to compare this machine's clock with")
    off = complaint(seconds)
    return (
        Finding("clock", "fix", off) if off else Finding("clock", "ok", "this machine's clock agrees with Calendly's")
    )


def token(kind: str, person: str | None, refused: CalendlyError | None) -> Finding:
    """Judge the token by what `GET /users/me` came to.

    Args:
        kind: What is used: a token or a sign-in.
        person: Who it belongs to, where that is known.
        refused: Why it was not told.
    """
    if isinstance(refused, Unauthenticated):
        remedy = (
            f"run `{PROGRAM} login` again"
            if kind == SIGN_IN
            else f"make a new one {_WHERE}, or sign in with `{PROGRAM} login`"
        )
        return Finding(
            "token",
            "fix",
            f"Calendly does not take the {kind} (any more): {refused.reason.rstrip('.')}. It ends one when the login "
            f"e-mail, the password or the login method changes. {remedy[0].upper()}{remedy[1:]}",
        )
    if refused is not None and not isinstance(refused, InsufficientScope):
        return Finding("token", "fix", f"it is not known whether the {kind} works: {refused.reason}")
    return Finding("token", "ok", f"the {kind} works" + (f"; it is that of {person}" if person else ""))


SIGN_IN: Final = "sign-in"
TOKEN: Final = "token"  # noqa: S105 - the word


def scopes(seen: Mapping[str, CalendlyError | None], unseen: Collection[str]) -> list[Finding]:
    """Judge the reads, one for each scope.

    Args:
        seen: By scope, what its read was refused with; None where it was answered.
        unseen: Scopes whose reads could not be tried.
    """
    good = [scope for scope, refused in seen.items() if refused is None]
    lacking = [scope for scope, refused in seen.items() if isinstance(refused, InsufficientScope)]
    findings = [Finding("reads", "ok", f"granted: {' '.join(good)}")] if good else []
    if lacking and not good:
        findings.append(
            Finding("reads", "fix", f"the token has no scope that reads anything: grant it {_grant(lacking)}")
        )
    elif lacking:
        findings.append(
            Finding("reads", "note", f"missing: {_missing(lacking)}. To have them, grant {_grant(lacking)}")
        )
    for scope, refused in seen.items():
        if isinstance(refused, PermissionDenied):
            findings.append(Finding("reads", "note", f"{scope}: not for this person's role or plan: {_said(refused)}"))
        elif refused is not None and scope not in lacking:
            findings.append(Finding("reads", "note", f"{scope}: not known: {refused.reason}"))
    if unseen:
        findings.append(
            Finding("reads", "note", f"not known without users:read, which says whose they are: {' '.join(unseen)}")
        )
    return findings


def _said(refused: Refusal) -> str:
    return refused.message or refused.reason


def _grant(lacking: Iterable[str]) -> str:
    return f"{' '.join(lacking)} {_WHERE}, or make a token that has them"


def _missing(lacking: Iterable[str]) -> str:
    return "; ".join(
        f"{scope} ({', '.join(tool.name for tool in ENDPOINTS if tool.scope == scope)})" for scope in lacking
    )


def writes(granted: Collection[str] | None) -> Finding:
    """Say of what writes whether it is granted; it is never tried."""
    wanted = sorted({tool.scope for tool in ENDPOINTS if tool.access == "write"})
    if granted is None:
        return Finding("writes", "note", f"unknown until used, since trying would change something: {' '.join(wanted)}")
    good = [scope for scope in wanted if includes(granted, [scope])]
    lacking = [scope for scope in wanted if scope not in good]
    text = f"granted: {' '.join(good) or 'none'}" + (f"; not granted: {' '.join(lacking)}" if lacking else "")
    return Finding("writes", "note" if lacking else "ok", text)


def limits(report: Report) -> list[Finding]:
    """Say what the headers of an answer tell about limits and, by them, about the plan."""
    if report.limit is None:
        return [Finding("limits", "note", "the answer tells no limit of calls; the server begins with 60 a minute")]
    left = "" if report.remaining is None else f", {report.remaining} left in this one"
    plan = _PLANS.get(report.limit, f"not known; {report.limit} calls a minute are no published plan's")
    return [
        Finding("limits", "ok", f"{report.limit} calls a minute{left}; the server keeps within them"),
        Finding("plan", "ok", plan),
    ]
