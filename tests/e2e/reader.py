"""A person who does what the documents say, line by line, on a machine where the sandbox stands for Calendly."""

import os
import shlex
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import anyio
import httpx2

from server.configuration.settings import SETTINGS
from tests.documents import ROOT
from tests.e2e.people import Browser
from tests.e2e.processes import Program, address_in, greet, program, request, run

SERVERS: Final = {"http": "http://127.0.0.1:8000", "sandbox": "http://127.0.0.1:9000"}
"""The commands that serve, and where the documents have them answer."""

WITH_A_TOKEN: Final = {"stdio", "whoami", "doctor", "http"}
"""The commands that a person with a token gives it to; `http` only where nobody signs in."""


@dataclass
class Reader:
    """A person at a terminal.

    Attributes:
        sandbox: Where Calendly answers.
        home: The person's home.
        data: Where programs keep their data: somebody has signed in there already, at a hosted endpoint.
        site: The address of that endpoint.
        agent: The client that was let in there.
        exported: What `export` has set.
        serving: What runs meanwhile.
        answers_at: Where it answers, by where the documents say it does.
    """

    sandbox: str
    home: Path
    data: Path
    site: str
    agent: str
    exported: dict[str, str] = field(default_factory=dict[str, str])
    serving: ExitStack = field(default_factory=ExitStack)
    answers_at: dict[str, str] = field(default_factory=dict[str, str])

    def settings(self, command: str = "", *, signs_in: bool = True) -> dict[str, str]:
        """Say what a command finds in its environment."""
        folders = {"HOME": str(self.home), "XDG_CONFIG_HOME": "", "CLAUDE_CONFIG_DIR": "", "PATH": os.devnull}
        addresses = dict.fromkeys(("CALENDLY_API_URL", "CALENDLY_AUTH_URL", "CALENDLY_ISSUER"), self.sandbox)
        own = {"XDG_DATA_HOME": str(self.data), "CALENDLY_MCP_PORT": "0", "CALENDLY_MCP_LOG_LEVEL": "warning"}
        if command in WITH_A_TOKEN and not (command == "http" and signs_in):
            own["CALENDLY_ACCESS_TOKEN_FILE"] = str(self.home / ".calendly-token")
        if command in {"token", "events", "access"}:
            own |= {"CALENDLY_MCP_PUBLIC_URL": self.site, "CALENDLY_MCP_CALLBACK_HOSTS": "n8n.example.com"}
        return folders | addresses | own | self.exported

    def real(self, line: str) -> str:
        """Put what there is here in place of what the documents leave open."""
        for shown, found in SUBSTITUTIONS.items():
            if shown in line:
                line = line.replace(shown, found(self))
        for shown, there in self.answers_at.items():
            line = line.replace(shown, there)
        return line

    def do(self, line: str) -> None:
        """Execute a line. Raises KeyError where it begins with a program that nobody has dealt with."""
        words = shlex.split(self.real(line), comments=True)
        if words:
            PROGRAMS[words[0]](self, words[1:])

    def token_id(self) -> str:
        """Tell the id of the last token that was made."""
        return run("token", "list", **self.settings("token")).stdout.splitlines()[1].split()[0]


SUBSTITUTIONS: Final[Mapping[str, Callable[[Reader], str]]] = {
    "/path/to/calendly-mcp-server/": lambda _: "",
    ".venv/bin/calendly-mcp": lambda _: "calendly-mcp",
    "/path/to/.calendly-token": lambda reader: str(reader.home / ".calendly-token"),
    "~/": lambda reader: f"{reader.home}/",
    "/run/secrets/calendly": lambda reader: str(reader.home / "secret"),
    "=settings.toml": lambda reader: f"={reader.home}/settings.toml",
    " settings.toml": lambda reader: f" {reader.home}/settings.toml",
    "CALENDLY_CLIENT_ID=…": lambda _: "CALENDLY_CLIENT_ID=sandbox-client",
    "maya@example.com": lambda _: "maya@northlight.example",
    "--client ID": lambda reader: f"--client {reader.agent}",
    "revoke ID": lambda reader: f"revoke {reader.token_id()}",
    "VERSION": lambda _: "Unreleased",
    "calendly-mcp login": lambda _: "calendly-mcp login --redirect-port 0",  # any port: another test may have 8765
}


def ours(reader: Reader, words: list[str]) -> None:
    """Run the program. It ends with 0, at once or when it is asked to."""
    first = words[0] if words and not words[0].startswith("-") else "stdio"
    start = STARTS.get(first)
    if start is not None:
        start(reader, words)
        return
    if first == "install" and not {"--remote", "--sandbox"}.intersection(words):
        # What a client starts sees none of the reader's variables.
        words = [*words, "--api-url", reader.sandbox, "--token-file", str(reader.home / ".calendly-token")]
    ended = run(*words, stdin="y\n", **reader.settings(first))
    assert ended.status == 0, f"{words}: {ended}"


def _serve(reader: Reader, words: list[str]) -> None:
    signs_in = not {"none", "--auth=none"}.intersection(words)
    server = reader.serving.enter_context(program(*words, **reader.settings(words[0], signs_in=signs_in)))
    reader.serving.callback(_stop, server)
    reader.answers_at[SERVERS[words[0]]] = server.line("ready: ").removesuffix("/mcp")


def _stop(server: Program) -> None:
    server.ask_to_stop()
    assert server.end().status == 0


def _converse(reader: Reader, words: list[str]) -> None:
    """Speak to it over stdio as a client does."""
    with program(*words, **reader.settings("stdio")) as server:
        assert greet(server)["serverInfo"]["name"]
        server.say(request("tools/list", 2))
        assert server.hear()["result"]["tools"]
        ended = server.end()
    assert ended.status == 0, ended


def _sign_in(reader: Reader, words: list[str]) -> None:
    with program(*words, **reader.settings("login")) as login:
        anyio.run(Browser().arrive, address_in(login))
        assert login.end().status == 0


STARTS: Final[Mapping[str, Callable[[Reader, list[str]], None]]] = {
    "http": _serve,
    "sandbox": _serve,
    "stdio": _converse,
    "login": _sign_in,
}


def _export(reader: Reader, words: list[str]) -> None:
    reader.exported |= dict(word.split("=", 1) for word in words)


def _published(reader: Reader, words: list[str]) -> None:
    """`uvx` and `pipx run` fetch the package and start the script of its name, which is ours: that is run here."""
    rest = words[1:] if words[0] == "run" else words
    assert rest[0] == "calendly-mcp-server"
    ours(reader, rest[1:])


def _pip(_: Reader, words: list[str]) -> None:
    """It would fetch the package; tests/repository/test_wheel.py installs what it would fetch."""
    assert words == ["install", "calendly-mcp-server"]


def _git(_: Reader, words: list[str]) -> None:
    """It would copy what the tests run in; the next lines are for the folder it names."""
    assert words == ["clone", "REPOSITORY", "calendly-mcp-server"]


def _cd(_: Reader, words: list[str]) -> None:
    assert words == ["calendly-mcp-server"]


def _make(_: Reader, words: list[str]) -> None:
    """`make test` runs these tests, and the other targets what CI runs: here it is enough that they are there."""
    [target] = [word for word in words if "=" not in word]
    assert f"\n{target}: " in (ROOT / "Makefile").read_text()


def _script(path: str) -> Callable[[Reader, list[str]], None]:
    """Those of the repository build, measure or take pictures for minutes: here it is enough that they are there."""

    def check(_: Reader, __: list[str]) -> None:
        assert os.access(ROOT / path, os.X_OK)

    return check


def _python(_: Reader, words: list[str]) -> None:
    """Benchmarks measure for minutes; tests/scripts and their own tests run them."""
    assert words[:2] == ["-m", "benchmarks"]
    assert (ROOT / "benchmarks/__main__.py").is_file()


def _pytest(_: Reader, words: list[str]) -> None:
    """A run within a run would write over its coverage."""
    assert all((ROOT / word).exists() for word in words if not word.startswith("-"))


def _ruff(_: Reader, words: list[str]) -> None:
    """The gate itself runs it, over the same files."""
    assert words in (["check", "--fix"], ["format"])


def _claude(reader: Reader, words: list[str]) -> None:
    """Claude Code is not here. What it would start starts, and what it would connect to is an endpoint of ours."""
    assert words[:2] == ["mcp", "add"]
    if "--" in words:
        started = words[words.index("--") + 1 :]
        named = [words[at + 1].partition("=")[0] for at, word in enumerate(words) if word == "--env"]
        assert {*named} <= {f"{setting.variable}{end}" for setting in SETTINGS.values() for end in ("", "_FILE")}
        PROGRAMS[started[0]](reader, started[1:])
    else:
        assert words[2:5] == ["--transport", "http", "calendly"]
        _is_an_endpoint(words[5])


def _is_an_endpoint(url: str) -> None:
    """A hosted endpoint sends who comes without a token to its authorization server; one on this machine lets in."""
    assert url.endswith("/mcp")
    if not url.startswith("https://calendly-mcp.example.com/"):
        assert httpx2.get(url).status_code in {401, 405}


def _docker(reader: Reader, words: list[str]) -> None:
    """Containers are not for every machine. The image's entry point is our program: its words are run here."""
    if words[0] == "build":
        assert words[1:] == ["--tag", "calendly-mcp-server", "."]
        assert 'ENTRYPOINT ["calendly-mcp"]' in (ROOT / "Dockerfile").read_text()
        return
    assert words[0] == "run"
    named = [words[at + 1].partition("=")[0] for at, word in enumerate(words) if word == "--env"]
    assert {*named} <= {f"{setting.variable}{end}" for setting in SETTINGS.values() for end in ("", "_FILE")}
    ours(reader, words[words.index("calendly-mcp-server") + 1 :])


def _curl(_: Reader, words: list[str]) -> None:
    """Ask what curl would ask: an address, or one with `--json` and what is sent."""
    if words[0] == "--json":
        answer = httpx2.post(words[2], content=words[1], headers={"Content-Type": "application/json"})
    else:
        [address] = words
        answer = httpx2.get(address)
    assert answer.is_success, answer.text


PROGRAMS: Final[Mapping[str, Callable[[Reader, list[str]], None]]] = {
    "calendly-mcp": ours,
    "export": _export,
    "uvx": _published,
    "pipx": _published,
    "pip": _pip,
    "git": _git,
    "cd": _cd,
    "make": _make,
    "claude": _claude,
    "docker": _docker,
    "curl": _curl,
    ".venv/bin/python": _python,
    ".venv/bin/pytest": _pytest,
    ".venv/bin/ruff": _ruff,
    **{f"scripts/{file.name}": _script(f"scripts/{file.name}") for file in (ROOT / "scripts").iterdir()},
}
"""Every program that a line may begin with. Where one cannot run here, what of it concerns us is checked instead."""
