"""Where settings are set besides the flags: the environment, and the TOML file that `--config` names."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from server.configuration.terminal import UsageError
from server.configuration.text_files import TextFileError, read_text

# The placeholders of MCP bundles, Cursor and VS Code. A client leaves one in place if its user gave
# no value.
_PLACEHOLDER: Final = re.compile(r"\$\{(user_config\.|env:|input:)[^{}]*\}")

_PREFIX: Final = "CALENDLY_MCP_"
_SERVICES: Final = "CALENDLY_"
_SERVICE: Final = re.compile(r"CALENDLY_MCP_(SERVICE_|PORT_\d)\w*")
"""What Kubernetes sets in every container beside a service called calendly-mcp. Its CALENDLY_MCP_PORT is an address."""

_ADDRESS: Final = re.compile(r"(tcp|udp)://\S+")
_NEARLY: Final = 0.86
"""How alike a variable and a setting are for it to be a typing error: no other program's variable is."""
_ALIKE: Final = 0.7
"""How alike the ends of two variables with our prefix are for one to be a typing error for the other."""

Value: TypeAlias = str | int | float | bool | list[str]


class Given(NamedTuple):
    """A setting as somebody gave it.

    Attributes:
        name: What the person calls it.
        value: Its value.
        file: The file that holds the value, if one does.
    """

    name: str
    value: Value
    file: Path | None = None


Layer: TypeAlias = dict[str, Given]
"""The settings of one layer by field."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a setting is called and what is said of it.

    Attributes:
        variable: The environment variable, and the name in the file; None if there is only a flag.
        flag: The flag; None if there is none.
        commands: The commands that take the flag.
        help: What `--help` and docs/settings.md say.
        default: The default in words, where the value of the field does not say it.
        secret: Whether a file may hold the value, named by the variable with `_FILE` at its end.
    """

    variable: str | None
    flag: str | None = None
    commands: frozenset[str] = frozenset()
    help: str = ""
    default: str = ""
    secret: bool = False


def read_environment(environ: Mapping[str, str], settings: Mapping[str, Setting]) -> Layer:
    """Read the environment; an empty variable counts as not set.

    Raises:
        UsageError: A value cannot be read, or a variable is no setting but was meant as one: what it should switch
            would stay as it is, in silence.
    """
    known = _names(settings)
    values = {name: value for name, value in environ.items() if value and not _PLACEHOLDER.fullmatch(value)}
    for name in sorted(values.keys() - known):
        if hint := _mistyped(name, known):
            raise UsageError(f'the environment sets "{name[:60]}", which is no setting{hint}')
    return _layer({name: value for name, value in values.items() if not _ADDRESS.fullmatch(value)}, known)


def _mistyped(name: str, known: Iterable[str]) -> str:
    """Return the end of the sentence about a mistyped variable; empty for a variable of another program."""
    upper = name.upper()
    if not upper.startswith("CAL") or _SERVICE.fullmatch(name):  # comparing all of a long environment takes its time
        return ""
    close = get_close_matches(upper, list(known), n=1, cutoff=_NEARLY)
    if not upper.startswith(_PREFIX):
        return f"; did you mean {close[0]}?" if close else ""
    rests = {full.removeprefix(_PREFIX).removeprefix(_SERVICES): full for full in known}  # the prefix is alike in all
    alike = get_close_matches(upper.removeprefix(_PREFIX), rests, n=1, cutoff=_ALIKE)
    return f"; did you mean {rests[alike[0]]}?" if alike else "."


def read_file(config: Path | None, settings: Mapping[str, Setting]) -> Layer:
    """Read the TOML file of settings, if there is one. Raises UsageError."""
    if config is None:
        return {}
    try:
        content: dict[str, Any] = tomllib.loads(_text(config, "--config"))
    except tomllib.TOMLDecodeError as fault:
        raise UsageError(f"--config: {config} is not TOML: {fault}.") from None
    known = _names(settings)
    for name, value in content.items():
        if name not in known:
            hint = _meant(name, value, settings, known)
            raise UsageError(f'--config: {config} names "{name[:60]}", which is no setting{hint}')
    return _layer(content, known, config)


def _meant(name: str, value: object, settings: Mapping[str, Setting], known: Iterable[str]) -> str:
    """Return the end of the sentence about an unknown name in the file: the setting that was probably meant."""
    if isinstance(value, dict):
        return ": settings stand in no table, but by themselves, such as CALENDLY_MCP_TOOLSETS."
    plain = name.strip("-").upper().replace("-", "_")
    flag = f"--{plain.lower().replace('_', '-')}"
    alone = {setting.flag for setting in settings.values() if setting.variable is None}
    if flag in alone:
        return f": only the flag {flag} sets it."
    by_flag = {setting.flag: setting.variable for setting in settings.values() if setting.flag and setting.variable}
    prefixes = ("", _SERVICES, _PREFIX)
    spelled = {full.removeprefix(prefix): full for prefix in prefixes for full in known}
    close = get_close_matches(plain, spelled, n=1)
    meant = by_flag.get(flag) or (spelled[close[0]] if close else None)
    return f"; did you mean {meant}?" if meant else "."


def _names(settings: Mapping[str, Setting]) -> dict[str, tuple[str, bool]]:
    """List every name of a setting, with its field and whether it names a file that holds the value."""
    named = {setting.variable: (field, setting.secret) for field, setting in settings.items() if setting.variable}
    files = {f"{variable}_FILE": (field, True) for variable, (field, secret) in named.items() if secret}
    return {variable: (field, False) for variable, (field, _) in named.items()} | files


def _layer(values: Mapping[str, Any], known: Mapping[str, tuple[str, bool]], config: Path | None = None) -> Layer:
    """Order the values, those of `config` or of the environment, by field.

    Raises:
        UsageError: Both a secret and the file that holds it are set, or that file cannot be read.
    """
    layer: Layer = {}
    for name, (field, is_file) in known.items():
        if name not in values:
            continue
        if field in layer:
            raise UsageError(f"{layer[field].name} and {name} are both set; set one of them.")
        label = f"{config}: {name}" if config else name
        file = Path(str(values[name])).expanduser() if is_file else config
        layer[field] = Given(label, _text(file, label) if is_file and file else values[name], file)
    return layer


def _text(path: Path, label: str) -> str:
    try:
        return read_text(path)
    except FileNotFoundError as fault:
        raise UsageError(f"{label}: {path} cannot be read: {fault.strerror}.") from None
    except TextFileError as fault:
        raise UsageError(f"{label}: {path} {fault}.") from None
