"""The findings of `calendly-mcp doctor`: pure functions from what Calendly answered to what a person should do."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, Literal

from calendly.errors import CalendlyError, CalendlyRefusal, InsufficientScope, PermissionDenied, Unauthenticated
from calendly.pacing.rate_headers import RateHeaders
from calendly.scopes import includes
from server.calls.clock import complaint, seconds_ahead
from server.configuration.terminal import PROGRAM
from tools import GUIDE_TOOLS, WORKFLOWS

State = Literal["ok", "note", "fix"]

# Calls a minute by plan (developer.calendly.com, "API rate limits"); no endpoint tells the plan
# itself.
_PLANS: Final[Mapping[int, str]] = {
    50: "Free, going by its limit: calls that need a paid plan are refused, and the answer says so",
    500: "paid, going by its limit; whether it is Enterprise, as delete_invitee_data needs, shows only when used",
}
_WHERE: Final = "in Calendly under Integrations & apps > API and webhooks"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        about: What was checked, in a word.
        state: `ok`; `note` for what may be intended; `fix` for what keeps the server from working.
        text: What was found and, unless it is ok, what to do.
    """

    about: str
    state: State
    text: str


def connection(api_url: str, status: int | None, failure: str = "", proxy: str = "") -> Finding:
    """Judge whether Calendly can be reached.

    Args:
        api_url: The address of Calendly's API, which was asked without a token.
        status: The status of the answer; None if there was none.
        failure: Why there was no answer.
        proxy: The sentence that names the proxy on the way, empty without one.
    """
    if status == HTTPStatus.UNAUTHORIZED:
        return Finding("network", "ok", f"{api_url} answers")
    if "CERTIFICATE" in failure.upper():
        seen = f"its certificate is not trusted here: {failure}"
        remedy = (
            "check this machine's clock; where a proxy opens connections, SSL_CERT_FILE names the file of its "
            "certificate"
        )
    elif status is None:
        seen, remedy = f"it cannot be reached: {failure}", "check the network, and the proxy if there is one"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        seen, remedy = f"it answers {status}", "try again later; if it stays so, look at Calendly's status page"
    else:
        seen = f"something answers {status}, as Calendly does not"
        remedy = "check whether this network wants a sign-in of its own, or a proxy stands between"
    return Finding(
        "network", "fix", f"{api_url}: {seen}. {remedy[0].upper()}{remedy[1:]}{f'.{proxy}' if proxy else ''}"
    )


def proxies(public_url: str | None, *, trusted: bool) -> list[Finding]:
    """Say what a hosted server behind a proxy needs.

    Args:
        public_url: The address that clients use.
        trusted: Whether proxies are named whose forwarded addresses count.
    """
    if trusted or public_url is None or not public_url.startswith("https:"):
        return []
    told = (
        f"clients use {public_url}, so a proxy ends TLS, and --trusted-proxies (CALENDLY_MCP_TRUSTED_PROXIES) names "
        "none: everybody behind it shares one rate limit and one number of connections. Name its address there"
    )
    return [Finding("proxy", "note", told)]


def clock(date: str | None, now: datetime) -> Finding:
    """Judge the machine's clock by the Date header of an answer."""
    seconds = seconds_ahead(date, now)
    if seconds is None:
        return Finding("clock", "note", "the answer has no date, so this machine's clock cannot be compared")
    off = complaint(seconds)
    return (
        Finding("clock", "fix", off) if off else Finding("clock", "ok", "this machine's clock agrees with Calendly's")
    )


def token(kind: str, person: str | None, refused: CalendlyError | None) -> Finding:
    """Judge the token by the answer to `GET /users/me`.

    Args:
        kind: What is used: `TOKEN` or `SIGN_IN`.
        person: Its person, if known.
        refused: The error, if there was one.
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
            f"Calendly does not accept the {kind} (any more): {refused.reason.rstrip('.')}. It ends one when the login "
            f"e-mail, the password or the login method changes. {remedy[0].upper()}{remedy[1:]}",
        )
    if refused is not None and not isinstance(refused, InsufficientScope):
        return Finding("token", "fix", f"it is not known whether the {kind} works: {refused.reason}")
    return Finding("token", "ok", f"the {kind} works" + (f"; it belongs to {person}" if person else ""))


SIGN_IN: Final = "sign-in"
TOKEN: Final = "token"  # noqa: S105 - the word


def scopes(seen: Mapping[str, CalendlyError | None], unseen: Collection[str]) -> list[Finding]:
    """Judge the read scopes by one read each.

    Args:
        seen: The error of each scope's read; None if it was answered.
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
            findings.append(Finding("reads", "note", f"{scope}: unknown: {refused.reason}"))
    if unseen:
        findings.append(
            Finding(
                "reads",
                "note",
                f"unknown, since these reads need a user, and users:read is missing: {' '.join(unseen)}",
            )
        )
    return findings


def _said(refused: CalendlyRefusal) -> str:
    return refused.message or refused.reason


def _grant(lacking: Iterable[str]) -> str:
    return f"{' '.join(lacking)} {_WHERE}, or make a token that has them"


def _missing(lacking: Iterable[str]) -> str:
    return "; ".join(
        f"{scope} ({', '.join(tool.name for tool in GUIDE_TOOLS if tool.scope == scope)})" for scope in lacking
    )


def writes(granted: Collection[str] | None) -> Finding:
    """Judge the write scopes of the tools that are on by default, by what was granted: none is tried."""
    needed = (scope for tool in (*GUIDE_TOOLS, *WORKFLOWS) for scope in tool.scopes)
    wanted = sorted({scope for scope in needed if scope.endswith(":write")})
    if granted is None:
        return Finding("writes", "note", f"unknown until used, since trying would change something: {' '.join(wanted)}")
    good = [scope for scope in wanted if includes(granted, [scope])]
    lacking = [scope for scope in wanted if scope not in good]
    text = f"granted: {' '.join(good) or 'none'}" + (f"; not granted: {' '.join(lacking)}" if lacking else "")
    return Finding("writes", "note" if lacking else "ok", text)


def limits(report: RateHeaders) -> list[Finding]:
    """Read the rate limit, and by it the plan, from the headers of an answer."""
    if report.limit is None:
        return [
            Finding(
                "limits",
                "note",
                "the answer shows no rate limit; the server begins with that of --rate-limit",
            )
        ]
    left = "" if report.remaining is None else f", {report.remaining} left in this one"
    plan = _PLANS.get(report.limit, f"unknown; no published plan has {report.limit} calls a minute")
    return [
        Finding("limits", "ok", f"{report.limit} calls a minute{left}; the server keeps within them"),
        Finding("plan", "ok", plan),
    ]
