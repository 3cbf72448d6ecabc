"""One call to an endpoint, and what an endpoint is: facts and a function from the call to the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.fields import Fields
from sandbox.permissions import Caller
from sandbox.records import Records
from sandbox.shapes import Shape
from sandbox.state import Sandbox


@dataclass(frozen=True)
class Call:
    """What an endpoint answers to: who calls, and the three places in which parameters come."""

    sandbox: Sandbox
    caller: Caller
    url_path: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, object]

    @property
    def records(self) -> Records:
        """Return what the sandbox remembers."""
        return self.sandbox.records

    def query_fields(self) -> Fields:
        """Read the query."""
        return Fields(self.query)

    def body_fields(self) -> Fields:
        """Read the JSON body."""
        return Fields(self.body)


@dataclass(frozen=True)
class Endpoint:
    """An operation. Any one of `scopes` opens it; a refusal names the first. `answer` None is a body-less 204."""

    method: str
    path: str
    scopes: tuple[str, ...]
    status: int
    answer: Callable[[Call], Shape | None]
