from collections.abc import Mapping
from pathlib import Path

import pytest

from auth.access import LOCAL_LEVELS
from calendly.booking_limits import parse_ceilings
from server.settings import SOURCES, Command, Settings, is_loopback, load
from server.terminal import UsageError


def settings(
    environ: Mapping[str, str] | None = None,
    *,
    command: Command = "stdio",
    flags: Mapping[str, str] | None = None,
    config: Path | None = None,
) -> Settings:
    return load(command, flags or {}, config=config, environ=environ or {})


def refusal(environ: Mapping[str, str] | None = None, *, command: Command = "stdio", config: Path | None = None) -> str:
    with pytest.raises(UsageError) as refused:
        settings(environ, command=command, config=config)
    return str(refused.value)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "calendly.toml"


def test_without_anything_set_the_defaults_are_those_of_the_documentation() -> None:
    found = settings()
    assert found.access_token is None
    assert found.api_url == "https://api.calendly.com"
    assert (found.host, found.port, found.sandbox, found.read_only) == ("127.0.0.1", None, False, False)
    assert (found.toolsets, found.tools, found.exclude_tools) == (None, None, ())
    assert found.access == LOCAL_LEVELS
    assert (found.rate_limit, found.max_wait, found.available_times_days) == (60, 30.0, 31)
    assert found.booking_limits == parse_ceilings("10/min,50/h,100/day")
    assert (found.log_level, found.log_format, found.auth) == ("info", "text", "none")


def test_a_flag_wins_over_the_environment_and_the_environment_over_the_file(config: Path) -> None:
    config.write_text("CALENDLY_MCP_RATE_LIMIT = 1\nCALENDLY_MCP_MAX_WAIT = 1\nCALENDLY_MCP_HOST = 'localhost'\n")
    found = settings(
        {"CALENDLY_MCP_RATE_LIMIT": "2", "CALENDLY_MCP_MAX_WAIT": "2"}, flags={"rate_limit": "3"}, config=config
    )
    assert (found.rate_limit, found.max_wait, found.host) == (3, 2.0, "localhost")


def test_a_file_takes_toml_values_of_its_own_types(config: Path) -> None:
    config.write_text(
        'CALENDLY_MCP_TOOLSETS = ["scheduling", "webhooks"]\nCALENDLY_MCP_READ_ONLY = true\nCALENDLY_MCP_PORT = 0\n'
        'CALENDLY_MCP_ACCESS = "booking=ask"\n'
    )
    found = settings(config=config)
    assert found.toolsets == ("scheduling", "webhooks")
    assert found.read_only
    assert found.port == 0
    assert found.access == {**LOCAL_LEVELS, "booking": "ask"}


def test_a_variable_that_is_empty_counts_as_not_set() -> None:
    assert settings({"CALENDLY_MCP_TOOLSETS": "", "CALENDLY_ACCESS_TOKEN": ""}).toolsets is None


@pytest.mark.parametrize("text", ["1", "true", "yes", "on"])
def test_a_switch_is_on_in_every_common_spelling(text: str) -> None:
    assert settings({"CALENDLY_MCP_READ_ONLY": text}).read_only


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
        ("CALENDLY_MCP_PORT", "65536", "must be less than or equal to 65535"),
        ("CALENDLY_MCP_PORT", "http", "must be a valid integer"),
        ("CALENDLY_MCP_READ_ONLY", "perhaps", "must be a valid boolean"),
        ("CALENDLY_MCP_ACCESS", "booking=read", 'booking cannot be "read"'),
        ("CALENDLY_MCP_RATE_LIMIT", "0", "must be greater than or equal to 1"),
        ("CALENDLY_MCP_BOOKING_LIMITS", "10 a minute", "Booking limits are written like"),
        ("CALENDLY_MCP_MAX_WAIT", "-1", "must be greater than or equal to 0"),
        ("CALENDLY_MCP_MAX_WAIT", "nan", "must be"),
        ("CALENDLY_MCP_AVAILABLE_TIMES_DAYS", "0", "must be greater than or equal to 1"),
        ("CALENDLY_MCP_LOG_LEVEL", "loud", "must be 'debug', 'info', 'warning' or 'error'"),
        ("CALENDLY_MCP_LOG_FORMAT", "xml", "must be 'text' or 'json'"),
        ("CALENDLY_MCP_AUTH", "oauth", "there is no sign-in in this version"),
        ("CALENDLY_MCP_AUTH", "basic", "must be 'none'"),
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


def test_a_wrong_flag_is_named_as_a_flag() -> None:
    with pytest.raises(UsageError, match=r"^--port: must be a valid integer"):
        load("http", {"port": "many"}, environ={})


def test_loopback_addresses_need_no_https() -> None:
    for address in ("http://127.0.0.1:9000", "http://localhost:9000/", "http://[::1]:9000"):
        assert settings({"CALENDLY_API_URL": address}).api_url == address.rstrip("/")


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


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_refused_by_name(config: Path, content: bytes | None) -> None:
    if content is not None:
        config.write_bytes(content)
    assert f"--config: {config} cannot be read: " in refusal(config=config)


def test_the_token_given_in_two_ways_is_refused() -> None:
    assert "are both set" in refusal({"CALENDLY_ACCESS_TOKEN": "a", "CALENDLY_ACCESS_TOKEN_FILE": "b"})


def test_without_sign_in_only_addresses_of_this_machine_are_listened_on() -> None:
    assert settings({"CALENDLY_MCP_HOST": "127.0.0.2"}, command="http").host == "127.0.0.2"
    assert "0.0.0.0 is not an address of it" in refusal({"CALENDLY_MCP_HOST": "0.0.0.0"}, command="http")  # noqa: S104 - it is refused
    assert "example.com is not an address of it" in refusal({"CALENDLY_MCP_HOST": "example.com"}, command="http")


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


def test_the_sandbox_leaves_aside_what_leads_out_of_it_and_names_it() -> None:
    found = settings(
        {"CALENDLY_MCP_SANDBOX": "1", "CALENDLY_API_URL": "https://calendly.example", "CALENDLY_ACCESS_TOKEN": "real"},
        command="http",
    )
    assert found.access_token == "sandbox-pat-owner"
    assert found.api_url == "https://api.calendly.com"
    assert set(found.ignored) == {"CALENDLY_API_URL", "CALENDLY_ACCESS_TOKEN"}


def test_the_sandbox_keeps_a_token_of_its_own() -> None:
    found = settings({"CALENDLY_MCP_SANDBOX": "1", "CALENDLY_ACCESS_TOKEN": "sandbox-pat-member"})
    assert found.access_token == "sandbox-pat-member"
    assert found.ignored == ()


def test_the_sandbox_is_for_commands_that_serve() -> None:
    assert (
        settings({"CALENDLY_MCP_SANDBOX": "1", "CALENDLY_ACCESS_TOKEN": "real"}, command="whoami").access_token
        == "real"
    )


def test_every_setting_says_what_it_is_and_no_secret_has_a_flag() -> None:
    assert all(source.help for source in SOURCES.values())
    assert SOURCES["access_token"].flag is None
    assert set(SOURCES) == set(Settings.model_fields) - {"ignored"}
