import json
import logging
from collections.abc import Generator

import pytest

from server.configuration.logs import Seldom, log_to_stderr


@pytest.fixture(autouse=True)
def restored_logging() -> Generator[None]:
    """Leave the loggers as they were."""
    root, ours = logging.getLogger(), logging.getLogger("server")
    handlers, level, our_level = root.handlers, root.level, ours.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    ours.setLevel(our_level)


@pytest.mark.requirement("log-settings")
def test_text_is_one_readable_line_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr("info", "text")
    logging.getLogger("server.calls.handlers").info("get_user: answered in %.1f s", 0.25)
    out, err = capsys.readouterr()
    assert out == ""
    time, rest = err.split(maxsplit=1)
    assert time.endswith("Z")
    assert rest == "INFO server.calls.handlers: get_user: answered in 0.2 s\n"


@pytest.mark.requirement("log-settings")
def test_json_is_one_object_a_line_even_with_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr("info", "json")
    try:
        int("reason")
    except ValueError:
        logging.getLogger("server.calls.handlers").exception("It broke.")
    event = json.loads(capsys.readouterr().err)
    assert (event["level"], event["logger"], event["message"]) == ("error", "server.calls.handlers", "It broke.")
    assert event["exception"].endswith("with base 10: 'reason'")
    assert event["time"].endswith("Z")


@pytest.mark.requirement("log-settings")
def test_a_level_is_for_our_own_events(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr("debug", "text")
    logging.getLogger("server.calls.caller").debug("ours")
    logging.getLogger("httpx2").info("https://api.calendly.com/users?email=private")
    logging.getLogger("mcp.server").warning("theirs")
    err = capsys.readouterr().err
    assert "ours" in err
    assert "theirs" in err
    assert "private" not in err


@pytest.mark.parametrize("name", ["asyncpg", "httpcore2", "httpx2", "mcp", "sqlalchemy", "uvicorn"])
def test_others_tell_only_what_is_wrong_whatever_the_level(name: str) -> None:
    log_to_stderr("debug", "text")
    assert logging.getLogger(f"{name}.anything").getEffectiveLevel() == logging.WARNING


def test_a_flood_of_one_warning_is_one_line_a_minute_with_its_number() -> None:
    times = iter([0.0, 1.0, 2.0, 3.0, 61.0, 70.0])
    seldom = Seldom(lambda: next(times))

    def passed(text: str, level: int = logging.WARNING) -> str | None:
        record = logging.LogRecord("uvicorn.error", level, "", 0, text, None, None)
        return record.getMessage() if seldom.filter(record) else None

    garbage = "Invalid HTTP request received."
    assert [passed(garbage), passed(garbage), passed("another"), passed(garbage)] == [garbage, None, "another", None]
    assert passed(garbage) == f"{garbage} (2 more since the last such line)"
    assert passed(garbage) is None
    assert passed(garbage, logging.ERROR) == garbage
