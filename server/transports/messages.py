"""Reads one line of stdin as a message of JSON-RPC, or says what it is answered with."""

import json
from dataclasses import dataclass
from typing import Final, cast

import mcp_types as types
from pydantic import TypeAdapter, ValidationError

_REQUEST_ID: Final = TypeAdapter[types.RequestId](types.RequestId)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The answer to a line that is not a message (JSON-RPC 2.0, 5.1)."""

    answer: types.JSONRPCError


def understood(line: bytes) -> types.JSONRPCMessage | Rejected:
    """Read a line as one message. Since 2025-06-18 batches are none."""
    try:
        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError as fault:
        if any(error["type"] == "json_invalid" for error in fault.errors(include_url=False, include_input=False)):
            return _rejected(types.PARSE_ERROR, "Parse error: the line is not JSON.", None)
    else:
        # An id that is none makes a notification of a request, which then nobody would answer.
        if not isinstance(message, types.JSONRPCNotification) or b'"id"' not in line or "id" not in json.loads(line):
            return message
    text = "Invalid request: a line is one JSON-RPC 2.0 message, with a text or an integer as its id; no batches."
    return _rejected(types.INVALID_REQUEST, text, _id_of(json.loads(line)))


def _rejected(code: int, text: str, request: types.RequestId | None) -> Rejected:
    return Rejected(types.JSONRPCError(jsonrpc="2.0", id=request, error=types.ErrorData(code=code, message=text)))


def _id_of(message: object) -> types.RequestId | None:
    """Return the id by which a client knows a request that is otherwise malformed, None when there is none."""
    named = cast("dict[str, object]", message).get("id") if isinstance(message, dict) else None
    try:
        return _REQUEST_ID.validate_python(named, strict=True)
    except ValidationError:
        return None
