"""Loads the settings of a command. A flag wins over the environment, and the environment over the file."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from server.configuration.folders import data_folder
from server.configuration.layers import Given, Layer, Value, read_environment, read_file
from server.configuration.settings import CALLING, KEEPING, SANDBOX_TOKEN, SETTINGS, STORING, TRYING, Settings
from server.configuration.surroundings import check_surroundings
from server.configuration.terminal import UsageError, suggestion
from server.configuration.values import MEMORY, is_loopback

_WORDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "int_parsing": "must be a whole number.",
        "int_parsing_size": "must be a whole number.",
        "int_from_float": "must be a whole number.",
        "int_type": "must be a whole number.",
        "float_parsing": "must be a number.",
        "float_type": "must be a number.",
        "finite_number": "must be a number.",
        "bool_parsing": "must be true or false.",
        "bool_type": "must be true or false.",
        "literal_error": "must be {expected}.",
        "string_type": "must be a text.",
        "tuple_type": "must be names, separated by commas.",
        "frozen_set_type": "must be names, separated by commas.",
        "string_too_short": "must not be empty.",
        "string_too_long": "must have at most {max_length} characters.",
        "greater_than_equal": "must be {ge:.0f} or more.",
        "less_than_equal": "must be {le:.0f} or less.",
    }
)
"""The sentence for each error that the types of `Settings` can have."""


def load(
    command: str, flags: Mapping[str, Value], *, config: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Load the settings of a command.

    Args:
        command: The command.
        flags: The flags that were given, by field name.
        config: The file named by `--config`.
        environ: The environment. A variable that is empty, or a placeholder left in place, counts
            as not set.

    Raises:
        UsageError: A value is wrong, a name in the file is unknown, a file cannot be read, or the
            settings do not go together.
    """
    from_flags = {name: Given(SETTINGS[name].flag or name, value) for name, value in flags.items()}
    merged = {**read_file(config, SETTINGS), **read_environment(environ, SETTINGS), **from_flags}
    settings = _validated(merged).model_copy(
        update={"data_folder": data_folder(environ, sys.platform), "exposed": _exposed(merged)}
    )
    hosted = command == "http" and settings.auth == "oauth"
    if settings.sandbox and command in TRYING:
        settings = _for_sandbox(settings, merged)
    elif settings.database_url == MEMORY and command in KEEPING and (hosted or command != "http"):
        raise UsageError(
            f"{merged['database_url'].name}: {MEMORY} is memory, but what people allowed has to outlive the process; "
            "use sqlite:///PATH or postgresql://…."
        )
    if command in STORING and settings.secret_keys is None and (settings.database_url or "").startswith("postgresql:"):
        raise UsageError(
            "CALENDLY_MCP_SECRET_KEYS is not set, but PostgreSQL needs it: id:base64, where `openssl rand -base64 32` "
            "makes the second part."
        )
    if command in CALLING and not settings.sandbox:
        check_surroundings(environ)
    if command == "http":
        _check_reach(settings, merged)
    if command == "stdio" or (command == "http" and not hosted):
        _check_confirmations(settings, merged)
    return settings


def _validated(merged: Layer) -> Settings:
    """Read the values of all layers. Raises UsageError that names the first setting at fault."""
    values = {
        field: ",".join(map(str, given.value)) if isinstance(given.value, list) else given.value
        for field, given in merged.items()
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise UsageError(f"{merged[str(fault['loc'][0])].name}: {_sentence(fault)}") from None


def _sentence(fault: ErrorDetails) -> str:
    context = fault.get("ctx", {})
    if fault["type"] == "value_error":
        return str(context.get("error", fault["msg"]))
    known = _WORDINGS.get(fault["type"], fault["msg"].replace("Input should", "must").rstrip(".") + ".")
    return known.format(**context)


def _exposed(merged: Layer) -> tuple[Path, ...]:
    """List the files of the person's own that hold a secret and that others can read."""
    files = {given.file for field, given in merged.items() if SETTINGS[field].secret and given.file}
    if not files:
        return ()
    from storage.private_files import is_exposed  # noqa: PLC0415 - one person's server loads nothing of storage

    return tuple(sorted(filter(is_exposed, files)))


def _for_sandbox(settings: Settings, merged: Layer) -> Settings:
    """Leave aside the settings that lead out of the sandbox."""
    outside = ("api_url", "auth_url", "client_id", "client_secret", "issuer", "database_url")
    aside: dict[str, object] = {field: Settings.model_fields[field].default for field in outside if field in merged}
    if not (settings.access_token or "").startswith(SANDBOX_TOKEN):
        aside["access_token"] = f"{SANDBOX_TOKEN}owner"
    elif settings.access_token not in (there := _sandbox_tokens()):
        hint = suggestion(settings.access_token or "", there) or f"there are: {', '.join(there)}."
        raise UsageError(f"{merged['access_token'].name}: the sandbox has no such token; {hint}")
    ignored = tuple(merged[field].name for field in aside if field in merged)
    return settings.model_copy(update={**aside, "ignored": ignored})


def _sandbox_tokens() -> tuple[str, ...]:
    from sandbox.seed.account import TOKENS  # noqa: PLC0415 - a sandbox is loaded only where one is wanted

    return TOKENS


def _check_confirmations(settings: Settings, merged: Layer) -> None:
    """Refuse `confirm=browser` where there is no page to confirm on."""
    names = [name for name, allowance in settings.access.items() if allowance.in_browser]
    if names:
        raise UsageError(
            f"{merged['access'].name}: {names[0]} cannot have confirm=browser here: only the hosted endpoint, where "
            "people sign in, has the page for it."
        )


def _check_reach(settings: Settings, merged: Layer) -> None:
    """Refuse an endpoint that lets in the wrong people, or that nobody can sign in to."""
    here = is_loopback(settings.host)
    if settings.auth == "none":
        if not here:
            raise UsageError(
                "--auth none lets in anyone who reaches the port, so it listens on this machine only: "
                f"{settings.host} is not an address of it; use --host 127.0.0.1."
            )
        return
    if "access_token" in merged and merged["access_token"].name not in settings.ignored:
        raise UsageError(
            f"{merged['access_token'].name} is set, but with --auth oauth every person signs in, and nobody uses the "
            "token of another; unset it, or use --auth none on this machine."
        )
    if not here and settings.public_url is None:
        raise UsageError(
            f"with --host {settings.host}, set the address that clients use: --public-url https://… "
            "(CALENDLY_MCP_PUBLIC_URL); 127.0.0.1 needs none."
        )
