"""The settings. A flag wins over the environment, the environment over the file that `--config` names.

Every setting is one field below: its environment variable, which is also its name in the file, its flag where it has
one, and the commands that take it. Nothing else in the product reads the environment.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from auth.access import LOCAL_LEVELS, Levels, parse_levels
from calendly.booking_limits import Ceiling, parse_ceilings
from calendly.identifiers import CALENDLY_ORIGIN
from server.terminal import UsageError

TOKEN: Final = "CALENDLY_ACCESS_TOKEN"  # noqa: S105 - the name of a setting
TOKEN_FILE: Final = f"{TOKEN}_FILE"
SANDBOX_TOKEN: Final = "sandbox-pat-"  # noqa: S105 - how the sandbox's made-up tokens begin

Command = Literal["stdio", "http", "sandbox", "whoami"]
_Value: TypeAlias = str | int | float | bool | list[str]
_Layer: TypeAlias = dict[str, tuple[str, _Value]]

_SERVING: Final = frozenset({"stdio", "http"})
_CALLING: Final = _SERVING | {"whoami"}
_LISTENING: Final = frozenset({"http", "sandbox"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where a setting comes from.

    Attributes:
        variable: The environment variable, and the name in the file; None where there is only a flag.
        flag: The flag, None where there is none.
        commands: The commands that take the flag.
        help: What `--help` says.
    """

    variable: str | None
    flag: str | None = None
    commands: frozenset[str] = frozenset()
    help: str = ""


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach `host`, a name or an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _token(text: str) -> str:
    # It becomes a header (RFC 6750, 2.1): a line break or a space inside is a slip that Calendly would answer with 401.
    token = text.strip()
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token):
        raise ValueError('this is no token. It is one word, without quotes and without "Bearer".')
    return token


def _origin(text: str) -> str:
    parts = urlsplit(text)
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.hostname is None or "@" in parts.netloc or text.rstrip("/") != origin:
        raise ValueError("must be an address without a path, such as https://api.calendly.com.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("must begin with https://; http:// is for addresses of this machine only.")
    return origin


def split(names: str) -> tuple[str, ...]:
    """Read a list of names that commas separate."""
    return tuple(filter(None, (name.strip() for name in names.split(","))))


def _names(value: object) -> object:
    return split(value) if isinstance(value, str) else value


def _levels(value: object) -> Levels:
    if not isinstance(value, str):
        raise ValueError("must be text of the form capability=level,...")  # noqa: TRY004 - pydantic wants a ValueError
    return {**LOCAL_LEVELS, **parse_levels(value)}


def _ceilings(value: object) -> object:
    return parse_ceilings(value) if isinstance(value, str) else value


def _auth(value: object) -> object:
    if value == "oauth":
        raise ValueError("there is no sign-in in this version; use none, on an address of this machine.")
    return value


_Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
_Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseModel):
    """What a command works with."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False)

    access_token: Annotated[
        str | None,
        AfterValidator(_token),
        Source(TOKEN, help=f"the access token; or {TOKEN_FILE}, a file that holds it"),
    ] = Field(None, repr=False)
    api_url: Annotated[
        str,
        AfterValidator(_origin),
        Source("CALENDLY_API_URL", "--api-url", _CALLING, "where Calendly answers"),
    ] = CALENDLY_ORIGIN
    sandbox: Annotated[
        bool,
        Source(
            "CALENDLY_MCP_SANDBOX", "--sandbox", _SERVING, "use a sandbox inside this process: no account, no token"
        ),
    ] = False
    sandbox_port: Annotated[
        _Port, Source(None, "--sandbox-port", _SERVING, "where that sandbox listens (default: a free port)")
    ] = 0
    host: Annotated[
        str, Source("CALENDLY_MCP_HOST", "--host", _LISTENING, "address to listen on (default 127.0.0.1)")
    ] = "127.0.0.1"
    port: Annotated[
        _Port | None,
        Source(
            "CALENDLY_MCP_PORT",
            "--port",
            _LISTENING,
            "port to listen on; 0 takes a free one (default 8000, sandbox 9000)",
        ),
    ] = None
    toolsets: Annotated[
        _Names | None,
        Source(
            "CALENDLY_MCP_TOOLSETS",
            "--toolsets",
            _SERVING,
            "toolsets or capabilities, by commas (default endpoints)",
        ),
    ] = None
    tools: Annotated[_Names | None, Source("CALENDLY_MCP_TOOLS", "--tools", _SERVING, "single tools, by commas")] = None
    exclude_tools: Annotated[
        _Names,
        Source("CALENDLY_MCP_EXCLUDE_TOOLS", "--exclude-tools", _SERVING, "tools to leave out, whatever else is said"),
    ] = ()
    read_only: Annotated[
        bool, Source("CALENDLY_MCP_READ_ONLY", "--read-only", _SERVING, "neither list nor run tools that write")
    ] = False
    access: Annotated[
        Levels,
        BeforeValidator(_levels),
        Source("CALENDLY_MCP_ACCESS", "--access", _SERVING, "capability=off, read, ask or full, by commas"),
    ] = Field(default_factory=lambda: LOCAL_LEVELS)  # pydantic copies a default, and a mapping proxy cannot be
    rate_limit: Annotated[
        int,
        Field(ge=1, le=100_000),
        Source(
            "CALENDLY_MCP_RATE_LIMIT",
            "--rate-limit",
            _SERVING,
            "calls a minute until Calendly says its limit (default 60)",
        ),
    ] = 60
    booking_limits: Annotated[
        tuple[Ceiling, ...],
        BeforeValidator(_ceilings),
        Source(
            "CALENDLY_MCP_BOOKING_LIMITS",
            "--booking-limits",
            _SERVING,
            "ceilings of bookings (default 10/min,50/h,100/day; none switches them off)",
        ),
    ] = parse_ceilings("10/min,50/h,100/day")
    max_wait: Annotated[
        float,
        Field(ge=0, le=86_400),
        Source("CALENDLY_MCP_MAX_WAIT", "--max-wait", _SERVING, "seconds a call may wait for its turn (default 30)"),
    ] = 30.0
    available_times_days: Annotated[
        int,
        Field(ge=1, le=366),
        Source("CALENDLY_MCP_AVAILABLE_TIMES_DAYS", help="days of one available-times request (default 31)"),
    ] = 31
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Source("CALENDLY_MCP_LOG_LEVEL", help="debug, info (default), warning or error"),
    ] = "info"
    log_format: Annotated[Literal["text", "json"], Source("CALENDLY_MCP_LOG_FORMAT", help="text (default) or json")] = (
        "text"
    )
    auth: Annotated[
        Literal["none"],
        BeforeValidator(_auth),
        Source("CALENDLY_MCP_AUTH", "--auth", frozenset({"http"}), "none: whoever reaches the port may call"),
    ] = "none"
    ignored: tuple[str, ...] = ()
    """The names of the settings that `--sandbox` leaves aside."""


SOURCES: Final[Mapping[str, Source]] = {
    name: part for name, field in Settings.model_fields.items() for part in field.metadata if isinstance(part, Source)
}


def load(
    command: Command,
    flags: Mapping[str, _Value],
    *,
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Put the settings of a command together.

    Args:
        command: What is started.
        flags: The flags that were given, by field name.
        config: The file named by `--config`.
        environ: The environment. A variable that is set but empty counts as not set.

    Raises:
        UsageError: A value is wrong, a name in the file is unknown, a file cannot be read, or the settings do not
            go together.
    """
    merged: _Layer = {}
    for layer in (_file(config), _environment(environ), {name: (_flag(name), value) for name, value in flags.items()}):
        merged |= layer
    settings = _validated(merged)
    if settings.sandbox and command in _SERVING:
        settings = _for_sandbox(settings, merged)
    if command == "http" and not is_loopback(settings.host):
        raise UsageError(
            f"--auth none lets in whoever reaches the port, so it listens on this machine only: {settings.host} is not "
            "an address of it; use --host 127.0.0.1."
        )
    return settings


def _flag(field: str) -> str:
    return SOURCES[field].flag or field


def _variables() -> dict[str, str]:
    return {source.variable: field for field, source in SOURCES.items() if source.variable}


def _environment(environ: Mapping[str, str]) -> _Layer:
    named: dict[str, _Value] = {name: environ[name] for name in (*_variables(), TOKEN_FILE) if environ.get(name)}
    return _layer(named, "")


def _file(config: Path | None) -> _Layer:
    if config is None:
        return {}
    try:
        content: dict[str, Any] = tomllib.loads(_text(config, "--config"))
    except tomllib.TOMLDecodeError as fault:
        raise UsageError(f"--config: {config} is not TOML: {fault}.") from None
    known = (*_variables(), TOKEN_FILE)
    for name in content:
        if name not in known:
            close = get_close_matches(name.upper(), known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise UsageError(f'--config: {config} names "{name[:60]}", which is no setting{hint}')
    return _layer(content, f"{config}: ")


def _layer(named: Mapping[str, Any], place: str) -> _Layer:
    """One source of settings by field name. The two ways to give the token are one setting."""
    if TOKEN in named and TOKEN_FILE in named:
        raise UsageError(f"{place}{TOKEN} and {TOKEN_FILE} are both set; set one of them.")
    fields = _variables()
    layer: _Layer = {fields[name]: (place + name, value) for name, value in named.items() if name in fields}
    if TOKEN_FILE in named:
        label = place + TOKEN_FILE
        layer["access_token"] = (label, _text(Path(str(named[TOKEN_FILE])).expanduser(), label))
    return layer


def _text(path: Path, label: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not text"
        raise UsageError(f"{label}: {path} cannot be read: {reason}.") from None


def _validated(merged: _Layer) -> Settings:
    values = {
        field: ",".join(map(str, value)) if isinstance(value, list) else value for field, (_, value) in merged.items()
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        label, _ = merged[str(fault["loc"][0])]
        raise UsageError(f"{label}: {_sentence(fault)}") from None


def _sentence(fault: ErrorDetails) -> str:
    if fault["type"] == "value_error":
        return str(fault.get("ctx", {}).get("error", fault["msg"]))
    return fault["msg"].replace("Input should", "must").rstrip(".") + "."


def _for_sandbox(settings: Settings, merged: _Layer) -> Settings:
    """Leave aside what would lead out of the sandbox."""
    aside = {"api_url": CALENDLY_ORIGIN} if "api_url" in merged else {}
    token = settings.access_token
    if token is None or not token.startswith(SANDBOX_TOKEN):
        aside["access_token"] = f"{SANDBOX_TOKEN}owner"
    ignored = tuple(merged[field][0] for field in aside if field in merged)
    return settings.model_copy(update={**aside, "ignored": ignored})
