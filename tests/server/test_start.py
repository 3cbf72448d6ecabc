"""What a start over stdio loads: half of the time to the first answer is spent on that."""

import json
import subprocess
import sys
from typing import Final

import pytest

from tests.e2e.processes import Program, environment, greet, request

OURS: Final = frozenset(
    {
        "auth",
        "auth.access",
        "auth.access.daily_limits",
        "auth.access.levels",
        "auth.access.text",
        "auth.audit",
        "auth.audit.entries",
        "auth.audit.log",
    }
)
"""What a server for one person, whose token is set, needs of authorization."""

CODE: Final = """
import json, sys
from server.__main__ import main
sys.argv = ["calendly-mcp"]
main()
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Start a server over stdio, whose input ends at once; the modules it loaded."""
    ended = subprocess.run(
        [sys.executable, "-c", CODE],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        env=environment({"CALENDLY_ACCESS_TOKEN": "x"}),
    )
    return set(json.loads(ended.stdout.splitlines()[-1]))


@pytest.mark.parametrize("package", ["sqlalchemy", "alembic", "jinja2", "authlib", "keyring", "storage"])
def test_a_server_for_one_person_does_without_a_database_and_without_sign_in(loaded: set[str], package: str) -> None:
    assert [name for name in loaded if name.partition(".")[0] == package] == []


def test_a_server_for_one_person_loads_little_of_authorization(loaded: set[str]) -> None:
    assert {name for name in loaded if name.partition(".")[0] == "auth"} == OURS
    assert "server.transports.stdio" in loaded
    assert "server.hosted.hosting" not in loaded


LISTING: Final = """
import sys
from auth.audit.log import AuditLog
from server.__main__ import main

opening = AuditLog.open_soon

def told(audit_log):
    print("loaded:", "sqlalchemy" in sys.modules, file=sys.stderr, flush=True)
    opening(audit_log)

AuditLog.open_soon = told
sys.argv = ["calendly-mcp"]
main()
"""


def test_the_database_is_opened_once_the_first_tools_were_listed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LISTING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({"CALENDLY_ACCESS_TOKEN": "x"}),
    ) as process:
        server = Program(process)
        greet(server)
        server.say(request("tools/list", 2))
        assert server.hear()["id"] == 2
        assert server.line("loaded: ") == "False"
        assert server.end().status == 0
