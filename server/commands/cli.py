"""The command line: what there is to run, its flags, and every failure as one line with its exit status."""

import argparse
import gc
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from typing_extensions import override

from server.configuration.command_line import CommandLine
from server.configuration.settings import SOURCES, Settings
from server.configuration.terminal import DISTRIBUTION, PROGRAM, CommandError, UsageError, say

COMMANDS: Final = {
    "stdio": "MCP over stdin and stdout, for a client that starts the server itself (the default)",
    "http": "MCP over Streamable HTTP, on an address of this machine",
    "sandbox": "a Calendly of its own, as an HTTP service",
    "demo": "an MCP client at work against the sandbox, as a transcript",
    "tools": "every tool with its endpoint, scope, access, capability and toolset",
    "install": "the configuration of a client, so that it starts or reaches this server",
    "uninstall": "the same configuration without this server",
    "whoami": "the person, organization and zone behind the token or the sign-in",
    "doctor": "whether token, network, clock, clients and data are in order, and what to do where they are not",
    "login": "sign in at Calendly by browser, for a server on this machine",
    "logout": "end that sign-in",
    "token": "tokens of the hosted endpoint for agents without a browser",
    "access": "what an agent may do, and which rule decides",
    "keys": "the keys under which the hosted endpoint keeps its secrets",
    "audit": "the audit log of what agents did",
}


@dataclass(frozen=True, slots=True)
class Action:
    """What a command can be told to do. `options` are argparse's arguments by flag, or by name for a plain word."""

    help: str
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


_SOUGHT: Final[Mapping[str, Mapping[str, Any]]] = {
    "--person": {
        "metavar": "WHO",
        "help": "whose Calendly it is, by user URI, uuid, or the e-mail address of who connected",
    },
    "--agent": {"metavar": "NAME", "help": "by which agent"},
    "--tool": {"metavar": "NAME", "help": "of which tool, or which decision, such as redeem_code"},
    "--decision": {"metavar": "WORD", "help": "allowed, refused, asked, declined or tried"},
    "--since": {"metavar": "TIME", "help": "from a day or time on, such as 2026-12-01 or 2026-12-01T09:00+01:00"},
    "--until": {"metavar": "TIME", "help": "before a day or time"},
}
_LIMIT: Final[Mapping[str, Any]] = {"metavar": "N", "help": "at most so many (default 50)"}

_SWITCH: Final[Mapping[str, Any]] = {"action": "store_const", "const": "true"}
_CLIENT: Final[Mapping[str, Mapping[str, Any]]] = {
    "client": {"metavar": "CLIENT", "help": "claude-desktop, claude-code, cursor, vscode, windsurf or zed"},
    "--name": {"metavar": "NAME", "help": "what the server is called there (default calendly)"},
    "--yes": {**_SWITCH, "help": "write without asking"},
}

ACTIONS: Final[Mapping[str, Mapping[str, Action]]] = {
    "token": {
        "create": Action(
            "make a token and print it, this once",
            {
                "--for": {"required": True, "metavar": "NAME", "help": "what the agent is called"},
                "--scopes": {
                    "required": True,
                    "metavar": "SCOPES",
                    "help": "what it may do: Calendly's scopes, by commas",
                },
                "--access": {
                    "metavar": "LEVELS",
                    "help": "how far it goes with them: capability=off, read, ask or full, by commas (default: all; "
                    "what cannot be undone or reaches others, at ask)",
                },
                "--user": {
                    "metavar": "WHO",
                    "help": "for whom it acts, by e-mail or URI, where several people connected",
                },
            },
        ),
        "list": Action("list the tokens that are good"),
        "revoke": Action("end a token at once", {"id": {"metavar": "ID", "help": "its id, as the list has it"}}),
    },
    "access": {
        "explain": Action(
            "say what a call of a tool would meet, without calling it",
            {
                "tool": {"metavar": "TOOL", "help": "the tool's name"},
                "--client": {
                    "metavar": "ID",
                    "help": "an agent of the hosted endpoint, by the id of its client or of its grant "
                    "(default: the agent of this machine)",
                },
            },
        ),
    },
    "audit": {
        "list": Action("print entries, the newest first", {**_SOUGHT, "--limit": _LIMIT}),
        "export": Action("print entries as JSON Lines, the oldest first", _SOUGHT),
        "verify": Action("find what was changed, removed or moved"),
    },
    "keys": {"rotate": Action("seal every stored secret anew, under the first key of the ring")},
    "install": {
        "": Action(
            "",
            {
                **_CLIENT,
                "--remote": {"metavar": "URL", "help": "a hosted server, in place of one that the client starts"},
                "--sandbox": {**_SWITCH, "help": "with the sandbox: no account, no token"},
                "--read-only": {**_SWITCH, "help": "without tools that write"},
                "--token-file": {
                    "metavar": "FILE",
                    "help": "a file that holds the access token (default: CALENDLY_ACCESS_TOKEN_FILE, else who signed "
                    "in with login)",
                },
                "--config": {"metavar": "FILE", "help": "a file of settings"},
            },
        )
    },
    "uninstall": {"": Action("", _CLIENT)},
}


def run(words: Sequence[str]) -> int:
    """Run a command.

    Args:
        words: The command line without the program's name.

    Returns:
        The exit status: 0, 2 for wrong usage, 1 for every other failure.
    """
    try:
        command, arguments = _parse(words)
        # A command is loaded when it runs: stdio starts without what the others need.
        module = import_module(f"server.commands.{command}")

        gc.freeze()
        gc.enable()
        return cast("Callable[[CommandLine], int]", module.run)(arguments)
    except UsageError as error:
        say(f"{PROGRAM}: {error}")
        return 2
    except CommandError as error:
        say(f"{PROGRAM}: {error}")
        return 1
    except BrokenPipeError:  # the reader of our output has had enough
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


class _Parser(argparse.ArgumentParser):
    """argparse, with errors of one line."""

    @override
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def _parse(words: Sequence[str]) -> tuple[str, CommandLine]:
    if not words or (words[0].startswith("-") and words[0] not in {"-h", "--help", "--version"}):
        words = ["stdio", *words]
    given = vars(_parser().parse_args(words))
    settable = {name for name, source in SOURCES.items() if source.flag}
    command, action = given["command"], given.get("action", "")
    known = [option.lstrip("-") for option in ACTIONS[command][action].options] if command in ACTIONS else []
    options = {name: given[name.replace("-", "_")] for name in known if given[name.replace("-", "_")] is not None}
    own = [name.replace("-", "_") for name in known]
    flags = {name: given[name] for name in settable.intersection(given).difference(own) if given[name] is not None}
    return command, CommandLine(flags, given.get("config"), bool(given.get("json")), action, options)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="Calendly for AI agents: Calendly's endpoints as MCP tools. Without a command: stdio.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {version(DISTRIBUTION)}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(
            name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", allow_abbrev=False
        )
        if "" in ACTIONS.get(name, {}):
            _add_options(command, ACTIONS[name][""])
        elif name in ACTIONS:
            _add_actions(command, name)
        else:
            _add_flags(command, name)
    return parser


def _add_actions(parser: argparse.ArgumentParser, command: str) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, action in ACTIONS[command].items():
        told = actions.add_parser(name, help=action.help, description=action.help.capitalize(), allow_abbrev=False)
        _add_options(told, action)
        _add_flags(told, command)


def _add_options(parser: argparse.ArgumentParser, action: Action) -> None:
    for option, argument in action.options.items():
        parser.add_argument(option, **argument)


def _add_flags(parser: argparse.ArgumentParser, command: str) -> None:
    for name, source in SOURCES.items():
        if source.flag is None or command not in source.commands:
            continue
        if Settings.model_fields[name].annotation is bool:
            parser.add_argument(source.flag, dest=name, action="store_const", const="true", help=source.help)
        else:
            parser.add_argument(source.flag, dest=name, metavar="VALUE", help=source.help)
    if any(command in source.commands for source in SOURCES.values()):
        parser.add_argument(
            "--config", type=Path, metavar="FILE", help="settings as a TOML file, named as in the environment"
        )
    if command == "tools":
        parser.add_argument("--json", action="store_true", help="as JSON")


def _settings_help() -> str:
    """All settings, one a line: the variable is also the name in a file given with --config; a flag wins."""
    variables = [source for source in SOURCES.values() if source.variable]
    width = max(len(cast("str", source.variable)) for source in variables) + 1
    lines = [f"  {source.variable:<{width}} {source.help}" for source in variables]
    return "\n".join(
        [
            "settings, as environment variables or in the TOML file of --config (a flag wins over both):",
            *lines,
            "",
            f"{PROGRAM} COMMAND --help lists the flags of a command.",
        ]
    )
