"""Many cases as one test, where each is too short to be a test of its own."""

import inspect
import os
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Final

ONLY: Final = "ONLY_CASE"
"""The variable that holds a text of the cases that are tried; without it all are."""

Test = Callable[..., Any]


@contextmanager
def case(*facts: object) -> Generator[None]:
    """Name a case in what its failure says."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"case: {', '.join(map(_shown, facts))}")
        raise


def each(names: str, values: Iterable[Any]) -> Callable[[Test], Test]:
    """Run a test for one value after another, as `pytest.mark.parametrize` does, but as one test.

    The cases share the fixtures of the test. The first that fails ends it, and is named.

    Args:
        names: The parameter that takes each value, or several with commas, among which each value is divided.
        values: The cases.
    """
    taking = [name.strip() for name in names.split(",")]
    cases = [dict(zip(taking, value if len(taking) > 1 else [value], strict=True)) for value in values]
    assert cases

    def fold(test: Test) -> Test:
        @wraps(test)
        def run(**fixtures: object) -> None:
            for one in filter(_is_tried, cases):
                with case(*one.values()):
                    test(**fixtures, **one)

        @wraps(test)
        async def run_async(**fixtures: object) -> None:
            for one in filter(_is_tried, cases):
                with case(*one.values()):
                    await test(**fixtures, **one)

        folded = run_async if inspect.iscoroutinefunction(test) else run
        signature = inspect.signature(test)
        left = [parameter for name, parameter in signature.parameters.items() if name not in taking]
        vars(folded)["__signature__"] = signature.replace(parameters=left)
        return folded

    return fold


def _is_tried(one: dict[str, Any]) -> bool:
    return ONLY not in os.environ or os.environ[ONLY] in str(one)


def _shown(fact: object) -> str:
    """Show a fact of a case: the end of a path, the name of what has one, of anything else 60 characters."""
    if isinstance(fact, Path):
        return "/".join(fact.parts[-3:])
    name = getattr(fact, "name", None) or getattr(fact, "__name__", None)
    return name if isinstance(name, str) else ascii(fact)[:60]
