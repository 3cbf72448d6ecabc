"""What a line of stdin is answered with that is no message: always something, with its id where that can be read."""

import json

import mcp_types as types

from server.transports.messages import Rejected, revision_of, understood, unknown_revision
from tests.cases import each

PARSE, INVALID = types.PARSE_ERROR, types.INVALID_REQUEST
DEEP = b"[" * 500 + b"]" * 500


@each(
    "line, code, request, words",
    [
        (b'{"jsonrpc":"2.0","id":7,"method":"x","params":' + DEEP + b"}", PARSE, 7, "nested too deep"),
        (b'{"params":' + DEEP + b',"method":"x","id":"late"}', PARSE, "late", "nested too deep"),
        (b'{"id":"a","method":"x","params":{"q":"\\ud800","id":9}}', PARSE, "a", "no Unicode"),
        (b'{"id":1,"method":"x","params":{"q":"\\udc00 x"}}', PARSE, 1, "no Unicode"),
        (b'{"id":1,"method":"x","params":{"q":"\xff"}}', PARSE, 1, "no Unicode"),
        (b'{"id":3,"method":"tools/li', PARSE, 3, "not JSON"),
        (b'{"a":{"id":1},"id":"\\u0041"', PARSE, "A", "not JSON"),
        (b'{"id":-4,}', PARSE, -4, "not JSON"),
        (b'{"id":1,"id":2,"method":}', PARSE, 2, "not JSON"),
        (b'{"method":"id","params":{"id":5}', PARSE, None, "not JSON"),
        (b'[{"id":3,', PARSE, None, "not JSON"),
        (b"nonsense", PARSE, None, "not JSON"),
        (b'[{"jsonrpc":"2.0","id":3,"method":"x"}]', INVALID, None, "batches are not accepted"),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"x"}', INVALID, None, "with a text or an integer as its id"),
        (b'{"jsonrpc":"2.0","id":null,"method":"x"}', INVALID, None, "with a text or an integer as its id"),
        (b'{"jsonrpc":"2.0","id":true,"method":"x"}', INVALID, None, "with a text or an integer as its id"),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', INVALID, 1, "Invalid request"),
        (b'{"jsonrpc":"1.0","id":"b","method":"x"}', INVALID, "b", "Invalid request"),
    ],
)
def test_whatever_asks_gets_an_answer(line: bytes, code: int, request: types.RequestId | None, words: str) -> None:
    rejected = understood(line)
    assert isinstance(rejected, Rejected)
    assert (rejected.answer.error.code, rejected.answer.id) == (code, request)
    assert words in rejected.answer.error.message


def test_an_unknown_revision_is_answered_with_those_that_are_known() -> None:
    meta = {"io.modelcontextprotocol/protocolVersion": "2027-01-01"}
    request = {"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"_meta": meta}}
    message = understood(json.dumps(request).encode())
    assert not isinstance(message, Rejected)
    rejected = unknown_revision(revision_of(message) or "", 7)
    assert rejected is not None
    assert (rejected.answer.id, rejected.answer.error.code) == (7, -32022)
    told = "Unsupported protocol version '2027-01-01': this server speaks 2024-11-05, "
    assert rejected.answer.error.message.startswith(told)
    assert rejected.answer.error.message.endswith("2025-11-25 and 2026-07-28.")
    assert rejected.answer.error.data == {"supported": ["2026-07-28"], "requested": "2027-01-01"}
    for revision in ("2024-11-05", "2025-06-18", "2026-07-28"):
        assert unknown_revision(revision, None) is None
    for other in (b'{"jsonrpc":"2.0","method":"x"}', b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{}}}'):
        read = understood(other)
        assert not isinstance(read, Rejected)
        assert revision_of(read) is None
