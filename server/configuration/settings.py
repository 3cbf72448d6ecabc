"""The settings, each told once: its type, its default, its variable, its flag and the commands that take the flag.

A setting is one field of `Settings`. `server.configuration.loading` reads them; nothing else in the
product reads the environment for a setting.
"""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

from auth.access.levels import LOCAL, UNLIMITED, Access, Allowance
from calendly.identifiers import CALENDLY_ORIGIN
from calendly.pacing.booking_limits import PAID_PLANS, Ceiling, parse_ceilings
from calendly.ranges import AVAILABLE_TIMES_DAYS
from calendly.scopes import GUIDE_SCOPES, SCOPES
from server.configuration.layers import Setting
from server.configuration.values import (
    read_access,
    read_callback_hosts,
    read_ceilings,
    read_choice,
    read_contact,
    read_database_url,
    read_keys,
    read_names,
    read_networks,
    read_operator,
    read_origin,
    read_owners,
    read_public_url,
    read_redirect_schemes,
    read_scopes,
    read_token,
    read_web_origins,
    read_webhook_keys,
    read_word,
)

TOKEN: Final = "CALENDLY_ACCESS_TOKEN"  # noqa: S105 - the name of a setting
TOKEN_FILE: Final = f"{TOKEN}_FILE"
SANDBOX_TOKEN: Final = "sandbox-pat-"  # noqa: S105 - the prefix of the sandbox's made-up tokens
HTTP_PORT: Final = 8000
SANDBOX_PORT: Final = 9000
DEFAULT_TOOLSETS: Final = ("endpoints", "workflows", "events")

# Which commands take a flag.
INSTALLING: Final = frozenset({"install"})
SERVING: Final = frozenset({"stdio", "http"}) | INSTALLING
PICKING: Final = SERVING | {"access", "login"}
TRYING: Final = SERVING | {"doctor"}
CALLING: Final = SERVING | {"login", "logout", "whoami", "doctor", "events"}
LISTENING: Final = frozenset({"http", "sandbox"})
HTTP: Final = frozenset({"http"})
LOGIN: Final = frozenset({"login"})
OPERATING: Final = HTTP | {"token", "events"}
KEEPING: Final = OPERATING | {"keys", "audit"}
STORING: Final = KEEPING | {"stdio", "access", "doctor"}

_NameList = Annotated[tuple[str, ...], BeforeValidator(read_names)]
_Origin = Annotated[str, AfterValidator(read_origin)]
_Word = Annotated[str, AfterValidator(read_word)]
_Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseModel):
    """The settings of one command.

    Attributes:
        data_folder: The folder of the user's data; `~` stands for their home.
        ignored: The names of the settings that `--sandbox` leaves aside.
        exposed: The files of secrets that others on this machine can read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False)

    access_token: Annotated[
        str | None, AfterValidator(read_token), Setting(TOKEN, help="access token", secret=True)
    ] = Field(None, repr=False)
    api_url: Annotated[_Origin, Setting("CALENDLY_API_URL", "--api-url", CALLING, "address of Calendly's API")] = (
        CALENDLY_ORIGIN
    )
    sandbox: Annotated[
        bool,
        Setting("CALENDLY_MCP_SANDBOX", "--sandbox", TRYING, "use a sandbox inside this process: no account, no token"),
    ] = False
    sandbox_port: Annotated[
        _Port, Setting(None, "--sandbox-port", TRYING, "port of that sandbox", default="a free one")
    ] = 0
    host: Annotated[
        str, Field(min_length=1), Setting("CALENDLY_MCP_HOST", "--host", LISTENING, "address to listen on")
    ] = "127.0.0.1"
    port: Annotated[
        _Port | None,
        Setting(
            "CALENDLY_MCP_PORT",
            "--port",
            LISTENING,
            "port to listen on; 0 takes a free one",
            default=f"{HTTP_PORT}, for sandbox {SANDBOX_PORT}",
        ),
    ] = None
    toolsets: Annotated[
        _NameList | None,
        Setting(
            "CALENDLY_MCP_TOOLSETS",
            "--toolsets",
            PICKING,
            "toolsets or capabilities, by commas",
            default=",".join(DEFAULT_TOOLSETS),
        ),
    ] = None
    tools: Annotated[_NameList | None, Setting("CALENDLY_MCP_TOOLS", "--tools", PICKING, "single tools, by commas")] = (
        None
    )
    exclude_tools: Annotated[
        _NameList,
        Setting(
            "CALENDLY_MCP_EXCLUDE_TOOLS",
            "--exclude-tools",
            PICKING,
            "tools to leave out even if a toolset or --tools has them",
        ),
    ] = ()
    read_only: Annotated[
        bool, Setting("CALENDLY_MCP_READ_ONLY", "--read-only", PICKING, "neither list nor run tools that write")
    ] = False
    output_schemas: Annotated[
        Literal["on", "off"],
        BeforeValidator(read_choice),
        Setting(
            "CALENDLY_MCP_OUTPUT_SCHEMAS",
            "--output-schemas",
            SERVING,
            "off: list tools without output schemas",
        ),
    ] = "on"
    access: Annotated[
        Access,
        BeforeValidator(read_access),
        Setting("CALENDLY_MCP_ACCESS", "--access", PICKING, "capability=off, read, ask or full, by commas"),
    ] = Field(default_factory=dict[str, Allowance])
    rate_limit: Annotated[
        int,
        Field(ge=1, le=100_000),
        Setting(
            "CALENDLY_MCP_RATE_LIMIT", "--rate-limit", SERVING, "calls a minute until Calendly tells its own limit"
        ),
    ] = 60
    booking_limits: Annotated[
        tuple[Ceiling, ...],
        BeforeValidator(read_ceilings),
        Setting(
            "CALENDLY_MCP_BOOKING_LIMITS",
            "--booking-limits",
            SERVING,
            "most bookings in a time; none: no limits",
            default=PAID_PLANS,
        ),
    ] = parse_ceilings(PAID_PLANS)
    max_wait: Annotated[
        float,
        Field(ge=0, le=86_400),
        Setting("CALENDLY_MCP_MAX_WAIT", "--max-wait", SERVING, "seconds a call may wait for its turn"),
    ] = 30.0
    available_times_days: Annotated[
        int,
        Field(ge=1, le=366),
        Setting("CALENDLY_MCP_AVAILABLE_TIMES_DAYS", help="most days in one request for available times"),
    ] = AVAILABLE_TIMES_DAYS
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(read_choice),
        Setting("CALENDLY_MCP_LOG_LEVEL", help="debug, info, warning or error"),
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], BeforeValidator(read_choice), Setting("CALENDLY_MCP_LOG_FORMAT", help="text or json")
    ] = "text"
    auth: Annotated[
        Literal["oauth", "none"],
        BeforeValidator(read_choice),
        Setting(
            "CALENDLY_MCP_AUTH", "--auth", HTTP, "oauth: agents sign in; none: anyone who reaches the port may call"
        ),
    ] = "oauth"
    client_id: Annotated[
        _Word | None,
        Setting(
            "CALENDLY_CLIENT_ID", help="client id of the Calendly OAuth application", default="one registers itself"
        ),
    ] = None
    client_secret: Annotated[
        _Word | None, Setting("CALENDLY_CLIENT_SECRET", help="its secret, if it has one", secret=True)
    ] = Field(None, repr=False)
    application_scopes: Annotated[
        frozenset[str] | None,
        BeforeValidator(read_scopes),
        Setting(
            "CALENDLY_SCOPES",
            help="scopes that application may ask for",
            default="those of the toolset endpoints; all for one that registers itself",
        ),
    ] = None
    issuer: Annotated[_Origin, Setting("CALENDLY_ISSUER", help="where an application is registered")] = (
        "https://calendly.com"
    )
    auth_url: Annotated[
        _Origin, Setting("CALENDLY_AUTH_URL", "--auth-url", HTTP | LOGIN, "where people sign in with that application")
    ] = "https://auth.calendly.com"
    public_url: Annotated[
        Annotated[str, AfterValidator(read_public_url)] | None,
        Setting(
            "CALENDLY_MCP_PUBLIC_URL",
            "--public-url",
            OPERATING | {"access"},
            "address that clients use, without a path",
            default="the one listened on",
        ),
    ] = None
    database_url: Annotated[
        str | None,
        AfterValidator(read_database_url),
        Setting(
            "CALENDLY_MCP_DATABASE_URL",
            "--database-url",
            STORING,
            "sqlite:///PATH, sqlite:// or postgresql://…",
            default="SQLite in the data folder",
        ),
    ] = Field(None, repr=False)
    secret_keys: Annotated[
        str | None,
        AfterValidator(read_keys),
        Setting(
            "CALENDLY_MCP_SECRET_KEYS",
            help="keys id:base64,…",
            default="beside the database",
            secret=True,
        ),
    ] = Field(None, repr=False)
    webhook_keys: Annotated[
        tuple[str, ...],
        BeforeValidator(read_webhook_keys),
        Setting(
            "CALENDLY_WEBHOOK_KEYS",
            help="keys with which Calendly signs webhooks of your application, at most four, by commas",
            default="none: each webhook has a key of its own",
            secret=True,
        ),
    ] = Field((), repr=False)
    redirect_schemes: Annotated[
        _NameList | None,
        AfterValidator(read_redirect_schemes),
        Setting(
            "CALENDLY_MCP_REDIRECT_SCHEMES",
            help="private-use schemes allowed in redirect URIs besides the built-in ones, such as zed, by commas",
        ),
    ] = None
    client_documents: Annotated[
        Annotated[Literal["on", "off"], BeforeValidator(read_choice)] | None,
        Setting(
            "CALENDLY_MCP_CLIENT_DOCUMENTS",
            help="on or off: fetch client ID metadata documents",
            default="on, with --sandbox off",
        ),
    ] = None
    refresh_grace: Annotated[
        int,
        Field(ge=0, le=86_400),
        Setting(
            "CALENDLY_MCP_REFRESH_GRACE",
            help="seconds in which a used refresh token gives its client new tokens again",
        ),
    ] = 3600
    allowed_origins: Annotated[
        _NameList,
        AfterValidator(read_web_origins),
        Setting(
            "CALENDLY_MCP_ALLOWED_ORIGINS",
            "--allowed-origins",
            HTTP,
            "other origins whose pages may call the server, by commas",
        ),
    ] = ()
    owners: Annotated[
        frozenset[str],
        BeforeValidator(read_owners),
        Setting(
            "CALENDLY_MCP_OWNERS",
            help="e-mail addresses or user URIs of who sees everybody at /connections/all, by commas",
        ),
    ] = frozenset()
    operator: Annotated[
        str | None,
        AfterValidator(read_operator),
        Setting("CALENDLY_MCP_OPERATOR", help="who runs this server, as its pages name them"),
    ] = None
    operator_contact: Annotated[
        str | None,
        AfterValidator(read_contact),
        Setting("CALENDLY_MCP_OPERATOR_CONTACT", help="where to reach them: an e-mail address or an https address"),
    ] = None
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        BeforeValidator(read_networks),
        Setting(
            "CALENDLY_MCP_TRUSTED_PROXIES",
            "--trusted-proxies",
            HTTP,
            "addresses or networks whose X-Forwarded-For counts, by commas",
        ),
    ] = ()
    events_profile: Annotated[
        Literal["chatgpt", "sep-3415"],
        Setting("CALENDLY_MCP_EVENTS_PROFILE", help="whose error codes MCP Events has: chatgpt or sep-3415"),
    ] = "chatgpt"
    callbacks: Annotated[
        Literal["public", "listed", "off"],
        Setting("CALENDLY_MCP_CALLBACKS", help="where agents may have events posted: public, listed or off"),
    ] = "public"
    callback_hosts: Annotated[
        _NameList,
        AfterValidator(read_callback_hosts),
        Setting("CALENDLY_MCP_CALLBACK_HOSTS", help="hosts that need no challenge and may be private, by commas"),
    ] = ()
    agent_name: Annotated[
        Annotated[str, Field(min_length=1, max_length=80)] | None,
        Setting(
            "CALENDLY_MCP_AGENT_NAME",
            "--agent-name",
            SERVING,
            "the agent's name in the audit log",
            default="what the client says of itself",
        ),
    ] = None
    audit_days: Annotated[
        int, Field(ge=1, le=36_500), Setting("CALENDLY_MCP_AUDIT_DAYS", help="days that the audit log is kept")
    ] = 400
    audit_detail: Annotated[
        Literal["hashed", "full"],
        BeforeValidator(read_choice),
        Setting("CALENDLY_MCP_AUDIT_DETAIL", help="personal data in the audit log: hashed or full"),
    ] = "hashed"
    events_days: Annotated[
        int, Field(ge=1, le=400), Setting("CALENDLY_MCP_EVENTS_DAYS", help="days that it is kept what events say")
    ] = 30
    redirect_port: Annotated[
        _Port,
        Setting(
            None, "--redirect-port", LOGIN, "port of the application's redirect URI, http://localhost:PORT/callback"
        ),
    ] = 8765
    data_folder: Path = Path()
    ignored: tuple[str, ...] = ()
    exposed: tuple[Path, ...] = ()

    @property
    def scopes(self) -> frozenset[str]:
        """What the OAuth application at Calendly may ask for."""
        if self.application_scopes is not None:
            return self.application_scopes
        return frozenset(SCOPES) if self.client_id is None else GUIDE_SCOPES

    @property
    def local_ceiling(self) -> Access:
        """What the operator allows where there is one person, who is the operator."""
        return {**LOCAL, **self.access}

    @property
    def hosted_ceiling(self) -> Access:
        """What the operator of a hosted endpoint allows; each person decides about capabilities not named."""
        return {**UNLIMITED, **self.access}


def _described(setting: Setting, field: FieldInfo) -> Setting:
    """Complete the help of a setting with its default and the file that may hold it."""
    worth_saying = isinstance(field.default, str | int | float) and not isinstance(field.default, bool)
    default = setting.default or (str(field.default).removesuffix(".0") if worth_saying else "")
    file = f"; or {setting.variable}_FILE" if setting.secret else ""
    return replace(setting, default=default, help=setting.help + file + (f" (default: {default})" if default else ""))


SETTINGS: Final[Mapping[str, Setting]] = {
    name: _described(part, field)
    for name, field in Settings.model_fields.items()
    for part in field.metadata
    if isinstance(part, Setting)
}
"""Every setting by the name of its field."""
