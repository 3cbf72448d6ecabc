"""What an endpoint is: its facts, and a function from a call to the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.records.as_json import JsonObject
from sandbox.records.records import Records
from sandbox.requests.fields import InputFields
from sandbox.requests.permissions import TokenHolder
from sandbox.state.sandbox import Sandbox


@dataclass(frozen=True)
class EndpointCall:
    """One request to an endpoint.

    Attributes:
        sandbox: The state.
        caller: Who sends it.
        url_path: The path of the request.
        path: The parameters in the path.
        query: The parameters in the query.
        body: The JSON body; empty where there is none.
    """

    sandbox: Sandbox
    caller: TokenHolder
    url_path: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, object]

    @property
    def records(self) -> Records:
        """The records of the sandbox."""
        return self.sandbox.records

    def query_fields(self) -> InputFields:
        """Return the fields of the query."""
        return InputFields(self.query)

    def body_fields(self) -> InputFields:
        """Return the fields of the JSON body."""
        return InputFields(self.body)


@dataclass(frozen=True)
class SandboxEndpoint:
    """One endpoint of Calendly's API.

    Attributes:
        method: The HTTP method.
        path: The path template.
        scopes: Scopes of which the token needs any one; an error names the first.
        status: The status of a success.
        answer: Returns the body, None for a 204.
    """

    method: str
    path: str
    scopes: tuple[str, ...]
    status: int
    answer: Callable[[EndpointCall], JsonObject | None]
