"""The settings. A flag wins over the environment, the environment over the file that `--config` names.

Every setting is one field below: its environment variable, which is also its name in the file, its flag where it has
one, and the commands that take it. Nothing else in the product reads the environment.
"""

import os
import sys
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from auth.access.levels import LOCAL, UNLIMITED, Access, Allowance
from calendly.booking_limits import Ceiling, parse_ceilings
from calendly.identifiers import CALENDLY_ORIGIN
from calendly.ranges import AVAILABLE_TIMES_DAYS
from calendly.scopes import GUIDE_SCOPES
from server.configuration.layers import Layer, Names, Value, read_environment, read_file, validated
from server.configuration.sources import (
    CALLING,
    HTTP,
    KEEPING,
    LISTENING,
    OPERATING,
    PICKING,
    SERVING,
    STORING,
    TRYING,
    Command,
    Source,
)
from server.configuration.terminal import CommandError, UsageError
from server.configuration.values import (
    MEMORY,
    data_folder,
    is_loopback,
    read_access,
    read_ceilings,
    read_database_url,
    read_keys,
    read_names,
    read_networks,
    read_origin,
    read_origins,
    read_owners,
    read_redirect_schemes,
    read_scopes,
    read_token,
    read_word,
)

TOKEN: Final = "CALENDLY_ACCESS_TOKEN"  # noqa: S105 - the name of a setting
TOKEN_FILE: Final = f"{TOKEN}_FILE"
SANDBOX_TOKEN: Final = "sandbox-pat-"  # noqa: S105 - how the sandbox's made-up tokens begin


_Names = Annotated[tuple[str, ...], BeforeValidator(read_names)]
_Origin = Annotated[str, AfterValidator(read_origin)]
_Secret = Annotated[str, AfterValidator(read_word)]
_Name = Annotated[str, Field(min_length=1, max_length=80)]
_Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseModel):
    """What a command works with."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False)

    access_token: Annotated[
        str | None,
        AfterValidator(read_token),
        Source(TOKEN, help=f"the access token; or {TOKEN_FILE}, a file that holds it", secret=True),
    ] = Field(None, repr=False)
    api_url: Annotated[
        str,
        AfterValidator(read_origin),
        Source("CALENDLY_API_URL", "--api-url", CALLING, "where Calendly answers"),
    ] = CALENDLY_ORIGIN
    sandbox: Annotated[
        bool,
        Source("CALENDLY_MCP_SANDBOX", "--sandbox", TRYING, "use a sandbox inside this process: no account, no token"),
    ] = False
    sandbox_port: Annotated[
        _Port, Source(None, "--sandbox-port", TRYING, "where that sandbox listens (default: a free port)")
    ] = 0
    host: Annotated[
        str, Source("CALENDLY_MCP_HOST", "--host", LISTENING, "address to listen on (default 127.0.0.1)")
    ] = "127.0.0.1"
    port: Annotated[
        _Port | None,
        Source(
            "CALENDLY_MCP_PORT",
            "--port",
            LISTENING,
            "port to listen on; 0 takes a free one (default 8000, sandbox 9000)",
        ),
    ] = None
    toolsets: Annotated[
        _Names | None,
        Source(
            "CALENDLY_MCP_TOOLSETS",
            "--toolsets",
            PICKING,
            "toolsets or capabilities, by commas (default endpoints,workflows)",
        ),
    ] = None
    tools: Annotated[_Names | None, Source("CALENDLY_MCP_TOOLS", "--tools", PICKING, "single tools, by commas")] = None
    exclude_tools: Annotated[
        _Names,
        Source("CALENDLY_MCP_EXCLUDE_TOOLS", "--exclude-tools", PICKING, "tools to leave out, whatever else is said"),
    ] = ()
    read_only: Annotated[
        bool, Source("CALENDLY_MCP_READ_ONLY", "--read-only", PICKING, "neither list nor run tools that write")
    ] = False
    access: Annotated[
        Access,
        BeforeValidator(read_access),
        Source("CALENDLY_MCP_ACCESS", "--access", PICKING, "capability=off, read, ask or full, by commas"),
    ] = Field(default_factory=dict[str, Allowance])
    rate_limit: Annotated[
        int,
        Field(ge=1, le=100_000),
        Source(
            "CALENDLY_MCP_RATE_LIMIT",
            "--rate-limit",
            SERVING,
            "calls a minute until Calendly says its limit (default 60)",
        ),
    ] = 60
    booking_limits: Annotated[
        tuple[Ceiling, ...],
        BeforeValidator(read_ceilings),
        Source(
            "CALENDLY_MCP_BOOKING_LIMITS",
            "--booking-limits",
            SERVING,
            "ceilings of bookings (default 10/min,50/h,100/day; none switches them off)",
        ),
    ] = parse_ceilings("10/min,50/h,100/day")
    max_wait: Annotated[
        float,
        Field(ge=0, le=86_400),
        Source("CALENDLY_MCP_MAX_WAIT", "--max-wait", SERVING, "seconds a call may wait for its turn (default 30)"),
    ] = 30.0
    available_times_days: Annotated[
        int,
        Field(ge=1, le=366),
        Source("CALENDLY_MCP_AVAILABLE_TIMES_DAYS", help="days of one available-times request (default 31)"),
    ] = AVAILABLE_TIMES_DAYS
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Source("CALENDLY_MCP_LOG_LEVEL", help="debug, info (default), warning or error"),
    ] = "info"
    log_format: Annotated[Literal["text", "json"], Source("CALENDLY_MCP_LOG_FORMAT", help="text (default) or json")] = (
        "text"
    )
    auth: Annotated[
        Literal["oauth", "none"],
        Source(
            "CALENDLY_MCP_AUTH",
            "--auth",
            HTTP,
            "oauth: agents sign in (default); none: whoever reaches the port may call",
        ),
    ] = "oauth"
    client_id: Annotated[
        str | None,
        AfterValidator(read_word),
        Source("CALENDLY_CLIENT_ID", help="the Calendly OAuth application (default: one is registered)"),
    ] = None
    client_secret: Annotated[
        _Secret | None,
        Source(
            "CALENDLY_CLIENT_SECRET",
            help="its secret, if it has one; or CALENDLY_CLIENT_SECRET_FILE",
            secret=True,
        ),
    ] = Field(None, repr=False)
    scopes: Annotated[
        frozenset[str],
        BeforeValidator(read_scopes),
        Source("CALENDLY_SCOPES", help="what that application may ask for (default: what the 28 endpoints need)"),
    ] = GUIDE_SCOPES
    issuer: Annotated[
        _Origin, Source("CALENDLY_ISSUER", help="where an application is registered (default https://calendly.com)")
    ] = "https://calendly.com"
    auth_url: Annotated[
        _Origin,
        Source("CALENDLY_AUTH_URL", "--auth-url", HTTP | {"login"}, "where people sign in with that application"),
    ] = "https://auth.calendly.com"
    public_url: Annotated[
        _Origin | None,
        Source(
            "CALENDLY_MCP_PUBLIC_URL",
            "--public-url",
            OPERATING | {"access"},
            "the address that clients use, without a path (default: the one listened on)",
        ),
    ] = None
    database_url: Annotated[
        str | None,
        AfterValidator(read_database_url),
        Source(
            "CALENDLY_MCP_DATABASE_URL",
            "--database-url",
            STORING,
            "sqlite:///PATH, postgresql://… or sqlite:// (default: in the user's data folder)",
        ),
    ] = Field(None, repr=False)
    secret_keys: Annotated[
        str | None,
        AfterValidator(read_keys),
        Source(
            "CALENDLY_MCP_SECRET_KEYS",
            help="key ring id:base64,… or …_FILE (default: a file beside the SQLite database)",
            secret=True,
        ),
    ] = Field(None, repr=False)
    redirect_schemes: Annotated[
        _Names | None,
        AfterValidator(read_redirect_schemes),
        Source(
            "CALENDLY_MCP_REDIRECT_SCHEMES", help="schemes that apps may be sent back to, such as cursor, by commas"
        ),
    ] = None
    allowed_origins: Annotated[
        _Names,
        AfterValidator(read_origins),
        Source(
            "CALENDLY_MCP_ALLOWED_ORIGINS",
            "--allowed-origins",
            HTTP,
            "web pages that may call the server besides its own, by commas",
        ),
    ] = ()
    owners: Annotated[
        frozenset[str],
        BeforeValidator(read_owners),
        Source(
            "CALENDLY_MCP_OWNERS",
            help="who sees everybody at /connections/all: e-mail addresses or user URIs, by commas",
        ),
    ] = frozenset()
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        BeforeValidator(read_networks),
        Source(
            "CALENDLY_MCP_TRUSTED_PROXIES",
            "--trusted-proxies",
            HTTP,
            "addresses or networks whose X-Forwarded-For counts, by commas",
        ),
    ] = ()
    agent_name: Annotated[
        _Name | None,
        Source(
            "CALENDLY_MCP_AGENT_NAME",
            "--agent-name",
            SERVING,
            "the agent's name in the audit log (default: what it says of itself)",
        ),
    ] = None
    audit_days: Annotated[
        int,
        Field(ge=1, le=36_500),
        Source("CALENDLY_MCP_AUDIT_DAYS", help="days for which the audit log is kept (default 400)"),
    ] = 400
    audit_detail: Annotated[
        Literal["hashed", "full"],
        Source("CALENDLY_MCP_AUDIT_DETAIL", help="personal data in the audit log: hashed (default) or full"),
    ] = "hashed"
    redirect_port: Annotated[
        _Port,
        Source(
            None,
            "--redirect-port",
            frozenset({"login"}),
            "port of http://localhost:PORT/callback, as the application has it (default 8765)",
        ),
    ] = 8765
    data_folder: Path = Path()
    """Where data of the user is kept; `~` stands for their home."""
    ignored: tuple[str, ...] = ()
    """The names of the settings that `--sandbox` leaves aside."""

    @property
    def local_ceiling(self) -> Access:
        """What the operator allows where there is one person, who is the operator."""
        return {**LOCAL, **self.access}

    @property
    def hosted_ceiling(self) -> Access:
        """What the operator of a hosted endpoint allows; what is not named is for each person to decide."""
        return {**UNLIMITED, **self.access}


SOURCES: Final[Mapping[str, Source]] = {
    name: part for name, field in Settings.model_fields.items() for part in field.metadata if isinstance(part, Source)
}

_NAMES: Final = Names(
    fields={source.variable: field for field, source in SOURCES.items() if source.variable},
    files={f"{source.variable}_FILE": field for field, source in SOURCES.items() if source.variable and source.secret},
)


def load(
    command: Command,
    flags: Mapping[str, Value],
    *,
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Put the settings of a command together.

    Args:
        command: What is started.
        flags: The flags that were given, by field name.
        config: The file named by `--config`.
        environ: The environment. A variable that is empty, or a placeholder left unfilled, counts as not set.

    Raises:
        UsageError: A value is wrong, a name in the file is unknown, a file cannot be read, or the settings do not
            go together.
    """
    from_flags = {name: (SOURCES[name].flag or name, value) for name, value in flags.items()}
    merged = {**read_file(config, _NAMES), **read_environment(environ, _NAMES), **from_flags}
    settings = validated(Settings, merged).model_copy(update={"data_folder": data_folder(environ, sys.platform)})
    if settings.sandbox and command in TRYING:
        settings = _for_sandbox(settings, merged)
    elif settings.database_url == MEMORY and not _may_forget(command, settings):
        raise UsageError(
            f"{merged['database_url'][0]}: {MEMORY} is memory, and what people allowed has to outlive the process; "
            "use sqlite:///PATH or postgresql://…."
        )
    if command in STORING and settings.secret_keys is None and (settings.database_url or "").startswith("postgresql:"):
        raise UsageError(
            "CALENDLY_MCP_SECRET_KEYS is not set; with PostgreSQL it has to be: id:base64, where "
            "`openssl rand -base64 32` makes the second part."
        )
    if command == "http":
        _check_reach(settings, merged)
    if command == "stdio" or (command == "http" and settings.auth == "none"):
        _check_confirmations(settings, merged)
    return settings


def _may_forget(command: Command, settings: Settings) -> bool:
    """Say whether a command does without a database that outlives it: no other person has allowed anything there."""
    return command not in KEEPING or (command == "http" and settings.auth == "none")


def _for_sandbox(settings: Settings, merged: Layer) -> Settings:
    """Leave aside what would lead out of the sandbox."""
    outside = ("api_url", "auth_url", "client_id", "client_secret", "issuer", "database_url")
    aside: dict[str, object] = {field: Settings.model_fields[field].default for field in outside if field in merged}
    if not (settings.access_token or "").startswith(SANDBOX_TOKEN):
        aside["access_token"] = f"{SANDBOX_TOKEN}owner"
    ignored = tuple(merged[field][0] for field in aside if field in merged)
    return settings.model_copy(update={**aside, "ignored": ignored})


def _check_confirmations(settings: Settings, merged: Layer) -> None:
    """Refuse to wait for answers on a page that there is not."""
    names = [name for name, allowance in settings.access.items() if allowance.in_browser]
    if names:
        raise UsageError(
            f"{merged['access'][0]}: {names[0]} cannot have confirm=browser here: the page for it belongs to the "
            "hosted endpoint, where people sign in."
        )


def _check_reach(settings: Settings, merged: Layer) -> None:
    """Refuse an endpoint that would let in the wrong people, or that nobody could sign in to."""
    here = is_loopback(settings.host)
    if settings.auth == "none" and not here:
        raise UsageError(
            f"--auth none lets in whoever reaches the port, so it listens on this machine only: {settings.host} is not "
            "an address of it; use --host 127.0.0.1."
        )
    if settings.auth == "oauth" and "access_token" in merged and merged["access_token"][0] not in settings.ignored:
        raise UsageError(
            f"{merged['access_token'][0]} is set, but with --auth oauth every person signs in, and nobody uses the "
            "token of another; unset it, or use --auth none on this machine."
        )
    if settings.auth == "oauth" and not here and settings.public_url is None:
        raise UsageError(
            f"{settings.host} can be reached from elsewhere, so the address that clients use has to be set: "
            "--public-url https://… (CALENDLY_MCP_PUBLIC_URL)."
        )


def home_folder(settings: Settings) -> Path:
    """Return the folder of the user's data. Raises CommandError when nobody knows where that is."""
    try:
        return settings.data_folder.expanduser()
    except RuntimeError:
        raise CommandError("this user has no home folder; set XDG_DATA_HOME to a folder for data.") from None
