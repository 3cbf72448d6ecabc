"""This machine as other programs see it: the platform, the home folder, and the folders that the environment names."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from server.configuration.terminal import CommandError


@dataclass(frozen=True, slots=True)
class Machine:
    """Where programs keep a person's configuration.

    Attributes:
        platform: The platform, as in `sys.platform`.
        home: The home folder.
        environ: The environment. Settings of this product are read by
            `server.configuration.loading` instead.
    """

    platform: str
    home: Path
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def here(cls) -> Self:
        """Return this machine. Raises CommandError if the user has no home folder."""
        try:
            return cls(sys.platform, Path.home(), os.environ)
        except RuntimeError:
            raise CommandError("this user has no home folder, so no client has a configuration.") from None

    def folder(self, variable: str, *otherwise: str) -> Path:
        """Return the folder that a variable names, or else one below the home folder."""
        named = Path(self.environ.get(variable, ""))
        return named if named.is_absolute() else self.home.joinpath(*otherwise)

    @property
    def programs(self) -> Path:
        """The folder of programs' data; Electron calls it `appData`."""
        if self.platform == "win32":
            return self.folder("APPDATA", "AppData", "Roaming")
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        return self.folder("XDG_CONFIG_HOME", ".config")
