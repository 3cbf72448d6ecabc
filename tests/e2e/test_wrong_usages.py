"""Wrong usages of every command, setting and file: what is typed, the exit status, and the sentence a person reads.

A line is typed as in a shell, with variables in front of the command. A few files lie in the person's home, `~`.
"""

import shlex
from pathlib import Path
from typing import Final

import pytest

from tests.cases import case
from tests.e2e.processes import run

FILES: Final[dict[str, bytes]] = {
    "README.md": b"# My project\n\nIt is not a token.\n",
    "empty": b"",
    "blank": b"\xef\xbb\xbf\r\n",
    "picture.png": b"\x89PNG\r\n\x1a\n\xff\xfe",
    "token": b"sandbox-pat-owner\n",
    "quoted": b'"sandbox-pat-owner"',
    "not.toml": b"CALENDLY_MCP_READ_ONLY = yes",
    "typo.toml": b"CALENDLY_MCP_READONLY = true\n",
    "short.toml": b"toolsets = 'scheduling'\n",
    "table.toml": b"CALENDLY_MCP_TOOLSETS = {events = true}\n",
    "flag.toml": b"read-only = true\n",
    "token.toml": b"acces_token = 'x'\n",
    "scopes.toml": b"scope = 'users:read'\n",
    "only-flag.toml": b"redirect-port = 1\n",
    "foreign.toml": b"theme = 'dark'\n",
    "number.toml": b"CALENDLY_MCP_READ_ONLY = 7\n",
    "port.toml": b"CALENDLY_MCP_PORT = 70000\n",
    "nested.toml": b"[calendly]\nport = 1\n",
    "both.toml": b"CALENDLY_ACCESS_TOKEN = 'a'\nCALENDLY_ACCESS_TOKEN_FILE = 'b'\n",
    "utf16.toml": "CALENDLY_MCP_ACCES = 'booking=ask'\r\n".encode("utf-16"),
    "cr.toml": b"\xef\xbb\xbfCALENDLY_MCP_MAX_WAIT = -1\rCALENDLY_MCP_READ_ONLY = true\r",
    "no.pem": b"not a certificate\n",
    "damaged.sqlite3": b"not a database, though long enough to be read as one" * 20,
    ".cursor/mcp.json": b'{"mcpServers": {"calendly": {"command": "somebody-else"}, "ours": 7}}',
    ".claude.json": b'{"mcpServers": ',
    ".gemini/settings.json": b"[]",
    ".codex/config.toml": b"[mcp_servers\n",
    ".junie/mcp/mcp.json": b'{"mcpServers": []}',
}

HERE: Final = "CALENDLY_ACCESS_TOKEN=x"

USAGES: Final[list[tuple[str, int, str]]] = [
    # Commands and actions
    ("serve", 2, 'there is no command "serve"; there are: stdio, http, sandbox,'),
    ("instal cursor", 2, 'there is no command "instal"; did you mean install?'),
    ("Doctor", 2, 'there is no command "Doctor"; did you mean doctor?'),
    ("help", 2, 'there is no command "help"'),
    ("''", 2, 'there is no command ""'),
    ("audit", 2, "the following arguments are required: ACTION"),
    ("audit lst", 2, 'there is no action "lst"; did you mean list?'),
    ("audit show", 2, 'there is no action "show"; there are: list, export, verify.'),
    ("token", 2, "the following arguments are required: ACTION"),
    ("token make", 2, 'there is no action "make"; there are: create, list, revoke.'),
    ("keys", 2, "the following arguments are required: ACTION"),
    ("keys rotat", 2, 'there is no action "rotat"; did you mean rotate?'),
    ("access", 2, "the following arguments are required: ACTION"),
    ("access show get_user", 2, 'there is no action "show"; there are: explain.'),
    (f"{HERE} --access canceling=off --access booking=off", 2, "argument --access: comes twice: give it once"),
    (f"{HERE} --tools get_user --tools get_current_user", 2, "argument --tools: comes twice: give it once"),
    ("whoami maya", 2, '"maya" is one word too many.'),
    (
        "CALENDLY_ISSUER=http://127.0.0.1:1 login --redirect-port 0",
        1,
        "The address is http://127.0.0.1:1: check the network",
    ),
    ("login now", 2, '"now" is one word too many.'),
    ("demo --sandbox install", 2, "--sandbox: demo does not take this flag; "),
    ("--config ~/typo.toml install cursor", 2, "the command comes first: `calendly-mcp install` …, then its flags."),
    # Flags
    ("--sandbx", 2, "--sandbx: there is no such flag; did you mean --sandbox?"),
    ("--sand", 2, "--sand: there is no such flag; did you mean --sandbox?"),
    ("-sandbox", 2, "-sandbox: there is no such flag; did you mean --sandbox?"),
    ("--readonly", 2, "--readonly: there is no such flag; did you mean --read-only?"),
    ("stdio --port 1", 2, "--port: stdio does not take this flag; http, sandbox do."),
    ("http --prot=1", 2, "--prot: there is no such flag; did you mean --port?"),
    ("http --port", 2, "--port: needs a value."),
    ("http --read-only=yes", 2, "--read-only: takes no value; leave out =yes."),
    ("sandbox --database-url sqlite://", 2, "--database-url: sandbox does not take this flag; "),
    ("events list --subscription x", 2, "--subscription: another action of events takes this flag (see"),
    ("http --foo", 2, "--foo: there is no such flag (see `calendly-mcp http --help`)."),
    ("tools --jsn", 2, "--jsn: there is no such flag; did you mean --json?"),
    ("whoami --read-only", 2, "--read-only: whoami does not take this flag; "),
    ("--access-token x", 2, "Secrets are never taken from the command line."),
    ("whoami --token x", 2, "secrets are never taken from the command line."),
    ("http --client-secret x", 2, "CALENDLY_CLIENT_SECRET_FILE. Secrets are never taken from the command line."),
    ("http --secret-keys x", 2, "CALENDLY_MCP_SECRET_KEYS sets it"),
    ("http --log-level debug", 2, "CALENDLY_MCP_LOG_LEVEL sets it, in the environment or in the file of --config."),
    ("--audit-days 3", 2, "CALENDLY_MCP_AUDIT_DAYS sets it"),
    ("--verbose", 2, "--verbose: there is no such flag (see `calendly-mcp stdio --help`)."),
    # Values of flags
    ("http --port x", 2, "--port: must be a whole number"),
    ("http --port -1", 2, "--port: must be 0 or more."),
    ("http --port 70000", 2, "--port: must be 65535 or less."),
    ("http --host 0.0.0.0", 2, "with --host 0.0.0.0, set the address that clients use: --public-url"),
    ("http --host ''", 2, "--host: "),
    (
        "http --host 192.0.2.1 --public-url https://mcp.example",
        1,
        "port 8000: this machine has no such address; --host",
    ),
    ("http --host nope..invalid --public-url https://mcp.example", 1, "this machine has no such address; --host 127"),
    ("sandbox --host nope..invalid", 1, "cannot listen on nope..invalid port 9000: this machine has no such address;"),
    ("http --auth none --host 0.0.0.0", 2, "so it listens on this machine only"),
    ("http --auth open", 2, "--auth: must be 'oauth' or 'none'."),
    ("http --public-url http://example.com", 2, "--public-url: must begin with https://"),
    (
        "http --public-url https://example.com/mcp",
        2,
        "--public-url: must be an address without a path, such as https://mcp.example.com.",
    ),
    (
        "http --allowed-origins nonsense",
        2,
        "--allowed-origins: must be an address without a path, such as https://app.example.com.",
    ),
    ("http --trusted-proxies everybody", 2, "--trusted-proxies: must be addresses or networks such as 10.0.0.0/8"),
    ("http --database-url mysql://x", 2, "--database-url: must be sqlite:///PATH, sqlite:// (in memory) or postgresql"),
    ("http --database-url sqlite://", 2, "--database-url: sqlite:// is memory"),
    (
        "http --database-url postgresql://127.0.0.1:1/x",
        2,
        "CALENDLY_MCP_SECRET_KEYS is not set, but PostgreSQL needs it",
    ),
    (f"{HERE} http", 2, "CALENDLY_ACCESS_TOKEN is set, but with --auth oauth every person signs in"),
    (f"{HERE} --toolsets everything", 2, 'There is no toolset "everything"'),
    (f"{HERE} --tools get_users", 2, "did you mean get_user?"),
    (f"{HERE} --exclude-tools nonsense", 2, 'There is no tool "nonsense"'),
    (f"{HERE} --access nonsense", 2, "--access: "),
    (f"{HERE} --access booking=read", 2, '--access: booking cannot be "read"; it can be off, ask, full.'),
    (f"{HERE} --access bookings=ask", 2, "--access: "),
    (f"{HERE} --access booking=ask:confirm=browser", 2, "only the hosted endpoint, where people sign in, has the page"),
    (f"{HERE} --rate-limit 0", 2, "--rate-limit: must be 1 or more."),
    (f"{HERE} --rate-limit fast", 2, "--rate-limit: must be a whole number"),
    (f"{HERE} --max-wait -1", 2, "--max-wait: must be 0 or more."),
    (f"{HERE} --max-wait nan", 2, "--max-wait: "),
    (f"{HERE} --booking-limits many", 2, "--booking-limits: "),
    (f"{HERE} --output-schemas maybe", 2, "--output-schemas: must be 'on' or 'off'."),
    (f"{HERE} --agent-name ''", 2, "--agent-name: "),
    (f"{HERE} --api-url http://example.com", 2, "--api-url: must begin with https://"),
    ("doctor --sandbox --sandbox-port x", 2, "--sandbox-port: must be a whole number"),
    ("login --redirect-port 99999", 2, "--redirect-port: must be 65535 or less."),
    ("login --scopes read", 2, '--scopes: Calendly has no scope "read"; '),
    ("login --scopes users:raed", 2, '--scopes: Calendly has no scope "users:raed"; did you mean users:read?'),
    ("CALENDLY_SCOPES=users.read whoami", 2, "did you mean users:read?"),
    ("login --scopes ''", 2, "--scopes: name at least one"),
    (
        "CALENDLY_SCOPES=users:read login --scopes webhooks:read",
        2,
        "the application is not registered for webhooks:read",
    ),
    (f"{HERE} --access canceling=OFF --toolsets everything", 2, 'There is no toolset "everything"'),
    (f"{HERE} --max-wait soon", 2, "--max-wait: must be a number."),
    (f"{HERE} --agent-name {'a' * 81}", 2, "--agent-name: must have at most 80 characters."),
    ("CALENDLY_MCP_LOG_LEVEL=INFO CALENDLY_MCP_LOG_FORMAT=Text http --auth NONE", 2, "no access token is set"),
    # Tokens of the sandbox
    ("CALENDLY_ACCESS_TOKEN=sandbox-pat-ownr --sandbox", 2, "has no such token; did you mean sandbox-pat-owner?"),
    ("CALENDLY_ACCESS_TOKEN=sandbox-pat- doctor --sandbox", 2, "CALENDLY_ACCESS_TOKEN: the sandbox has no such token;"),
    (
        "CALENDLY_ACCESS_TOKEN=sandbox-pat-0123456789012345 http --auth none --sandbox",
        2,
        "there are: sandbox-pat-owner,",
    ),
    # The environment
    ("CALENDLY_MCP_READONLY=1 whoami", 2, "which is no setting; did you mean CALENDLY_MCP_READ_ONLY?"),
    ("CALENDLY_ACCES_TOKEN=x whoami", 2, "did you mean CALENDLY_ACCESS_TOKEN?"),
    ("calendly_mcp_read_only=1 whoami", 2, "did you mean CALENDLY_MCP_READ_ONLY?"),
    ("CALENDLY_MCP_NONSENSE=x whoami", 2, 'the environment sets "CALENDLY_MCP_NONSENSE", which is no setting'),
    (f"{HERE} CALENDLY_MCP_READ_ONLY=maybe stdio", 2, "CALENDLY_MCP_READ_ONLY: must be true or false"),
    ("CALENDLY_MCP_LOG_LEVEL=loud whoami", 2, "CALENDLY_MCP_LOG_LEVEL: must be 'debug', 'info', 'warning' or 'error'."),
    ("CALENDLY_MCP_LOG_FORMAT=xml whoami", 2, "CALENDLY_MCP_LOG_FORMAT: must be 'text' or 'json'."),
    ("CALENDLY_MCP_AUDIT_DAYS=0 whoami", 2, "CALENDLY_MCP_AUDIT_DAYS: must be 1 or more."),
    ("CALENDLY_MCP_AUDIT_DETAIL=some whoami", 2, "CALENDLY_MCP_AUDIT_DETAIL: must be 'hashed' or 'full'."),
    ("CALENDLY_MCP_OWNERS=maya whoami", 2, "CALENDLY_MCP_OWNERS: must be e-mail addresses or user URIs"),
    ("CALENDLY_SCOPES=everything whoami", 2, 'CALENDLY_SCOPES: Calendly has no scope "everything"; there are: '),
    ("CALENDLY_MCP_SECRET_KEYS=k1:short http", 2, "CALENDLY_MCP_SECRET_KEYS: The key k1 is"),
    ("CALENDLY_MCP_SECRET_KEYS=nonsense http", 2, "CALENDLY_MCP_SECRET_KEYS: "),
    ("CALENDLY_MCP_REDIRECT_SCHEMES=https http", 2, "CALENDLY_MCP_REDIRECT_SCHEMES: "),
    ("CALENDLY_ACCESS_TOKEN='Bearer x' whoami", 2, "CALENDLY_ACCESS_TOKEN: this is no token"),
    ("CALENDLY_ACCESS_TOKEN=a CALENDLY_ACCESS_TOKEN_FILE=b whoami", 2, "are both set; set one of them."),
    ("CALENDLY_ACCESS_TOKEN_FILE=/nowhere whoami", 2, "/nowhere cannot be read: No such file or directory."),
    ("CALENDLY_ACCESS_TOKEN_FILE=~ whoami", 2, "is a folder."),
    ("CALENDLY_ACCESS_TOKEN_FILE=~/empty whoami", 2, "/empty is empty."),
    ("CALENDLY_ACCESS_TOKEN_FILE=~/blank whoami", 2, "/blank is empty."),
    (
        "CALENDLY_ACCESS_TOKEN_FILE=~/README.md whoami",
        2,
        "CALENDLY_ACCESS_TOKEN_FILE: this is no token. It is one word",
    ),
    ("CALENDLY_ACCESS_TOKEN_FILE=~/quoted whoami", 2, "without quotes"),
    ("CALENDLY_ACCESS_TOKEN_FILE=~/picture.png whoami", 2, "it is not text in UTF-8 or UTF-16."),
    (f"{HERE} SSL_CERT_FILE=/nowhere whoami", 2, "SSL_CERT_FILE: /nowhere: there is no such file."),
    (f"{HERE} SSL_CERT_FILE=~/no.pem whoami", 2, "no.pem holds no certificate (PEM)."),
    (f"{HERE} SSL_CERT_DIR=/nowhere whoami", 2, "SSL_CERT_DIR: there is no folder /nowhere."),
    (f"{HERE} ALL_PROXY=socks4://127.0.0.1:1 whoami", 2, "ALL_PROXY: socks4:// is no proxy that is known here"),
    (f"{HERE} https_proxy=http://a:b whoami", 2, "https_proxy: must be the address of a proxy"),
    ("whoami", 2, "no access token is set and nobody signed in"),
    ("stdio", 2, "no access token is set and nobody signed in"),
    ("http --auth none", 2, "no access token is set and nobody signed in"),
    # Files of settings
    (f"{HERE} --config /nowhere.toml", 2, "--config: /nowhere.toml cannot be read: No such file or directory."),
    (f"{HERE} --config ~", 2, "is a folder."),
    (f"{HERE} --config ~/empty", 2, "/empty is empty."),
    (f"{HERE} --config ~/picture.png", 2, "it is not text in UTF-8 or UTF-16."),
    (f"{HERE} --config ~/README.md", 2, "README.md is not TOML: "),
    (f"{HERE} --config ~/not.toml", 2, "not.toml is not TOML: "),
    (
        f"{HERE} --config ~/typo.toml",
        2,
        'names "CALENDLY_MCP_READONLY", which is no setting; did you mean CALENDLY_MCP_READ',
    ),
    (f"{HERE} --config ~/foreign.toml", 2, 'names "theme", which is no setting.'),
    (f"{HERE} --config ~/table.toml", 2, "CALENDLY_MCP_TOOLSETS: must be names, separated by commas."),
    (f"{HERE} --config ~/short.toml", 2, 'names "toolsets", which is no setting; did you mean CALENDLY_MCP_TOOLSETS?'),
    (f"{HERE} --config ~/flag.toml", 2, "did you mean CALENDLY_MCP_READ_ONLY?"),
    (f"{HERE} --config ~/token.toml", 2, "did you mean CALENDLY_ACCESS_TOKEN?"),
    (f"{HERE} --config ~/scopes.toml", 2, "did you mean CALENDLY_SCOPES?"),
    (f"{HERE} --config ~/only-flag.toml", 2, "only the flag --redirect-port sets it."),
    (f"{HERE} --config ~/number.toml", 2, "CALENDLY_MCP_READ_ONLY: must be true or false"),
    (f"{HERE} --config ~/nested.toml", 2, 'names "calendly", which is no setting: settings stand in no table'),
    (
        f"{HERE} --config ~/utf16.toml",
        2,
        'names "CALENDLY_MCP_ACCES", which is no setting; did you mean CALENDLY_MCP_ACCESS?',
    ),
    (f"{HERE} --config ~/cr.toml", 2, "CALENDLY_MCP_MAX_WAIT: must be 0 or more."),
    ("http --config ~/port.toml", 2, "CALENDLY_MCP_PORT: must be 65535 or less."),
    ("whoami --config ~/both.toml", 2, "are both set; set one of them."),
    # Clients
    ("install", 2, "the following arguments are required: CLIENT"),
    (
        "install emacs",
        2,
        'No client is called "emacs"; there are: claude-desktop, claude-code, cursor, vscode, windsurf, zed,',
    ),
    ("install VS-Code", 2, "did you mean vscode?"),
    ("install codx", 2, "did you mean codex?"),
    ("uninstall emacs", 2, 'No client is called "emacs"'),
    ("install zed windsurf", 2, '"windsurf" is one word too many.'),
    ("install zed --name 'a b'", 2, "--name: must be letters, digits, - and _"),
    ("install zed --remote http://example.com", 2, "--remote: must begin with https://"),
    ("install zed --remote https://example.com/other", 2, "--remote: must be the address of a hosted server"),
    ("install zed --remote example.com", 2, "--remote: "),
    (
        "install zed --remote https://example.com --access booking=ask",
        2,
        "--access is for a server that the client starts",
    ),
    (
        "install zed --remote https://example.com --token-file ~/token",
        2,
        "--token-file is for a server that the client",
    ),
    ("install zed --token-file /nowhere", 2, "--token-file: there is no file /nowhere."),
    ("install zed --token-file ~", 2, "is a folder."),
    ("install zed --token-file ~/README.md", 2, "README.md: this is no token. It is one word"),
    ("install zed --token-file ~/empty", 2, "/empty is empty."),
    ("install zed --token-file ~/token --sandbox", 2, "--sandbox needs no token: leave out --token-file."),
    ("CALENDLY_ACCESS_TOKEN_FILE=~/README.md install zed", 2, "CALENDLY_ACCESS_TOKEN_FILE: "),
    ("install zed --access booking=sometimes", 2, '--access: booking cannot be "sometimes"'),
    ("install zed --toolsets everything", 2, 'There is no toolset "everything"'),
    ("install zed --config ~/typo.toml", 2, "did you mean CALENDLY_MCP_READ_ONLY?"),
    ("install zed --config /nowhere", 2, "--config: there is no file /nowhere."),
    ("tools --config x", 2, "--config: tools does not take this flag; access, audit, doctor, events, http, install,"),
    ("demo --config=x", 2, "--config: demo does not take this flag; "),
    ("uninstall zed --config x", 2, "--config: uninstall does not take this flag; "),
    ("install zed --port 1", 2, "--port: install does not take this flag; http, sandbox do."),
    ("install cursor --yes", 1, 'has another server by the name "calendly"; --name NAME puts this one beside it.'),
    ("uninstall cursor --yes", 1, "is another server. Nothing was changed."),
    ("install cursor --name ours --yes", 1, 'has another server by the name "ours"'),
    ("install claude-code --yes", 1, "is not what the client can read (line 1 is no JSON), so it stays as it is."),
    ("uninstall claude-code --yes", 1, "is not what the client can read (line 1 is no JSON), so it stays as it is."),
    ("install gemini --yes", 1, "is not what the client can read (it is no JSON object), so it stays as it is."),
    ("install codex --yes", 1, "is not what the client can read (it is no TOML: "),
    ("install junie --yes", 1, 'is not what the client can read ("mcpServers" is no object), so it stays as it is.'),
    # The audit log, tokens, keys, access
    ("audit list", 1, "there is no database at"),
    ("audit verify", 1, "there is no database at"),
    ("audit list --tool redeem_code", 1, "there is no database at"),
    ("audit list --tool foo", 2, '--tool: there is no tool "foo"'),
    ("audit export --tool get_users", 2, "did you mean get_user?"),
    ("audit list --limit many", 2, "--limit: must be a number from 1 to 999999999."),
    ("audit list --limit -5", 2, "--limit: must be a number from 1 to 999999999."),
    ("audit list --limit 0", 2, "--limit: must be a number from 1 to 999999999."),
    ("audit list --decision maybe", 2, '--decision: there is no decision "maybe"; there are: allowed, refused, asked,'),
    ("audit list --decision refuse", 2, "did you mean refused?"),
    ("audit export --since soon", 2, "--since: must be a day or a time, such as 2026-12-01"),
    ("audit export --since 2026-12-02 --until 2026-12-01", 2, "--since: must be before --until."),
    ("audit list --entry 3", 2, "--entry: needs --chain"),
    ("audit list --chain 1234567890", 2, "--chain: must be a number from 1 to 999999999."),
    ("token list --database-url sqlite:////proc/nowhere/x", 1, "/proc/nowhere"),
    ("audit list --chain x", 2, "--chain: must be a number from 1 to 999999999."),
    ("audit list --database-url sqlite://", 2, "--database-url: sqlite:// is memory"),
    ("audit list --database-url sqlite:////nowhere/x", 1, "there is no database at /nowhere/x yet."),
    *(
        (f"{command} --database-url sqlite:///~/mistyped", 1, "there is no database at ")
        for command in (
            "keys rotate",
            "token list",
            "token revoke x",
            "token create --for x --scopes users:read",
            "events list",
            "access explain get_user --client x",
        )
    ),
    ("audit verify --database-url sqlite:///~/damaged.sqlite3", 1, "damaged.sqlite3"),
    ("token create --for CI", 2, "the following arguments are required: --scopes"),
    ("token create --scopes users:read", 2, "the following arguments are required: --for"),
    (
        "token create --for CI --scopes users:read --access users=all",
        2,
        '--access: users cannot be "all"; it can be off',
    ),
    (
        "token create --for CI --scopes foo",
        2,
        '--scopes: Calendly has no scope "foo"; there are: users:read, event_types',
    ),
    ("token create --for CI --scopes users:read --expires soon", 2, "--expires: must be a number of days, such as 90d"),
    ("token create --for CI --scopes users:read --expires 0", 2, "--expires: must be in the future"),
    ("token create --for CI --scopes users:read --expires 2001-01-01", 2, "--expires: must be in the future"),
    ("token create --for CI --scopes users:read --expires 99999", 2, "at most 3650 days away"),
    ("token revoke", 2, "the following arguments are required: ID"),
    ("token list --tools get_users", 2, "--tools: token does not take this flag; "),
    ("CALENDLY_MCP_TOOLS=get_users token list", 2, "did you mean get_user?"),
    ("access explain", 2, "the following arguments are required: TOOL"),
    ("access explain get_users", 2, 'There is no tool "get_users"; did you mean get_user?'),
    ("access explain get_user --tools x", 2, 'There is no tool "x"'),
    ("access explain get_user --client x --database-url sqlite://", 2, "--client: sqlite:// is memory"),
    ("access explain nonsense", 2, 'There is no tool "nonsense"; `calendly-mcp tools` lists them all.'),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A person's home, with files of all kinds."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def typed(line: str, home: Path) -> tuple[list[str], dict[str, str]]:
    """Divide a line into words and variables."""
    words = shlex.split(line.replace("~", str(home)))
    first = next((at for at, word in enumerate(words) if not word.partition("=")[0].isidentifier() or "=" not in word))
    return words[first:], dict(word.split("=", 1) for word in words[:first])


@pytest.mark.requirement("exit-wrong-usage", "one-line-error", "exit-failure", "tool-unknown")
def test_each_wrong_usage_is_one_line_with_the_right_status_before_anything_is_changed(home: Path) -> None:
    assert len(USAGES) >= 120
    folders = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": "", "CLAUDE_CONFIG_DIR": ""}
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for line, status, sentence in USAGES:
        with case(line):
            words, settings = typed(line, home)
            ended = run(*words, **folders, **settings)
            first, *rest = ended.stderr.splitlines()
            assert (ended.status, ended.stdout) == (status, ""), ended
            assert first.startswith("calendly-mcp: "), ended
            assert sentence in first, first
            assert "Traceback" not in ended.stderr
            assert not rest or sentence.startswith("no access token") or "so it stays as it is" in first
            assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
