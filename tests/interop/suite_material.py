"""What the conformance suite of MCP calls a server for: the answers of its tools, prompts and resources.

Names and words are the suite's own; each of its scenarios says which ones it wants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import mcp_types as types

_PIXEL: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
_SILENCE: Final = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
_PNG: Final = "image/png"
NO_ARGUMENTS: Final[dict[str, Any]] = {"type": "object", "properties": {}}


def text(said: str) -> types.TextContent:
    """Make a block of text."""
    return types.TextContent(text=said)


def embedded(uri: str, said: str, mime_type: str = "text/plain") -> types.EmbeddedResource:
    """Make a block that holds a resource."""
    return types.EmbeddedResource(resource=types.TextResourceContents(uri=uri, text=said, mime_type=mime_type))


IMAGE: Final = types.ImageContent(data=_PIXEL, mime_type=_PNG)

CONTENT: Final[Mapping[str, list[types.ContentBlock]]] = {
    "test_simple_text": [text("This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [types.AudioContent(data=_SILENCE, mime_type="audio/wav")],
    "test_embedded_resource": [embedded("test://embedded-resource", "This is an embedded resource content.")],
    "test_multiple_content_types": [
        text("Multiple content types test:"),
        IMAGE,
        embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
    ],
}
"""Tools that answer the same every time."""


def _asks(message: str, **properties: str) -> types.ElicitRequest:
    schema = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": [*properties],
    }
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def _samples(said: str, most: int) -> types.CreateMessageRequest:
    message = types.SamplingMessage(role="user", content=text(said))
    return types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=most))


@dataclass(frozen=True)
class Dialogue:
    """What is asked before there is an answer.

    Attributes:
        rounds: The questions of each round.
        sealed: An answer counts only with the state that its question came with.
    """

    rounds: tuple[types.InputRequests, ...]
    sealed: bool = True


_NAME: Final[types.InputRequests] = {"user_name": _asks("What is your name?", name="string")}
_CONFIRM: Final[types.InputRequests] = {"confirm": _asks("Please confirm", ok="boolean")}
_EVERYTHING: Final[types.InputRequests] = {
    **_NAME,
    "greeting": _samples("Generate a greeting", 50),
    "client_roots": types.ListRootsRequest(),
}
DIALOGUES: Final = {
    "test_input_required_result_elicitation": Dialogue((_NAME,), sealed=False),
    "test_input_required_result_sampling": Dialogue(
        ({"capital_question": _samples("What is the capital of France?", 100)},), sealed=False
    ),
    "test_input_required_result_list_roots": Dialogue(({"client_roots": types.ListRootsRequest()},), sealed=False),
    "test_input_required_result_request_state": Dialogue((_CONFIRM,)),
    "test_input_required_result_tampered_state": Dialogue((_CONFIRM,)),
    "test_input_required_result_multiple_inputs": Dialogue((_EVERYTHING,)),
    "test_input_required_result_capabilities": Dialogue((_EVERYTHING,)),
    "test_input_required_result_multi_round": Dialogue(
        (
            {"step1": _asks("Step 1: What is your name?", name="string")},
            {"step2": _asks("Step 2: What is your favorite color?", color="string")},
        )
    ),
    "test_streaming_elicitation": Dialogue((_NAME,)),
}
"""Tools that ask before they answer."""

ASKING_PROMPT: Final = Dialogue(
    ({"user_context": _asks("What context should the prompt use?", context="string")},), sealed=False
)

SCHEMAS: Final[Mapping[str, dict[str, Any]]] = {
    "test_custom_header": {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}},
    "json_schema_2020_12_tool": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
}
"""Input schemas that the suite looks at in the list."""

PROMPTS: Final[Mapping[str, tuple[str, ...]]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}
"""Prompts and their arguments."""

RESOURCES: Final[Mapping[str, types.TextResourceContents | types.BlobResourceContents]] = {
    contents.uri: contents
    for contents in (
        types.TextResourceContents(
            uri="test://static-text", mime_type="text/plain", text="This is the content of the static text resource."
        ),
        types.BlobResourceContents(uri="test://static-binary", mime_type=_PNG, blob=_PIXEL),
        types.TextResourceContents(uri="test://watched-resource", mime_type="text/plain", text="Nothing has changed."),
    )
}
TEMPLATE: Final = ("test://template/", "/data")
