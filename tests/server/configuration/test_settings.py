from collections.abc import Mapping
from pathlib import Path

import pytest

from auth.access.levels import LOCAL, UNLIMITED, Allowance
from calendly.pacing.booking_limits import parse_ceilings
from calendly.scopes import SCOPES
from server.configuration.folders import data_folder
from server.configuration.loading import load
from server.configuration.settings import HTTP_PORT, SANDBOX_PORT, SETTINGS, Settings
from server.configuration.terminal import UsageError
from server.configuration.values import is_loopback
from tests.cases import each
from tests.databases import OTHER_URLS

OUTSIDE = {
    "CALENDLY_ACCESS_TOKEN": "real",
    "CALENDLY_API_URL": "https://calendly.example",
    "CALENDLY_AUTH_URL": "https://auth.calendly.example",
    "CALENDLY_ISSUER": "https://calendly.example",
    "CALENDLY_CLIENT_ID": "real",
    "CALENDLY_CLIENT_SECRET": "real",
    "CALENDLY_MCP_DATABASE_URL": "postgresql://real",
}
"""What would lead out of the sandbox."""


def settings(
    environ: Mapping[str, str] | None = None,
    *,
    command: str = "stdio",
    flags: Mapping[str, str] | None = None,
    config: Path | None = None,
) -> Settings:
    return load(command, flags or {}, config=config, environ=environ or {})


def refusal(environ: Mapping[str, str] | None = None, *, command: str = "stdio", config: Path | None = None) -> str:
    with pytest.raises(UsageError) as refused:
        settings(environ, command=command, config=config)
    return str(refused.value)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "calendly.toml"


@pytest.mark.requirement(
    "login-port",
    "api-url",
    "host-port",
    "rate-limit-setting",
    "max-wait-setting",
    "available-times-days",
    "log-settings",
    "auth-setting",
    "scopes-setting",
    "issuer-setting",
    "auth-url-setting",
    "audit-settings",
)
def test_without_anything_set_the_defaults_are_those_of_the_documentation() -> None:
    found = settings()
    assert found.access_token is None
    assert found.api_url == "https://api.calendly.com"
    assert (found.host, found.port, found.sandbox, found.read_only) == ("127.0.0.1", None, False, False)
    assert (found.toolsets, found.tools, found.exclude_tools) == (None, None, ())
    assert (found.local_ceiling, found.hosted_ceiling) == (LOCAL, UNLIMITED)
    assert (found.rate_limit, found.max_wait, found.available_times_days) == (60, 30.0, 31)
    assert found.booking_limits == parse_ceilings("10/min,50/h,100/day")
    assert (found.log_level, found.log_format, found.auth) == ("info", "text", "oauth")
    assert (found.issuer, found.auth_url) == ("https://calendly.com", "https://auth.calendly.com")
    assert found.scopes == set(SCOPES)  # of an application that this server registers itself
    assert len(settings({"CALENDLY_CLIENT_ID": "one"}).scopes) == 12
    assert found.redirect_port == 8765
    assert (found.audit_days, found.audit_detail) == (400, "hashed")
    assert (HTTP_PORT, SANDBOX_PORT) == (8000, 9000)


@pytest.mark.requirement("setting-precedence")
def test_a_flag_wins_over_the_environment_and_the_environment_over_the_file(config: Path) -> None:
    config.write_text("CALENDLY_MCP_RATE_LIMIT = 1\nCALENDLY_MCP_MAX_WAIT = 1\nCALENDLY_MCP_HOST = 'localhost'\n")
    found = settings(
        {"CALENDLY_MCP_RATE_LIMIT": "2", "CALENDLY_MCP_MAX_WAIT": "2"}, flags={"rate_limit": "3"}, config=config
    )
    assert (found.rate_limit, found.max_wait, found.host) == (3, 2.0, "localhost")


@pytest.mark.requirement("setting-file")
def test_a_file_takes_toml_values_of_its_own_types(config: Path) -> None:
    config.write_text(
        'CALENDLY_MCP_TOOLSETS = ["scheduling", "webhooks"]\nCALENDLY_MCP_READ_ONLY = true\nCALENDLY_MCP_PORT = 0\n'
        'CALENDLY_MCP_ACCESS = "booking=ask"\n'
    )
    found = settings(config=config)
    assert found.toolsets == ("scheduling", "webhooks")
    assert found.read_only
    assert found.port == 0
    booking = {"booking": Allowance(level="ask")}
    assert (found.local_ceiling, found.hosted_ceiling) == ({**LOCAL, **booking}, {**UNLIMITED, **booking})


@pytest.mark.parametrize("placeholder", ["${user_config.access_token}", "${env:CALENDLY_TOKEN}", "${input:token}"])
def test_a_placeholder_that_a_client_did_not_fill_in_counts_as_not_set(placeholder: str) -> None:
    assert settings({"CALENDLY_ACCESS_TOKEN": placeholder}).access_token is None
    assert settings({"CALENDLY_MCP_READ_ONLY": placeholder}).read_only is False
    assert settings({"CALENDLY_MCP_AGENT_NAME": f"x{placeholder}"}).agent_name == f"x{placeholder}"


def test_a_variable_that_is_empty_counts_as_not_set() -> None:
    assert settings({"CALENDLY_MCP_TOOLSETS": "", "CALENDLY_ACCESS_TOKEN": ""}).toolsets is None


@pytest.mark.parametrize("text", ["1", "true", "yes", "on"])
def test_a_switch_is_on_in_every_common_spelling(text: str) -> None:
    assert settings({"CALENDLY_MCP_READ_ONLY": text}).read_only


@pytest.mark.requirement("access-token")
def test_the_token_may_come_from_a_file_and_loses_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("  secret-token\n")
    found = settings({"CALENDLY_ACCESS_TOKEN_FILE": str(file)})
    assert found.access_token == "secret-token"
    assert "secret-token" not in repr(found)


def test_a_token_in_the_environment_wins_over_a_token_file_named_in_the_settings_file(config: Path) -> None:
    config.write_text('CALENDLY_ACCESS_TOKEN_FILE = "/nowhere/token"\n')
    assert "/nowhere/token cannot be read" in refusal(config=config)
    config.write_text('CALENDLY_ACCESS_TOKEN = "from-the-file"\n')
    assert settings({"CALENDLY_ACCESS_TOKEN": "mine"}, config=config).access_token == "mine"


@pytest.mark.requirement("api-url")
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CALENDLY_ACCESS_TOKEN", "Bearer secret", "this is no token"),
        ("CALENDLY_ACCESS_TOKEN", '"secret"', "this is no token"),
        ("CALENDLY_ACCESS_TOKEN", "two\nlines", "this is no token"),
        ("CALENDLY_API_URL", "http://api.calendly.com", "must begin with https://"),
        ("CALENDLY_API_URL", "ftp://127.0.0.1", "must begin with https://"),
        ("CALENDLY_API_URL", "https://api.calendly.com/v2", "must be an address without a path"),
        ("CALENDLY_API_URL", "https://user@api.calendly.com", "must be an address without a path"),
        ("CALENDLY_API_URL", "api.calendly.com", "must be an address without a path"),
        ("CALENDLY_MCP_PORT", "65536", "must be 65535 or less"),
        ("CALENDLY_MCP_PORT", "http", "must be a whole number"),
        ("CALENDLY_MCP_READ_ONLY", "perhaps", "must be true or false"),
        ("CALENDLY_MCP_ACCESS", "booking=read", 'booking cannot be "read"'),
        ("CALENDLY_MCP_RATE_LIMIT", "0", "must be 1 or more"),
        ("CALENDLY_MCP_BOOKING_LIMITS", "10 a minute", "Booking limits are written like"),
        ("CALENDLY_MCP_MAX_WAIT", "-1", "must be 0 or more"),
        ("CALENDLY_MCP_MAX_WAIT", "nan", "must be"),
        ("CALENDLY_MCP_AVAILABLE_TIMES_DAYS", "0", "must be 1 or more"),
        ("CALENDLY_MCP_LOG_LEVEL", "loud", "must be 'debug', 'info', 'warning' or 'error'"),
        ("CALENDLY_MCP_LOG_FORMAT", "xml", "must be 'text' or 'json'"),
        ("CALENDLY_MCP_AUTH", "basic", "must be 'oauth' or 'none'"),
        ("CALENDLY_CLIENT_ID", "two words", "must be one word"),
        ("CALENDLY_CLIENT_SECRET", "the secret", "must be one word"),
        ("CALENDLY_MCP_SECRET_KEYS", "k1: secret", "must be one word"),
        ("CALENDLY_SCOPES", "users:read users:write", 'Calendly has no scope "users:write"'),
        ("CALENDLY_ISSUER", "http://calendly.com", "must begin with https://"),
        ("CALENDLY_AUTH_URL", "https://auth.calendly.com/oauth", "without a path"),
        ("CALENDLY_MCP_PUBLIC_URL", "http://mcp.example", "must begin with https://"),
        ("CALENDLY_MCP_PUBLIC_URL", "https://mcp.example:port", "must be an address"),
        ("CALENDLY_MCP_PUBLIC_URL", "https://mcp.example:0", "must name a port from 1 to 65535"),
        ("CALENDLY_API_URL", "https://api.calendly.com:65536", "must be an address"),
        ("CALENDLY_MCP_DATABASE_URL", "postgresql://host:65536/db", "must name a port from 1 to 65535"),
        ("CALENDLY_MCP_SECRET_KEYS", "k1:secret", "The key k1 is 4 bytes long"),
        *(
            ("CALENDLY_MCP_DATABASE_URL", url, "must be sqlite:///PATH, sqlite:// (in memory)")
            for url in OTHER_URLS[1:]
        ),
        ("CALENDLY_MCP_REDIRECT_SCHEMES", "cursor,javascript", '"javascript" cannot be the private-use scheme'),
        ("CALENDLY_MCP_ALLOWED_ORIGINS", "https://a.example,b.example", "without a path"),
        ("CALENDLY_MCP_TRUSTED_PROXIES", "10.0.0.0/8,proxy", "must be addresses or networks"),
        ("CALENDLY_MCP_OWNERS", "maya@northlight.example,maya", "must be e-mail addresses or user URIs"),
        ("CALENDLY_MCP_OWNERS", "me", "must be e-mail addresses or user URIs"),
        ("CALENDLY_MCP_OWNERS", "https://evil.example/users/x@y", "must be e-mail addresses or user URIs"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_setting_and_never_the_value_of_a_token(
    name: str, value: str, sentence: str
) -> None:
    message = refusal({name: value})
    assert message.startswith(f"{name}: ")
    assert sentence in message
    assert "\n" not in message
    assert "secret" not in message
    assert "hunter2" not in message


@pytest.mark.requirement("database-setting")
@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///record.sqlite3",
        "sqlite:////var/lib/record.sqlite3",
        "sqlite:///C:\\data\\record.sqlite3",
        "postgresql://db/calendly",
        "postgresql://user:pa[ss:w@rd/?@[::1]:5432/calendly?ssl=require",
        "postgresql:///calendly?host=/run/postgresql",
    ],
)
def test_a_database_is_a_file_or_on_a_server(url: str) -> None:
    keys = f"k1:{'A' * 43}"
    assert settings({"CALENDLY_MCP_DATABASE_URL": url, "CALENDLY_MCP_SECRET_KEYS": keys}).database_url == url


def test_a_wrong_flag_is_named_as_a_flag() -> None:
    with pytest.raises(UsageError, match=r"^--port: must be a whole number"):
        load("http", {"port": "many"}, environ={})


@pytest.mark.requirement("api-url")
def test_loopback_addresses_need_no_https() -> None:
    for address in ("http://127.0.0.1:9000", "http://localhost:9000/", "http://[::1]:9000"):
        assert settings({"CALENDLY_API_URL": address}).api_url == address.rstrip("/")


@pytest.mark.requirement("setting-file-unknown")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("CALENDLY_MCP_TOOLSET = 'all'", "is no setting; did you mean CALENDLY_MCP_TOOLSETS?"),
        ("verbose = true", 'names "verbose", which is no setting.'),
        ("= nonsense", "is not TOML"),
        ("[CALENDLY_MCP_ACCESS]\nbooking = 'off'", "CALENDLY_MCP_ACCESS: must be text of the form capability=level"),
        ("CALENDLY_ACCESS_TOKEN = 'a'\nCALENDLY_ACCESS_TOKEN_FILE = 'b'", "are both set; set one of them"),
    ],
)
def test_a_file_with_a_slip_is_refused_with_what_to_change(config: Path, content: str, sentence: str) -> None:
    config.write_text(content)
    message = refusal(config=config)
    assert str(config) in message
    assert sentence in message


@pytest.mark.parametrize("content", [None, b"\xff\xfex"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_refused_by_name(config: Path, content: bytes | None) -> None:
    if content is not None:
        config.write_bytes(content)
    assert f"--config: {config} cannot be read: " in refusal(config=config)


def test_the_token_given_in_two_ways_is_refused() -> None:
    assert "are both set" in refusal({"CALENDLY_ACCESS_TOKEN": "a", "CALENDLY_ACCESS_TOKEN_FILE": "b"})


@pytest.mark.requirement("auth-setting")
def test_without_sign_in_only_addresses_of_this_machine_are_listened_on() -> None:
    here = settings({"CALENDLY_MCP_AUTH": "none", "CALENDLY_MCP_HOST": "127.0.0.2"}, command="http")
    assert here.host == "127.0.0.2"
    for host in ("0.0.0.0", "example.com"):  # noqa: S104 - it is refused
        elsewhere = {
            "CALENDLY_MCP_AUTH": "none",
            "CALENDLY_MCP_HOST": host,
            "CALENDLY_MCP_PUBLIC_URL": "https://a.example",
        }
        assert f"{host} is not an address of it" in refusal(elsewhere, command="http")


@pytest.mark.requirement("public-url-setting")
def test_with_sign_in_an_address_that_others_reach_needs_the_one_that_clients_use() -> None:
    host = {"CALENDLY_MCP_HOST": "192.0.2.1"}
    assert "set the address that clients use" in refusal(host, command="http")
    found = settings({**host, "CALENDLY_MCP_PUBLIC_URL": "https://MCP.example:443/"}, command="http")
    assert found.public_url == "https://mcp.example"


@pytest.mark.parametrize(
    ("command", "environ"), [("stdio", {}), ("http", {"CALENDLY_MCP_AUTH": "none"})], ids=["stdio", "http"]
)
def test_where_nobody_signs_in_no_answer_on_a_page_is_waited_for(command: str, environ: dict[str, str]) -> None:
    access = {"CALENDLY_MCP_ACCESS": "canceling=ask:confirm=browser", **environ}
    assert refusal(access, command=command) == (
        "CALENDLY_MCP_ACCESS: canceling cannot have confirm=browser here: only the hosted endpoint, where "
        "people sign in, has the page for it."
    )
    assert settings({"CALENDLY_MCP_ACCESS": "canceling=ask:confirm=browser"}, command="http").access


@pytest.mark.requirement("nobody-elses-token")
@pytest.mark.parametrize("sandbox", ["", "1"])
def test_with_sign_in_nobody_uses_the_token_of_another(sandbox: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("sandbox-pat-owner")
    for name, value in (("CALENDLY_ACCESS_TOKEN", "sandbox-pat-owner"), ("CALENDLY_ACCESS_TOKEN_FILE", str(file))):
        message = refusal({name: value, "CALENDLY_MCP_SANDBOX": sandbox}, command="http")
        assert message.startswith(f"{name} is set, but with --auth oauth")


@pytest.mark.requirement("database-memory")
@pytest.mark.parametrize("command", ["http", "token", "keys"])
def test_what_people_allowed_is_not_kept_in_memory(command: str) -> None:
    assert "has to outlive the process" in refusal({"CALENDLY_MCP_DATABASE_URL": "sqlite://"}, command=command)
    assert settings({"CALENDLY_MCP_DATABASE_URL": "sqlite://"}).database_url == "sqlite://"


@pytest.mark.requirement("setting-secrets")
def test_every_secret_may_stand_in_a_file_and_none_is_shown(tmp_path: Path) -> None:
    ring = f"hidden:{'A' * 43}"
    environ = {"CALENDLY_MCP_DATABASE_URL": "sqlite:///hidden"}
    for name in [setting.variable for setting in SETTINGS.values() if setting.secret]:
        file = tmp_path / str(name)
        file.write_text(f"{ring if name == 'CALENDLY_MCP_SECRET_KEYS' else 'hidden'}\n")
        environ[f"{name}_FILE"] = str(file)
    found = settings(environ)
    assert (found.access_token, found.client_secret, found.secret_keys) == ("hidden", "hidden", ring)
    assert "hidden" not in repr(found)


@pytest.mark.requirement("setting-secrets-exposed")
def test_the_files_of_secrets_that_others_can_read_are_known_to_every_command(config: Path, tmp_path: Path) -> None:
    token, secret, plain = (tmp_path / name for name in ("token", "secret", "plain"))
    for file in (token, secret, plain):
        file.write_text("hidden\n")
    config.write_text(f"CALENDLY_CLIENT_SECRET_FILE = '{secret}'\n")
    environ = {"CALENDLY_ACCESS_TOKEN_FILE": str(token)}
    for modes, found in (((0o644, 0o640), (secret, token)), ((0o600, 0o604), (secret,)), ((0o400, 0o600), ())):
        for file, mode in zip((token, secret), modes, strict=True):
            file.chmod(mode)
        for command in ("stdio", "http", "whoami"):
            given = {"CALENDLY_MCP_AUTH": "none", **environ}
            assert settings(given, command=command, config=config).exposed == found
    config.write_text("CALENDLY_ACCESS_TOKEN = 'hidden'\n")
    assert settings(config=config).exposed == (config,)
    config.write_text("CALENDLY_MCP_READ_ONLY = true\n")
    assert settings(config=config).exposed == ()


@pytest.mark.requirement("refresh-grace-setting")
def test_the_grace_of_refresh_tokens_is_an_hour_and_at_most_a_day() -> None:
    assert settings().refresh_grace == 3600
    assert settings({"CALENDLY_MCP_REFRESH_GRACE": "0"}).refresh_grace == 0
    with pytest.raises(UsageError, match="CALENDLY_MCP_REFRESH_GRACE"):
        settings({"CALENDLY_MCP_REFRESH_GRACE": "86401"})


def test_lists_are_read_as_what_they_name(config: Path) -> None:
    config.write_text('CALENDLY_SCOPES = ["users:read", "webhooks:write"]\n')
    found = settings(
        {
            "CALENDLY_MCP_ALLOWED_ORIGINS": "https://App.example, http://localhost:3000",
            "CALENDLY_MCP_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1",
            "CALENDLY_MCP_REDIRECT_SCHEMES": "cursor, zed",
            "CALENDLY_MCP_OWNERS": "Maya@Northlight.example, https://api.calendly.com/users/AB12",
        },
        config=config,
    )
    assert found.owners == {"maya@northlight.example", "https://api.calendly.com/users/AB12"}
    assert found.scopes == {"users:read", "webhooks:write"}
    assert found.allowed_origins == ("https://app.example", "http://localhost:3000")
    assert [str(network) for network in found.trusted_proxies] == ["10.0.0.0/8", "2001:db8::1/128"]
    assert found.redirect_schemes == ("cursor", "zed")


@pytest.mark.requirement("database-setting")
@pytest.mark.parametrize(
    ("environ", "platform", "folder"),
    [
        ({}, "linux", "~/.local/share/calendly-mcp"),
        ({"XDG_DATA_HOME": "/data"}, "linux", "/data/calendly-mcp"),
        ({"XDG_DATA_HOME": "data"}, "linux", "~/.local/share/calendly-mcp"),
        ({}, "darwin", "~/Library/Application Support/calendly-mcp"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/calendly-mcp"),
        ({}, "win32", "~/AppData/Local/calendly-mcp"),
    ],
)
def test_data_goes_where_the_system_keeps_that_of_its_users(
    environ: dict[str, str], platform: str, folder: str
) -> None:
    assert data_folder(environ, platform) == Path(folder)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),  # noqa: S104 - it is refused
        ("192.168.1.2", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_only_loopback_names_and_addresses_are_this_machine(host: str, here: bool) -> None:  # noqa: FBT001 - a table
    assert is_loopback(host) == here


@pytest.mark.requirement("sandbox-ignores", "sandbox-person", "sandbox-setting")
def test_the_sandbox_leaves_aside_what_leads_out_of_it_and_names_it() -> None:
    found = settings({"CALENDLY_MCP_SANDBOX": "1", **OUTSIDE}, command="http")
    assert found.access_token == "sandbox-pat-owner"
    assert found.api_url == "https://api.calendly.com"
    assert (found.client_id, found.client_secret, found.database_url) == (None, None, None)
    assert set(found.ignored) == set(OUTSIDE)


@pytest.mark.requirement("sandbox-person")
def test_the_sandbox_keeps_a_token_of_its_own() -> None:
    found = settings({"CALENDLY_MCP_SANDBOX": "1", "CALENDLY_ACCESS_TOKEN": "sandbox-pat-member"})
    assert found.access_token == "sandbox-pat-member"
    assert found.ignored == ()


def test_the_sandbox_is_for_commands_that_serve() -> None:
    assert (
        settings({"CALENDLY_MCP_SANDBOX": "1", "CALENDLY_ACCESS_TOKEN": "real"}, command="whoami").access_token
        == "real"
    )


@pytest.mark.requirement("setting-secrets")
def test_every_setting_says_what_it_is_and_no_secret_has_a_flag() -> None:
    assert all(setting.help for setting in SETTINGS.values())
    secrets = {field for field, setting in SETTINGS.items() if setting.secret}
    assert secrets == {"access_token", "client_secret", "secret_keys", "webhook_keys"}
    assert {SETTINGS[field].flag for field in secrets} == {None}
    assert set(SETTINGS) == set(Settings.model_fields) - {"ignored", "exposed", "data_folder"}


MISTYPED = {
    "CALENDLY_MCP_READ_ONYL": "; did you mean CALENDLY_MCP_READ_ONLY?",
    "CALENDY_MCP_READ_ONLY": "; did you mean CALENDLY_MCP_READ_ONLY?",
    "calendly_mcp_read_only": "; did you mean CALENDLY_MCP_READ_ONLY?",
    "CALENDLY_MCP_BANANA": ".",
    "CALENDLY_MCP_FOO": ".",
    "CALENDLY_MCP_TOKEN": ".",
    "CALENDLY_MCP_CLIENT_ID": "; did you mean CALENDLY_CLIENT_ID?",
    "CALENDLY_MCP_TOOLSET": "; did you mean CALENDLY_MCP_TOOLSETS?",
    "CALENDLY_ACESS_TOKEN": "; did you mean CALENDLY_ACCESS_TOKEN?",
    "CALENDLY_ACCESS_TOKEN_FIEL": "; did you mean CALENDLY_ACCESS_TOKEN_FILE?",
}


@pytest.mark.requirement("setting-environment-unknown")
def test_a_variable_that_was_meant_as_a_setting_stops_the_start() -> None:
    for name, hint in MISTYPED.items():
        assert refusal({name: "1"}) == f'the environment sets "{name}", which is no setting{hint}'


@pytest.mark.requirement("setting-environment-unknown")
def test_variables_of_other_programs_and_of_kubernetes_are_left_alone() -> None:
    others = {"CALENDLY_API_KEY": "k", "CALENDLY_TOKEN": "t", "CALIBRE_PORT": "1", "CALENDLY_MCP_SERVICE_HOST": "h"}
    kubernetes = {"CALENDLY_MCP_PORT": "tcp://10.0.0.1:80", "CALENDLY_MCP_PORT_8000_TCP_ADDR": "10.0.0.1"}
    assert settings({**others, **kubernetes, "CALENDLY_MCP_READ_ONYL": ""}, command="http").port is None


@pytest.mark.requirement("webhook-keys-setting")
@each(
    "text, keys",
    [
        ("one", ("one",)),
        ("new, old\n", ("new", "old")),
        ("a,b,c,d", ("a", "b", "c", "d")),
        ("a,b,c,d,e", None),
        ("two words", None),
        ("k\N{LATIN SMALL LETTER E WITH DIAERESIS}y", None),
    ],
)
def test_webhooks_may_be_signed_with_at_most_four_keys(text: str, keys: tuple[str, ...] | None) -> None:
    environ = {"CALENDLY_WEBHOOK_KEYS": text}
    if keys is not None:
        assert settings(environ).webhook_keys == keys
        return
    with pytest.raises(UsageError, match="CALENDLY_WEBHOOK_KEYS: must be at most 4 keys") as refused:
        settings(environ)
    assert text not in str(refused.value)
