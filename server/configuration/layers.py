"""Where settings come from besides the flags: the environment, and the file that `--config` names; and all together."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from server.configuration.terminal import UsageError

# As MCP bundles, Cursor and VS Code write what they fill in.
_PLACEHOLDER: Final = re.compile(r"\$\{(user_config\.|env:|input:)[^{}]*\}")

Shape = TypeVar("Shape", bound=BaseModel)

Value: TypeAlias = str | int | float | bool | list[str]
Layer: TypeAlias = dict[str, tuple[str, Value]]
"""What one source says: by field, what the person calls it and its value."""


@dataclass(frozen=True, slots=True)
class Names:
    """What settings are called in the environment and in the file.

    Attributes:
        fields: The field of each variable.
        files: The field of each variable that names a file with the value in it.
    """

    fields: Mapping[str, str]
    files: Mapping[str, str]


def read_environment(environ: Mapping[str, str], names: Names) -> Layer:
    """Read the environment. Raises UsageError."""
    known = (*names.fields, *names.files)
    return _layer({name: environ[name] for name in known if _is_set(environ.get(name, ""))}, "", names)


def _is_set(value: str) -> bool:
    """Say whether a variable has a value: a client leaves the placeholder of one that its user did not give."""
    return value != "" and not _PLACEHOLDER.fullmatch(value)


def read_file(config: Path | None, names: Names) -> Layer:
    """Read the file of settings, if there is one. Raises UsageError."""
    if config is None:
        return {}
    try:
        content: dict[str, Any] = tomllib.loads(_text(config, "--config"))
    except tomllib.TOMLDecodeError as fault:
        raise UsageError(f"--config: {config} is not TOML: {fault}.") from None
    known = (*names.fields, *names.files)
    for name in content:
        if name not in known:
            close = get_close_matches(name.upper(), known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise UsageError(f'--config: {config} names "{name[:60]}", which is no setting{hint}')
    return _layer(content, f"{config}: ", names)


def _layer(named: Mapping[str, Any], place: str, names: Names) -> Layer:
    """One source of settings by field. A secret and the file that holds it are one setting."""
    layer: Layer = {names.fields[name]: (place + name, named[name]) for name in named if name in names.fields}
    for name in names.files.keys() & named.keys():
        field, label = names.files[name], place + name
        if field in layer:
            raise UsageError(f"{layer[field][0]} and {name} are both set; set one of them.")
        layer[field] = (label, _text(Path(str(named[name])).expanduser(), label))
    return layer


def _text(path: Path, label: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not text"
        raise UsageError(f"{label}: {path} cannot be read: {reason}.") from None


def validated(shape: type[Shape], merged: Layer) -> Shape:
    """Read the values of all sources together as settings. Raises UsageError that names the first one at fault."""
    values = {
        field: ",".join(map(str, value)) if isinstance(value, list) else value for field, (_, value) in merged.items()
    }
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        label, _ = merged[str(fault["loc"][0])]
        raise UsageError(f"{label}: {_sentence(fault)}") from None


def _sentence(fault: ErrorDetails) -> str:
    if fault["type"] == "value_error":
        return str(fault.get("ctx", {}).get("error", fault["msg"]))
    return fault["msg"].replace("Input should", "must").rstrip(".") + "."
