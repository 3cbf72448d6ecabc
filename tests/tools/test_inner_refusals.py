"""What a workflow refuses in the words of a tool that it calls names no parameter that the workflow lacks."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import pytest

from tests.cases import case
from tools import ALL
from tools.toolset.errors import ArgumentError
from tools.toolset.schemas import names_in
from tools.toolset.tool import Tool, Workflow

WORD = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
TOOLS = frozenset(tool.name for tool in ALL)


def refusals(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Every refusal that stands in a module: the parameter, and the words of the sentence."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"ArgumentError.of", "ValueError"}:
            texts = [
                part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            yield (texts[0], " ".join(texts)) if texts else ("", "")


async def test_no_refusal_of_an_inner_tool_names_what_the_outer_one_lacks() -> None:
    tried = 0
    for tool in ALL:
        if not isinstance(tool, Workflow):
            continue
        for inner in dict.fromkeys(inspect.getmodule(part.function) for part in tool.calls):
            assert inner is not None
            for parameter, sentence in refusals(inner):
                tried += 1
                with case(tool, inner, sentence):
                    await held(tool, parameter, sentence)
    assert tried > 10


async def held(tool: Tool, parameter: str, sentence: str) -> None:
    async def refuse(_call: object) -> None:
        raise ArgumentError.of(parameter, sentence)

    with pytest.raises(ArgumentError) as refused:
        await replace(tool, function=refuse).run(None, {})
    (fault,) = refused.value.faults
    assert fault.get("parameter", "").partition(".")[0] in {"", *tool.model.model_fields}
    known = TOOLS | names_in(tool.input_schema)
    inner = frozenset[str]().union(*(names_in(part.input_schema) for part in tool.calls))
    assert not (set(WORD.findall(fault["message"])) & inner) - known
