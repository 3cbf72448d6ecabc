"""This machine as other programs find it: the system, the person's home, and the folders that the environment names."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from server.configuration.terminal import CommandError


@dataclass(frozen=True, slots=True)
class Machine:
    """Where programs of a person keep their configuration.

    Attributes:
        platform: As `sys.platform` names it.
        home: The person's home.
        environ: The environment. What is set for this product itself is read in `server.configuration.settings`.
    """

    platform: str
    home: Path
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def here(cls) -> Self:
        """Return this machine. Raises CommandError for a person without a home."""
        try:
            return cls(sys.platform, Path.home(), os.environ)
        except RuntimeError:
            raise CommandError("this user has no home folder, so there is no configuration of a client.") from None

    def folder(self, variable: str, *otherwise: str) -> Path:
        """Return the folder that a variable names, or one below the person's home."""
        named = Path(self.environ.get(variable, ""))
        return named if named.is_absolute() else self.home.joinpath(*otherwise)

    @property
    def programs(self) -> Path:
        """Where programs keep what they remember of their user: `appData`, as Electron calls it."""
        if self.platform == "win32":
            return self.folder("APPDATA", "AppData", "Roaming")
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        return self.folder("XDG_CONFIG_HOME", ".config")
