"""Reads one message of JSON-RPC, a line of stdin or the body of a request, or says what it is answered with."""

import json
from dataclasses import dataclass
from typing import Final, cast

import mcp_types as types
from pydantic import TypeAdapter, ValidationError

_BATCH: Final = "JSON-RPC batches are not accepted; send one message."
_MALFORMED: Final = "Invalid request: send one JSON-RPC 2.0 message, with a text or an integer as its id."
_REQUEST_ID: Final = TypeAdapter[types.RequestId](types.RequestId)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The answer to what is not a message (JSON-RPC 2.0, 5.1)."""

    answer: types.JSONRPCError


def understood(text: bytes) -> types.JSONRPCMessage | Rejected:
    """Read a text as one message. Since 2025-06-18 batches are none."""
    try:
        message = types.jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError as fault:
        if any(error["type"] == "json_invalid" for error in fault.errors(include_url=False, include_input=False)):
            return _rejected(types.PARSE_ERROR, "Parse error: this is not JSON.", None)
    else:
        # An id that is none makes a notification of a request, which then nobody would answer.
        if not isinstance(message, types.JSONRPCNotification) or b'"id"' not in text or "id" not in json.loads(text):
            return message
    said = _BATCH if text.lstrip().startswith(b"[") else _MALFORMED
    return _rejected(types.INVALID_REQUEST, said, _id_of(json.loads(text)))


def _rejected(code: int, text: str, request: types.RequestId | None) -> Rejected:
    return Rejected(types.JSONRPCError(jsonrpc="2.0", id=request, error=types.ErrorData(code=code, message=text)))


def _id_of(message: object) -> types.RequestId | None:
    """Return the id by which a client knows a request that is otherwise malformed, None when there is none."""
    named = cast("dict[str, object]", message).get("id") if isinstance(message, dict) else None
    try:
        return _REQUEST_ID.validate_python(named, strict=True)
    except ValidationError:
        return None
