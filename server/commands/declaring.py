"""How a command declares itself: each module of this folder holds one `COMMAND`."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from server.configuration.loading import load
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings
from server.configuration.terminal import exposed

Options = Mapping[str, Mapping[str, Any]]
"""The arguments of `argparse.ArgumentParser.add_argument`, by flag, or by name if the option is a plain word."""

SWITCH: Final[Mapping[str, Any]] = {"action": "store_const", "const": "true"}

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One command line, parsed.

    Attributes:
        command: The command.
        flags: The settings given as flags, by field name.
        config: The file of settings.
        options: The command's own options, by name without leading dashes and with `_` for `-`.
    """

    command: str
    flags: Mapping[str, str]
    config: Path | None
    options: Mapping[str, str]

    def settings(self, *, warns: bool = True) -> Settings:
        """Load the settings, log as they say, and warn of secrets that others can read. Raises UsageError."""
        settings = load(self.command, self.flags, config=self.config)
        log_to_stderr(settings.log_level, settings.log_format)
        for file in settings.exposed if warns else ():
            _log.warning(exposed(file))
        return settings


Run = Callable[[Invocation], int]
"""Does the work and returns the exit status. Raises UsageError and CommandError."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a command that has several.

    Attributes:
        help: What `--help` says.
        run: Does the work.
        options: The action's own options.
    """

    help: str
    run: Run
    options: Options = field(default_factory=dict[str, Mapping[str, Any]])


@dataclass(frozen=True, slots=True)
class Command:
    """A command: either `run` and its options, or actions.

    Attributes:
        run: Does the work; None if the command has actions.
        options: The command's own options, besides the flags of settings.
        actions: The actions by name.
    """

    run: Run | None = None
    options: Options = field(default_factory=dict[str, Mapping[str, Any]])
    actions: Mapping[str, Action] = field(default_factory=dict[str, Action])
