"""Guesses what a person meant by a word that is no command, action or flag."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from server.configuration.layers import Setting
from server.configuration.settings import SETTINGS
from server.configuration.terminal import PROGRAM, suggestion

_CHOICE: Final = re.compile(r"argument (COMMAND|ACTION): invalid choice: '(.*)' \(choose from (.*)\)", re.DOTALL)
_NO_VALUE: Final = re.compile(r"argument (--\S+): expected one argument")
_SPARE_VALUE: Final = re.compile(r"argument (--\S+): ignored explicit argument '(.*)'", re.DOTALL)
_SECRET: Final = re.compile(r"token|secret|key|password|pat")
_LONGEST: Final = 60


def sentence(message: str) -> str:
    """Return argparse's error message, with the choices similar to a wrong one first."""
    if lacking := _NO_VALUE.fullmatch(message):
        return f"{lacking[1]}: needs a value."
    if spare := _SPARE_VALUE.fullmatch(message):
        return f"{spare[1]}: takes no value; leave out ={spare[2][:_LONGEST]}."
    found = _CHOICE.fullmatch(message)
    if found is None:
        return f"{message}."
    choices = re.findall(r"[\w-]+", found[3])
    hint = suggestion(found[2], choices) or f"there are: {', '.join(choices)}."
    return f'there is no {found[1].lower()} "{found[2][:_LONGEST]}"; {hint}'


def surplus(words: Sequence[str], command: str, flags: Collection[str], commands: Iterable[str]) -> str:
    """Return what is wrong with words that belong to no flag and no option.

    Args:
        words: The words.
        command: The command.
        flags: The flags that it takes, or any of its actions.
        commands: All commands.
    """
    flag = next((word.partition("=")[0] for word in words if word.startswith("-")), None)
    if flag is not None:
        return f"{flag[:_LONGEST]}: {_no_flag(flag, command, flags)}"
    if words[0] in commands:
        return f"the command comes first: `{PROGRAM} {words[0]}` …, then its flags."
    return f'"{words[0][:_LONGEST]}" is one word too many.'


def _no_flag(flag: str, command: str, flags: Collection[str]) -> str:
    if flag in flags:
        return f"another action of {command} takes this flag (see `{PROGRAM} {command} --help`)."
    alike = (setting for setting in SETTINGS.values() if setting.flag and flag in {setting.flag, "--config"})
    elsewhere = sorted({name for setting in alike for name in setting.commands})
    if elsewhere:
        return f"{command} does not take this flag; {', '.join(elsewhere)} {'does' if len(elsewhere) == 1 else 'do'}."
    if setting := _by_variable(SETTINGS, flag):
        where = f"{setting.variable} sets it, in the environment" + (
            f"; or {setting.variable}_FILE. Secrets are never taken from the command line."
            if setting.secret
            else " or in the file of --config."
        )
        return f"there is no such flag; {where}"
    if hint := suggestion(flag, flags):
        return f"there is no such flag; {hint}"
    if _SECRET.search(flag):
        return "there is no such flag: secrets are never taken from the command line."
    return f"there is no such flag (see `{PROGRAM} {command} --help`)."


def _by_variable(settings: Mapping[str, Setting], flag: str) -> Setting | None:
    """Find the setting for an invented flag: --log-level means CALENDLY_MCP_LOG_LEVEL."""
    name = flag.lstrip("-").upper().replace("-", "_")
    ours = (setting for setting in settings.values() if setting.variable and not setting.flag)
    return next((one for one in ours if one.variable in {f"CALENDLY_MCP_{name}", f"CALENDLY_{name}", name}), None)
