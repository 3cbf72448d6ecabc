"""What the modules of `server.commands` declare, and what the command line makes of it."""

from pathlib import Path

import pytest

from server.commands import cli
from server.commands.cli import COMMANDS, declaration
from server.configuration.settings import SETTINGS


def test_every_module_is_a_command_and_every_command_has_a_module() -> None:
    modules = {path.stem for path in Path(cli.__file__).parent.glob("*.py")}
    assert modules - {"__init__", "cli", "declaring", "mistyped"} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_either_runs_or_has_actions(name: str) -> None:
    command = declaration(name)
    assert (command.run is None) == bool(command.actions)
    assert not (command.options and command.actions)


def test_the_flags_of_settings_are_for_commands_that_exist() -> None:
    assert {command for setting in SETTINGS.values() for command in setting.commands} <= set(COMMANDS)
