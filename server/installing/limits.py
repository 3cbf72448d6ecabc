"""The limits of an entry that another one lifts: levels, choices of tools and booking limits.

A flag wins over a variable, and both over a file of settings, so it is what they come to that is compared.
"""

from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from auth.access.levels import OFF
from auth.access.restrictions import is_within
from auth.access.text import spell_access
from server.configuration.loading import load
from server.configuration.settings import SETTINGS, Settings
from server.configuration.terminal import UsageError
from server.configuration.values import split
from server.installing.clients import HEADERS, ServerEntry, args_of, command_of, endpoint_of, env_of
from server.installing.starting import flags_in, own_words

_LIMITING: Final = ("access", "toolsets", "tools", "exclude_tools", "read_only", "booking_limits")
_CHOICES: Final = ("X-MCP-Toolsets", "X-MCP-Tools")


def lifted(old: ServerEntry, new: ServerEntry) -> list[str]:
    """Name the limits that an entry has and its replacement lacks, each with its value."""
    if endpoint_of(old) is not None and endpoint_of(new) is not None:
        had, has = _headers(old), _headers(new)
        return [told for name in had if name in has for told in _widened(name, had[name], has[name])]
    if endpoint_of(old) is not None or endpoint_of(new) is not None:
        return []  # none of the one is one of the other
    try:
        return [*_lifted(_settings(old), _settings(new))]
    except UsageError:
        return []  # a server that does not start has no limits


def _lifted(before: Settings, after: Settings) -> Iterator[str]:
    for capability, allowance in before.access.items():
        if not is_within(after.local_ceiling.get(capability, OFF), allowance):
            yield f"--access {spell_access({capability: allowance})}"
    yield from _widened("--toolsets", before.toolsets, after.toolsets)
    yield from _widened("--tools", before.tools, after.tools)
    if back := [name for name in before.exclude_tools if name not in after.exclude_tools]:
        yield f"--exclude-tools {','.join(back)}"
    if before.read_only and not after.read_only:
        yield "--read-only"
    yield from (
        f"--booking-limits {ceiling.count}/{ceiling.period}"
        for ceiling in before.booking_limits
        if not any(other.period == ceiling.period and other.count <= ceiling.count for other in after.booking_limits)
    )


def _widened(name: str, had: Collection[str] | None, has: Collection[str] | None) -> Iterator[str]:
    """Name a choice if the new entry chooses more, or chooses nothing."""
    if had is not None and (has is None or not set(has) <= set(had)):
        yield f"{name} {','.join(had)}"


def _headers(entry: ServerEntry) -> dict[str, Collection[str]]:
    """Return the names in each header that chooses tools, given by the client itself or by a bridge."""
    members = [headers for member in HEADERS if isinstance(headers := entry.get(member), dict)]
    bridged = [word.partition(":")[::2] for flag, word in pairwise(args_of(entry)) if flag == "--header"]
    texts = [*((name, text) for headers in members for name, text in headers.items()), *bridged]
    return {name: split(text) for name, text in texts if name in _CHOICES and isinstance(text, str)}


def _settings(entry: ServerEntry) -> Settings:
    """Read the settings of an entry that limit its server. Raises UsageError."""
    words = flags_in(own_words(command_of(entry) or "", args_of(entry)))
    flags = {name: _value(words[flag]) for name in _LIMITING if (flag := SETTINGS[name].flag) in words}
    variables = {SETTINGS[name].variable for name in _LIMITING}
    environ = {name: value for name, value in env_of(entry).items() if name in variables}
    config = Path(_value(words["--config"])) if "--config" in words else None
    return load("stdio", flags, config=config, environ=environ)


def _value(words: tuple[str, ...]) -> str:
    """Return the value of a flag, given as one word or two; a flag without one is a switch."""
    first, *rest = words
    return rest[0] if rest else first.partition("=")[2] or "true"
