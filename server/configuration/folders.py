"""The folder of a person's data: where it is by default, and where it is for one person."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from server.configuration.settings import Settings
from server.configuration.terminal import CommandError

_FOLDER: Final = "calendly-mcp"


def data_folder(environ: Mapping[str, str], platform: str) -> Path:
    """Return the folder for the user's data; `~` stands for their home.

    Args:
        environ: The environment.
        platform: As `sys.platform` names it.
    """
    if Path(environ.get("XDG_DATA_HOME", "")).is_absolute():  # a relative path is ignored (XDG Base Directory)
        return Path(environ["XDG_DATA_HOME"], _FOLDER)
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA", "~/AppData/Local"), _FOLDER)
    return Path("~/Library/Application Support" if platform == "darwin" else "~/.local/share", _FOLDER)


def home_folder(settings: Settings) -> Path:
    """Return the folder of the user's data. Raises CommandError if the user has no home."""
    try:
        return settings.data_folder.expanduser()
    except RuntimeError:
        raise CommandError("this user has no home folder; set XDG_DATA_HOME to a folder for data.") from None
