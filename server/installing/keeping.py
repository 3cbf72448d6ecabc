"""Keeps what a person set in our entry when it is written again, unless the new entry sets it."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

from server.configuration.settings import TOKEN, TOKEN_FILE
from server.installing.clients import HEADERS, URLS, ServerEntry, args_of, command_of, endpoint_of, texts_in
from server.installing.jsonc import Json
from server.installing.limits import lifted
from server.installing.starting import flags_in, own_words

_SANDBOX: Final = frozenset({"--sandbox", "CALENDLY_MCP_SANDBOX"})
_TRANSPORT: Final = frozenset({"type", "command", "args", "env", *URLS, *HEADERS})
"""Members that say how the server is reached; all others are settings of the client."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """An entry that takes the place of another.

    Attributes:
        entry: The entry.
        gone: The names of what the other had, and this one has not; of a limit that is another now, what it lifts.
    """

    entry: ServerEntry
    gone: tuple[str, ...]


def renewed(old: ServerEntry, new: ServerEntry, given: Collection[str]) -> Renewed:
    """Return the new entry with what the person set in the old one.

    Args:
        old: Our entry as it stands.
        new: The entry as it was asked for.
        given: The environment variables in it that were asked for; the others are defaults.
    """
    entry = {**{name: value for name, value in old.items() if name not in _TRANSPORT}, **new}
    if endpoint_of(new) is not None:
        entry |= _remote(old, new)
    elif endpoint_of(old) is None:
        entry |= _local(old, new, given)
    ordered = {name: entry[name] for name in (*(name for name in old if name in entry), *entry)}
    there = _names(ordered)
    gone = [name for name in _names(old) if name not in there]
    return Renewed(ordered, (*gone, *(told for told in lifted(old, ordered) if told.partition(" ")[0] not in gone)))


def _local(old: ServerEntry, new: ServerEntry, given: Collection[str]) -> ServerEntry:
    words, env = texts_in(new.get("args")), _members(new.get("env"))
    ours = own_words(command_of(new) or "", words)
    flags = flags_in(own_words(command_of(old) or "", args_of(old))) | flags_in(ours)
    env = env | _members(old.get("env")) | {name: env[name] for name in given}
    if TOKEN_FILE in given:  # a token of one's own is not for the sandbox, and there is one token
        flags = {flag: words for flag, words in flags.items() if flag not in _SANDBOX}
        env = {name: value for name, value in env.items() if name not in {TOKEN, *_SANDBOX}}
    elif TOKEN in env:
        env.pop(TOKEN_FILE, None)
    changed: ServerEntry = {}
    if flags or "args" in new or "args" in old:
        changed["args"] = [*words[: len(words) - len(ours)], *chain(*flags.values())]
    if env or "env" in new:
        changed["env"] = {**env}
    return changed


def _remote(old: ServerEntry, new: ServerEntry) -> ServerEntry:
    """Keep the headers: all of them for the same address, and for another those that only limit the server."""
    if endpoint_of(old) is None:
        return {}
    is_same = endpoint_of(old) == endpoint_of(new)
    if command_of(new) is not None:
        words, kept = texts_in(new.get("args")), texts_in(old.get("args"))
        pairs = pairwise(kept)
        headers = [pair for pair in pairs if pair[0] == "--header" and (is_same or _limits(pair[1]))]
        known = {word.partition(":")[0] for word in words}
        return {"args": [*words, *chain(*(pair for pair in headers if pair[1].partition(":")[0] not in known))]}
    for member in HEADERS:
        kept_ones = {name: value for name, value in _texts(old.get(member)).items() if is_same or _limits(name)}
        if kept_ones:
            return {member: {**kept_ones, **_texts(new.get(member))}}
    return {}


def _limits(header: str) -> bool:
    return header.lower().startswith("x-mcp-")


def _names(entry: ServerEntry) -> list[str]:
    """List what can go with an entry: members, flags, variables and headers."""
    words, url = args_of(entry), endpoint_of(entry)
    flags = () if url else flags_in(own_words(command_of(entry) or "", words))
    bridged = (pair[1].partition(":")[0] for pair in pairwise(words) if pair[0] == "--header")
    return [
        *(name for name in entry if name not in _TRANSPORT),
        *(name for name in flags if name.startswith("-")),
        *chain(*(_members(entry.get(member)) for member in ("env", *HEADERS))),
        *bridged,
        *([url] if url else []),
    ]


def _members(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _texts(value: Json) -> dict[str, str]:
    return {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
