"""`calendly-mcp install CLIENT`."""

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

from server.commands.declaring import SWITCH, Command, Invocation, Options
from server.configuration.hints import as_typed
from server.configuration.loading import load
from server.configuration.settings import SETTINGS, TOKEN, TOKEN_FILE, Settings
from server.configuration.terminal import PROGRAM, CommandError, UsageError, exposed, say, show
from server.configuration.text_files import TextFileError, read_text
from server.configuration.values import read_origin, read_token
from server.installing import jsonc
from server.installing.client_files import FileChange, with_entry
from server.installing.clients import (
    NAME,
    ClientProgram,
    Local,
    Remote,
    ServerEntry,
    args_of,
    endpoint_of,
    env_of,
    is_off,
    is_our_entry,
)
from server.installing.configuring import NAMES, client_named, refusal, settle
from server.installing.jsonc import Json
from server.installing.keeping import renewed
from server.installing.machine import Machine
from server.installing.starting import Start, how_to_start
from storage.private_files import is_exposed

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_ADDRESS: Final = "CALENDLY_API_URL"
_DATA: Final = "XDG_DATA_HOME"
_BUS: Final = "DBUS_SESSION_BUS_ADDRESS"
_HEADERS: Final = {"read_only": "X-MCP-Readonly", "toolsets": "X-MCP-Toolsets", "tools": "X-MCP-Tools"}
"""The headers with which a client limits a hosted server, by the setting with the same effect here."""


@dataclass(frozen=True, slots=True)
class WantedEntry:
    """The entry that was asked for.

    Attributes:
        name: Its name.
        remote: The address of a hosted endpoint; None for a server that the client starts.
        flags: The flags of the server, by setting.
        token_file: The file that holds the token, if there is one.
        config: The file of settings, if there is one.
    """

    name: str = NAME
    remote: str | None = None
    flags: Mapping[str, str] = field(default_factory=dict[str, str])
    token_file: Path | None = None
    config: Path | None = None

    def __post_init__(self) -> None:
        """Check that the options go together, and what they name. Raises UsageError."""
        if not _NAME.fullmatch(self.name):
            raise UsageError("--name: must be letters, digits, - and _, with a letter first.")
        local = {"--token-file": self.token_file, "--config": self.config}
        pointless = [flag for flag, given in local.items() if given]
        pointless += [cast("str", SETTINGS[name].flag) for name in self.flags if name not in _HEADERS]
        if self.remote and pointless:
            raise UsageError(
                f"{pointless[0]} is for a server that the client starts; the server at --remote has its own settings."
            )
        if self.token_file:
            check_token_file(self.token_file, "--token-file")
        if self.config and not self.config.is_file():
            raise UsageError(f"--config: there is no file {self.config}.")
        if "sandbox" in self.flags and self.token_file:
            raise UsageError("--sandbox needs no token: leave out --token-file.")
        _check(self.flags, self.config)

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments of the server."""
        flags = [
            word
            for name, setting in SETTINGS.items()
            if name in self.flags
            for word in ([setting.flag] if _is_switch(name) else [setting.flag, self.flags[name]])
        ]
        return (*filter(None, flags), *(["--config", str(self.config)] if self.config else []))

    @property
    def headers(self) -> dict[str, str]:
        """The headers for a hosted server."""
        return {_HEADERS[name]: value for name, value in self.flags.items()}


def run(invocation: Invocation) -> int:
    """Write our entry into the client's configuration, after showing the change."""
    machine = Machine.here()
    client = client_named(invocation.options["client"])
    wanted = _wanted(invocation)
    start = how_to_start(Path(sys.prefix), machine.environ, machine.platform, shutil.which, Path(sys.executable))
    change, gone = change_for(client, machine, wanted, start)
    if not change.is_needed:
        show(f"{client.title} is set up already: {change.file} stays as it is.")
        return 0
    if not change.file.parent.is_dir():
        say(f"There is no folder {change.file.parent} yet. Is {client.title} on this machine, and was it started once?")
    if wanted.token_file and is_exposed(wanted.token_file):
        say(exposed(wanted.token_file))
    if gone:
        say(f"The entry that is there loses: {', '.join(gone)}.")
    if not settle(change, machine, asking="yes" not in invocation.options):
        return 1
    for line in _next_steps(client, change, machine):
        show(as_typed(line))
    return 0


def change_for(
    client: ClientProgram, machine: Machine, wanted: WantedEntry, start: Start
) -> tuple[FileChange, tuple[str, ...]]:
    """Return the change that puts an entry into a client's configuration, and what our entry there loses.

    Raises:
        CommandError: The file cannot be read or understood, or another server has the name already.
    """
    entry, file = entry_for(client, machine, wanted, start), client.file(machine)
    given = {TOKEN_FILE} if wanted.token_file else set[str]()
    gone: list[str] = []

    def make(found: Json) -> ServerEntry:
        if found is not None and not is_our_entry(found):
            raise CommandError(
                f'{file} has another server by the name "{wanted.name}"; --name NAME puts this one beside it. '
                "Nothing was changed."
            )
        result = renewed(found if isinstance(found, dict) else {}, entry, given)
        gone.extend(result.gone)
        return result.entry

    try:
        return with_entry(client, file, wanted.name, make), tuple(gone)
    except (jsonc.UnreadableError, jsonc.NotAnObjectError) as fault:
        raise refusal(client, file, wanted.name, entry, fault) from None


def entry_for(client: ClientProgram, machine: Machine, wanted: WantedEntry, start: Start) -> ServerEntry:
    """Return an entry in the client's own form. No secret is in it."""
    if wanted.remote:
        return client.remote(Remote(wanted.remote, wanted.headers))
    env = {} if "sandbox" in wanted.flags else _defaults(machine)
    if wanted.token_file:
        env[TOKEN_FILE] = str(wanted.token_file)
    return client.local(Local(start.with_args(*wanted.words), env))


def _defaults(machine: Machine) -> dict[str, str]:
    """Return the variables that lead to the person and the audit log. Many clients pass on none that a shell has."""
    env: dict[str, str] = {}
    if machine.environ.get(TOKEN_FILE):
        env[TOKEN_FILE] = str(_absolute(machine.environ[TOKEN_FILE]))
        check_token_file(Path(env[TOKEN_FILE]), TOKEN_FILE)
    if machine.environ.get(_ADDRESS):  # the token is for this Calendly alone
        env[_ADDRESS] = machine.environ[_ADDRESS]
    if Path(machine.environ.get(_DATA, "")).is_absolute():
        env[_DATA] = machine.environ[_DATA]
    # Without it there is no keyring on Linux. This form of the address is the same in every
    # session.
    if machine.environ.get(_BUS, "").startswith("unix:path=/run/"):
        env[_BUS] = machine.environ[_BUS]
    return env


def check_token_file(file: Path, label: str) -> None:
    """Check that a file holds a token. Raises UsageError."""
    try:
        read_token(read_text(file))
    except FileNotFoundError:
        raise UsageError(f"{label}: there is no file {file}.") from None
    except TextFileError as fault:
        raise UsageError(f"{label}: {file} {fault}.") from None
    except ValueError as fault:
        raise UsageError(f"{label}: {file}: {fault}") from None


def _check(flags: Mapping[str, str], config: Path | None) -> None:
    """Check the flags and the file of the server as it will when it starts. Raises UsageError."""
    if not flags and config is None:
        return
    from server.app import rules  # noqa: PLC0415 - loads all tools
    from server.calls.selection import select  # noqa: PLC0415 - the same
    from tools import ALL  # noqa: PLC0415 - the same

    settings = load("stdio", flags, config=config, environ={})
    select(ALL, rules(settings, settings.local_ceiling))


def _is_switch(name: str) -> bool:
    return Settings.model_fields[name].annotation is bool


def _wanted(invocation: Invocation) -> WantedEntry:
    options, remote = invocation.options, invocation.options.get("remote")
    return WantedEntry(
        name=options.get("name", NAME),
        remote=None if remote is None else _endpoint(remote),
        flags=invocation.flags,
        token_file=_absolute(options["token_file"]) if "token_file" in options else None,
        config=_absolute(str(invocation.config)) if invocation.config else None,
    )


def _absolute(path: str) -> Path:
    """Return the absolute path of a file: the client starts the server in any folder."""
    return Path(path).expanduser().absolute()


def _endpoint(text: str) -> str:
    """Read the address of a hosted server, with or without the path `/mcp`. Raises UsageError."""
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.path.rstrip("/") not in {"", "/mcp"}:
        raise UsageError("--remote: must be the address of a hosted server, such as https://calendly-mcp.example.com.")
    try:
        return f"{read_origin(f'{parts.scheme}://{parts.netloc}')}/mcp"
    except ValueError as fault:
        raise UsageError(f"--remote: {fault}") from None


def _next_steps(client: ClientProgram, change: FileChange, machine: Machine) -> list[str]:
    entry = client.form.find(change.after or "", change.entry)
    steps, words, env = [client.afterwards], args_of(entry), env_of(entry)
    if is_off(entry):
        steps.append(f"It is switched off in {client.title}, and stays so until you switch it on there.")
    if url := endpoint_of(entry):
        if client.name == "claude-desktop":
            steps.append(
                "It reaches the server by mcp-remote, which needs Node.js. Without it: Connectors > Add custom "
                f"connector, with {url}."
            )
        return steps
    if "--sandbox" in words:
        steps.append(f"It talks to the sandbox; `{PROGRAM} uninstall {client.name}`, and installing it anew, end that.")
    elif not {TOKEN, TOKEN_FILE}.intersection(env):
        steps.append(
            "It acts for the person who signed in with `calendly-mcp login`; --token-file names a token instead."
        )
        if machine.environ.get(TOKEN):
            say(f"{TOKEN} is set here, but no secret is written into {client.title}'s file.")
    return [*steps, "`calendly-mcp doctor` says whether everything is in order."]


OPTIONS: Final[Options] = {
    "client": {"metavar": "CLIENT", "help": NAMES},
    "--name": {"metavar": "NAME", "help": f"name of the server there (default {NAME})"},
    "--yes": {**SWITCH, "help": "write without asking"},
}
"""The options of `uninstall` as well."""

COMMAND: Final = Command(
    run,
    {
        **OPTIONS,
        "--remote": {"metavar": "URL", "help": "connect to a hosted server, in place of one that the client starts"},
        "--token-file": {
            "metavar": "FILE",
            "help": f"a file that holds the access token (default: {TOKEN_FILE}, else the sign-in of login)",
        },
    },
)
