"""The command line: finds the command, parses its flags, and turns every failure into one line and an exit status."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from textwrap import fill
from typing import Final, NoReturn, cast

from typing_extensions import override

from server.commands.declaring import Command, Invocation, Options, Run
from server.commands.mistyped import sentence, surplus
from server.configuration.failing import ending
from server.configuration.hints import as_typed
from server.configuration.settings import SETTINGS, Settings
from server.configuration.terminal import DISTRIBUTION, PROGRAM, UsageError, say

COMMANDS: Final = {
    "stdio": "serve MCP over stdin and stdout, for a client that starts the server itself (the default)",
    "http": "serve MCP over Streamable HTTP",
    "sandbox": "serve a Calendly of its own over HTTP",
    "demo": "show an MCP client at work against the sandbox",
    "tools": "list every tool with its endpoint, scope, access, capability and toolset",
    "install": "add this server to the configuration of a client",
    "uninstall": "take this server out of the configuration of a client",
    "whoami": "show the person, organization and zone behind the token or the sign-in",
    "doctor": "check token, network, clock, clients and data, and say what to fix",
    "login": "sign in at Calendly by browser, for a server on this machine",
    "logout": "end that sign-in",
    "token": "manage tokens of the hosted endpoint for agents without a browser",
    "events": "manage what Calendly tells the hosted endpoint, and what it posts to other programs",
    "access": "explain what an agent may do, and which rule decides",
    "keys": "manage the keys that encrypt the secrets of the hosted endpoint",
    "audit": "read and verify the audit log",
}
"""What each command does. The module with its name in this folder declares the rest; it is loaded when asked for."""

_WIDTH: Final = 120
_SETTING: Final = "setting "
"""Marks a flag of a setting among the parsed arguments, since options of a command may have the same name."""


def run(words: Sequence[str]) -> int:
    """Run a command.

    Args:
        words: The command line without the program's name.

    Returns:
        The exit status: 0, 2 for wrong usage, 1 for every other failure.
    """
    _open_streams()
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")  # a terminal that lacks a character is no failure
    try:
        act, invocation = _parse(words)
        gc.freeze()
        gc.enable()
        return act(invocation)
    except Exception as fault:  # noqa: BLE001 - whatever it is, a person reads one line
        line, status = ending(fault)
        if isinstance(fault, OSError):
            _drop_output()
        if line:
            say(as_typed(f"{PROGRAM}: {line}"))
        return status


def declaration(name: str) -> Command:
    """Load the declaration of a command."""
    return cast("Command", import_module(f"server.commands.{name}").COMMAND)


def _open_streams() -> None:
    """Read and write nothing where a stream is closed: Python has None in its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _drop_output() -> None:
    """Write to stdout no more: Python would complain at its end that what is left cannot be written."""
    if sys.stdout is sys.__stdout__:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class _Parser(argparse.ArgumentParser):
    """argparse, with errors of one line."""

    @override
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{sentence(message)} See `{self.prog} --help`.")

    @override
    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        sys.stdout.flush()  # so that a full disk is told
        super().exit(status, message)


def _parse(words: Sequence[str]) -> tuple[Run, Invocation]:
    if not words or (words[0].startswith("-") and words[0] not in {"-h", "--help", "--version"}):
        words = ["stdio", *words]
    parsed, surplus_words = _parser(words[0]).parse_known_args(words)
    given = {name: value for name, value in vars(parsed).items() if value is not None}
    if surplus_words:
        raise UsageError(surplus(surplus_words, given["command"], _flags(given["command"]), COMMANDS))
    settings = {name for name in given if name.startswith(_SETTING)}
    flags = {name.removeprefix(_SETTING): given.pop(name) for name in settings}
    config, act = flags.pop("config", None), given.pop("run")
    command, _ = given.pop("command"), given.pop("action", None)
    return act, Invocation(command, flags, config, given)


def _flags(command: str) -> set[str]:
    """List the flags that a command takes, or any of its actions."""
    declared = declaration(command)
    options = [declared.options, *(action.options for action in declared.actions.values())]
    settings = {setting.flag for setting in SETTINGS.values() if setting.flag and command in setting.commands}
    of_file = {"--config"} if settings else set[str]()
    return {*settings, *of_file, *(flag for named in options for flag in named), "--help"}


def _parser(asked: str) -> argparse.ArgumentParser:
    """Make the parser; only the command that is asked for gets its flags."""
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
        added = commands.add_parser(name, help=purpose, description=_sentence(purpose), allow_abbrev=False)
        if name == asked:
            _declare(added, name, declaration(name))
    return parser


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _declare(parser: argparse.ArgumentParser, name: str, declared: Command) -> None:
    if declared.run is not None:
        _add_flags(parser, name, declared.options, declared.run)
        return
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for word, action in declared.actions.items():
        added = actions.add_parser(word, help=action.help, description=_sentence(action.help), allow_abbrev=False)
        _add_flags(added, name, action.options, action.run)


def _add_flags(parser: argparse.ArgumentParser, command: str, options: Options, act: Run) -> None:
    parser.set_defaults(run=act)
    for option, arguments in options.items():
        parser.add_argument(option, **arguments)
    taken = {name: setting for name, setting in SETTINGS.items() if setting.flag and command in setting.commands}
    for name, setting in taken.items():
        flag, dest = cast("str", setting.flag), _SETTING + name
        if Settings.model_fields[name].annotation is bool:
            parser.add_argument(flag, dest=dest, action="store_const", const="true", help=setting.help)
        else:
            parser.add_argument(flag, dest=dest, metavar="VALUE", action=_Once, help=setting.help)
    if taken:
        told = "settings as a TOML file, named as in the environment"
        parser.add_argument("--config", dest=f"{_SETTING}config", type=Path, metavar="FILE", help=told)


class _Once(argparse.Action):
    """Store a value, and refuse a second one: the last would drop what the first restricts, in silence."""

    @override
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        if getattr(namespace, self.dest, None) is not None:
            raise argparse.ArgumentError(self, "comes twice: give it once, several values by commas")
        setattr(namespace, self.dest, values)


def _settings_help() -> str:
    """List all settings, one a line."""
    variables = {setting.variable: setting.help for setting in SETTINGS.values() if setting.variable}
    width = max(map(len, variables)) + 1
    return "\n".join(
        [
            "settings, as environment variables or in the TOML file of --config (a flag wins over both):",
            *(
                fill(told, _WIDTH, initial_indent=f"  {variable:<{width}} ", subsequent_indent=" " * (width + 3))
                for variable, told in variables.items()
            ),
            "",
            as_typed(f"`{PROGRAM} COMMAND --help` lists the flags of a command."),
        ]
    )
