"""One call to an endpoint, and what an endpoint is: facts and a function from the call to the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.records.as_json import JsonObject
from sandbox.records.records import Records
from sandbox.requests.fields import InputFields
from sandbox.requests.permissions import TokenHolder
from sandbox.state.sandbox import Sandbox


@dataclass(frozen=True)
class EndpointCall:
    """What an endpoint answers to: who calls, and the three places in which parameters come."""

    sandbox: Sandbox
    caller: TokenHolder
    url_path: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, object]

    @property
    def records(self) -> Records:
        """Return what the sandbox remembers."""
        return self.sandbox.records

    def query_fields(self) -> InputFields:
        """Read the query."""
        return InputFields(self.query)

    def body_fields(self) -> InputFields:
        """Read the JSON body."""
        return InputFields(self.body)


@dataclass(frozen=True)
class SandboxEndpoint:
    """An operation. Any one of `scopes` opens it; a refusal names the first. `answer` None is a body-less 204."""

    method: str
    path: str
    scopes: tuple[str, ...]
    status: int
    answer: Callable[[EndpointCall], JsonObject | None]
