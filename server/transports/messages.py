"""Reads one message of JSON-RPC, a line of stdin or the body of a request, or makes the answer to a wrong one."""

import json
import re
from dataclasses import dataclass
from typing import Final, cast

import mcp_types as types
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS, SUPPORTED_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError

from calendly.third_party_text import shown

_LONGEST: Final = 40
_BATCH: Final = "JSON-RPC batches are not accepted; send one message."
_MALFORMED: Final = "Invalid request: send one JSON-RPC 2.0 message, with a text or an integer as its id."
_REQUEST_ID: Final = TypeAdapter[types.RequestId](types.RequestId)
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]')
_ID: Final = re.compile(rb'"id"\s*:\s*(-?\d+(?![\d.eE])|"(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class Rejected:
    """The answer to what is not a message (JSON-RPC 2.0, 5.1)."""

    answer: types.JSONRPCError


def understood(line: bytes) -> types.JSONRPCMessage | Rejected:
    """Read a line, or the body of a request, as one message. Since 2025-06-18 batches are none."""
    try:
        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError as fault:
        [first, *_] = fault.errors(include_url=False, include_input=False)
        if first["type"] == "json_invalid":
            return _rejected(types.PARSE_ERROR, f"Parse error: {_what_is_wrong(first['msg'])}.", _id_in(line))
    else:
        # An id that is none makes a notification of a request, which then nobody would answer.
        if not isinstance(message, types.JSONRPCNotification) or b'"id"' not in line or "id" not in json.loads(line):
            return message
    is_batch = line.lstrip().startswith(b"[")
    return _rejected(types.INVALID_REQUEST, _BATCH if is_batch else _MALFORMED, _id_in(line))


def unknown_revision(revision: str, request: types.RequestId | None) -> Rejected | None:
    """Return the answer to a revision of MCP that is not known here, None to one that is."""
    if revision in KNOWN_PROTOCOL_VERSIONS:
        return None
    known = f"{', '.join(SUPPORTED_PROTOCOL_VERSIONS[:-1])} and {SUPPORTED_PROTOCOL_VERSIONS[-1]}"
    told = f"Unsupported protocol version {shown(revision)[:_LONGEST]!r}: this server speaks {known}."
    # As the SDK has it: those that a client can go on with in this form of request.
    data = types.UnsupportedProtocolVersionErrorData(supported=[*MODERN_PROTOCOL_VERSIONS], requested=revision)
    rejected = _rejected(types.UNSUPPORTED_PROTOCOL_VERSION, told, request)
    rejected.answer.error.data = data.model_dump(mode="json")
    return rejected


def revision_of(message: types.JSONRPCMessage) -> str | None:
    """Return the revision that a request names (2026-07-28, per-request `_meta`), None if it names none."""
    if not isinstance(message, types.JSONRPCRequest) or message.params is None:
        return None
    meta = message.params.get("_meta")
    said = cast("dict[str, object]", meta).get(types.PROTOCOL_VERSION_META_KEY) if isinstance(meta, dict) else None
    return said if isinstance(said, str) else None


def _rejected(code: int, text: str, request: types.RequestId | None) -> Rejected:
    return Rejected(types.JSONRPCError(jsonrpc="2.0", id=request, error=types.ErrorData(code=code, message=text)))


def _what_is_wrong(told: str) -> str:
    """Describe the parser's error in words."""
    if "recursion" in told:
        return "the message is nested too deep"
    not_unicode = any(word in told for word in ("surrogate", "hex escape", "unicode"))
    return "a text in it is no Unicode" if not_unicode else "it is not JSON"


def _id_in(line: bytes) -> types.RequestId | None:
    """Return the id of a request that cannot be read, None if it has none."""
    depth, found = 0, None
    for token in _TOKENS.finditer(line):
        depth += (token[0] in {b"{", b"["}) - (token[0] in {b"}", b"]"})
        if depth == 1 and line.lstrip().startswith(b"{") and (named := _ID.match(line, token.start())):
            found = named[1]  # the last of several, as everywhere
    try:
        return None if found is None else _REQUEST_ID.validate_json(found, strict=True)
    except ValidationError:
        return None
