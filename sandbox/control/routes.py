"""The controls under /_sandbox/, by which tests change the sandbox. They answer this machine only."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.control.invitee_pages import PAGE_CONTROLS
from sandbox.control.webhooks import WEBHOOK_CONTROLS, list_deliveries
from sandbox.errors import ApiError
from sandbox.records.as_json import stamp
from sandbox.requests.fields import InputFields, read_object
from sandbox.requests.loopback import is_loopback
from sandbox.state.faults import Fault
from sandbox.state.sandbox import Sandbox

Control = Callable[[Sandbox, InputFields], object]

LONGEST_DELAY: Final = 3600


def control_routes(sandbox: Sandbox) -> list[Route]:
    """Return the routes of all controls."""
    reading = {"requests": _requests, "outbox": _outbox, "deliveries": list_deliveries}
    settings = {"reset": _reset, "clock": _clock, "faults": _faults, "limits": _limits}
    acting = {**settings, **PAGE_CONTROLS, **WEBHOOK_CONTROLS}
    return [
        Route(f"/_sandbox/{name}", _guarded(sandbox, control), methods=[method])
        for method, controls in (("GET", reading), ("POST", acting))
        for name, control in controls.items()
    ]


def _guarded(sandbox: Sandbox, control: Control) -> Callable[[Request], object]:
    async def answer(request: Request) -> Response:
        try:
            _require_this_machine(request)
            return JSONResponse(control(sandbox, _read_fields(await request.body())))
        except ApiError as error:
            return error.response()

    return answer


def _require_this_machine(request: Request) -> None:
    """Refuse other machines, other host names (DNS rebinding), and web pages of other origins.

    Raises:
        ApiError: 403.
    """
    peer = "" if request.client is None else request.client.host
    origin = request.headers.get("Origin")
    names = [peer, _host_of(f"//{request.headers.get('Host', '')}"), *([] if origin is None else [_host_of(origin)])]
    if not all(is_loopback(name) for name in names):
        raise ApiError(403, "Forbidden", "The controls answer to this machine only, under a loopback name.")


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _read_fields(text: bytes) -> InputFields:
    body = read_object(text or b"{}")
    if body is None:
        raise ApiError(400, "Invalid Argument", "A control takes a JSON object.")
    return InputFields(body)


def _requests(sandbox: Sandbox, _fields: InputFields) -> object:
    """List the requests received, oldest first. They are redacted."""
    return [{**asdict(call), "time": stamp(call.time)} for call in sandbox.received]


def _outbox(sandbox: Sandbox, _fields: InputFields) -> object:
    """List the mails that Calendly would have sent, oldest first."""
    return [{**asdict(mail), "sent_at": stamp(mail.sent_at)} for mail in sandbox.outbox.mails]


def _reset(sandbox: Sandbox, _fields: InputFields) -> object:
    sandbox.reset()
    return {"now": stamp(sandbox.clock.now())}


def _clock(sandbox: Sandbox, fields: InputFields) -> object:
    """Set the time: {"now": ISO 8601}."""
    moment = fields.required_time("now")
    fields.check()
    sandbox.clock.move_to(moment)
    return {"now": stamp(sandbox.clock.now())}


def _limits(sandbox: Sandbox, fields: InputFields) -> object:
    """Set the limits sent: {"per_minute": number or null, "retry_after": bool, "available_times_days": number}.

    With `"available_times_quietly": true` a longer range is cut to so many days without an error, as on
    some accounts.
    """
    per_minute = fields.whole_number("per_minute", least=1, most=1_000_000)
    retry_after = fields.boolean("retry_after")
    days = fields.whole_number("available_times_days", least=1, most=366)
    quietly = fields.boolean("available_times_quietly")
    fields.check()
    limits = sandbox.limits
    if fields.named("per_minute"):
        limits.per_minute = per_minute
    if fields.named("retry_after"):
        limits.retry_after = retry_after
    if fields.named("available_times_quietly"):
        limits.available_times_quietly = quietly
    limits.available_times_days = days or limits.available_times_days
    return asdict(limits)


def _faults(sandbox: Sandbox, fields: InputFields) -> object:
    """Add a fault, or set how long lists lack new bookings: {"read_lag": seconds}.

    A fault is {"method", "path", "status" or "drop" or "delay", "times", "body", "headers", "after"}.
    `path` is exact, with * for any one segment; without method or path any request matches. `times`
    defaults to 1. `"drop": true` closes the connection before the request acts, `"drop": "after"`
    afterwards; `"after": true` means the same for a status.
    """
    read_lag = fields.number("read_lag", least=0, most=86400)
    asked = any(fields.raw(name) not in (None, False) for name in ("status", "drop", "delay"))
    if not asked and read_lag is None:
        fields.refuse("status", "a fault needs status, drop or delay; the other thing to set here is read_lag")
    fault = _read_fault(fields)
    fields.check()
    if asked:
        sandbox.faults.add(fault)
    if read_lag is not None:
        sandbox.read_lag = timedelta(seconds=read_lag)
    return {"read_lag": sandbox.read_lag.total_seconds()}


def _read_fault(fields: InputFields) -> Fault:
    drop = fields.raw("drop")
    if drop not in (None, False, True, "before", "after"):  # a tuple, as the value may be a list, which has no hash
        fields.refuse("drop", 'must be true, "before" or "after"')
    headers = fields.within("headers")
    after = fields.boolean("after") or drop == "after"
    return Fault(
        method=fields.text("method").upper() or None,
        path=fields.text("path") or None,
        status=fields.whole_number("status", least=200, most=599),
        drop=bool(drop),
        moment="after" if after else "before",
        delay=fields.number("delay", least=0, most=LONGEST_DELAY) or 0,
        times=fields.whole_number("times", least=1, most=1_000_000) or 1,
        body=fields.raw("body"),
        headers={} if headers is None else {name: headers.text(name) for name in headers.names()},
    )
