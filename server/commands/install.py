"""`calendly-mcp install CLIENT`."""

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from server.commands.declaring import SWITCH, Command, Invocation, Options
from server.configuration.hints import as_typed
from server.configuration.settings import TOKEN, TOKEN_FILE
from server.configuration.terminal import CommandError, UsageError, say, show
from server.configuration.values import read_origin
from server.installing import jsonc
from server.installing.client_files import Change, with_entry
from server.installing.clients import NAME, READ_ONLY, ClientProgram, Local, Remote, ServerEntry, is_our_entry
from server.installing.configuring import NAMES, client_named, refusal, settle
from server.installing.machine import Machine
from server.installing.starting import Start, how_to_start

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_DATA: Final = "XDG_DATA_HOME"
_BUS: Final = "DBUS_SESSION_BUS_ADDRESS"


@dataclass(frozen=True, slots=True)
class WantedEntry:
    """The entry that was asked for.

    Attributes:
        name: Its name.
        remote: The address of a hosted endpoint; None for a server that the client starts.
        sandbox: Whether the sandbox takes the place of Calendly.
        read_only: Whether tools that write are left out.
        token_file: The file that holds the token, if there is one.
        config: The file of settings, if there is one.
    """

    name: str = NAME
    remote: str | None = None
    sandbox: bool = False
    read_only: bool = False
    token_file: Path | None = None
    config: Path | None = None

    def __post_init__(self) -> None:
        """Check that the options go together. Raises UsageError."""
        if not _NAME.fullmatch(self.name):
            raise UsageError("--name: must be letters, digits, - and _, with a letter first.")
        local = {"--sandbox": self.sandbox, "--token-file": self.token_file, "--config": self.config}
        pointless = [flag for flag, given in local.items() if given]
        if self.remote and pointless:
            raise UsageError(
                f"{pointless[0]} is for a server that the client starts; the server at --remote has its own settings."
            )
        for flag, file in (("--token-file", self.token_file), ("--config", self.config)):
            if file and not file.is_file():
                raise UsageError(f"{flag}: there is no file {file}.")


def run(invocation: Invocation) -> int:
    """Write our entry into the client's configuration, after showing the change."""
    machine = Machine.here()
    client = client_named(invocation.options["client"])
    wanted = _wanted(invocation, machine)
    start = how_to_start(Path(sys.prefix), machine.environ, machine.platform, shutil.which, Path(sys.executable))
    change = change_for(client, machine, wanted, start)
    if not change.is_needed:
        show(f"{client.title} is set up already: {change.file} stays as it is.")
        return 0
    if not change.file.parent.is_dir():
        say(f"There is no folder {change.file.parent} yet. Is {client.title} on this machine, and was it started once?")
    if not settle(change, machine, asking="yes" not in invocation.options):
        return 1
    for line in _next_steps(client, wanted, machine):
        show(as_typed(line))
    return 0


def change_for(client: ClientProgram, machine: Machine, wanted: WantedEntry, start: Start) -> Change:
    """Return the change that puts an entry into a client's configuration.

    Raises:
        CommandError: The file cannot be read or understood, or another server has the name already.
    """
    path, entry = (client.key, wanted.name), entry_for(client, machine, wanted, start)
    file = client.file(machine)
    try:
        change = with_entry(file, path, entry)
    except (jsonc.NotJsonError, jsonc.NotAnObjectError) as fault:
        raise refusal(file, path, entry, fault) from None
    if change.found is not None and not is_our_entry(change.found):
        raise CommandError(
            f'{file} has another server by the name "{wanted.name}"; --name NAME puts this one beside it. '
            "Nothing was changed."
        )
    return change


def entry_for(client: ClientProgram, machine: Machine, wanted: WantedEntry, start: Start) -> ServerEntry:
    """Return an entry in the client's own form. No secret is in it."""
    if wanted.remote:
        return client.remote(Remote(wanted.remote, READ_ONLY if wanted.read_only else {}))
    switches = [flag for flag, on in (("--sandbox", wanted.sandbox), ("--read-only", wanted.read_only)) if on]
    if wanted.config:
        switches += ["--config", str(wanted.config)]
    token = {TOKEN_FILE: str(wanted.token_file)} if wanted.token_file else {}
    return client.local(
        Local(start.with_args(*switches), token | ({} if wanted.sandbox else _environment_of_data(machine)))
    )


def _environment_of_data(machine: Machine) -> dict[str, str]:
    """Return the variables that lead to the sign-in and the audit log. Many clients pass on none that a shell has."""
    env: dict[str, str] = {}
    if Path(machine.environ.get(_DATA, "")).is_absolute():
        env[_DATA] = machine.environ[_DATA]
    # Without it there is no keyring on Linux. This form of the address is the same in every
    # session.
    if machine.environ.get(_BUS, "").startswith("unix:path=/run/"):
        env[_BUS] = machine.environ[_BUS]
    return env


def _wanted(invocation: Invocation, machine: Machine) -> WantedEntry:
    options, remote = invocation.options, invocation.options.get("remote")
    token_file = options.get("token_file") or (None if remote else machine.environ.get(TOKEN_FILE))
    return WantedEntry(
        name=options.get("name", NAME),
        remote=None if remote is None else _endpoint(remote),
        sandbox="sandbox" in options,
        read_only="read_only" in options,
        token_file=_absolute(token_file) if token_file and "sandbox" not in options else None,
        config=_absolute(options["config"]) if "config" in options else None,
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


def _next_steps(client: ClientProgram, wanted: WantedEntry, machine: Machine) -> list[str]:
    steps = [client.afterwards]
    if wanted.remote:
        if client.name == "claude-desktop":
            steps.append(
                "It reaches the server by mcp-remote, which needs Node.js. Without it: Connectors > Add custom "
                f"connector, with {wanted.remote}."
            )
        return steps
    if not wanted.sandbox and not wanted.token_file:
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
        "--sandbox": {**SWITCH, "help": "with the sandbox: no account, no token"},
        "--read-only": {**SWITCH, "help": "without tools that write"},
        "--token-file": {
            "metavar": "FILE",
            "help": f"a file that holds the access token (default: {TOKEN_FILE}, else the sign-in of login)",
        },
        "--config": {"metavar": "FILE", "help": "a file of settings"},
    },
)
