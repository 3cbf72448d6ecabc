import pytest

from calendly import errors
from calendly.endpoint import Endpoint
from calendly.request import Request


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    drawn = {line.split("─ ")[1].split()[0] for line in str(errors.__doc__).splitlines() if "─ " in line}
    classes = {
        value.__name__
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.CalendlyError)
    }
    assert drawn | {"CalendlyError"} == classes


def test_a_refusal_keeps_everything_calendly_said() -> None:
    refusal = errors.InsufficientScope(
        "The token lacks a scope.",
        status=403,
        title="Insufficient scope",
        message="This operation requires the scopes listed in the 'required_scopes' array.",
        required_scopes=["webhooks:read"],
    )
    assert str(refusal) == refusal.reason == "The token lacks a scope."
    assert (refusal.status, refusal.title, refusal.required_scopes) == (403, "Insufficient scope", ("webhooks:read",))
    assert (refusal.details, refusal.retry_after) == ([], None)


@pytest.mark.requirement("error-outcome-unknown")
@pytest.mark.parametrize(
    ("method", "kind"),
    [("GET", errors.UpstreamError), ("POST", errors.OutcomeUnknown), ("DELETE", errors.OutcomeUnknown)],
)
def test_an_unreadable_answer_leaves_the_outcome_of_a_write_unknown(
    method: str, kind: type[errors.CalendlyError]
) -> None:
    endpoint = {"GET": Endpoint("GET", "/a"), "POST": Endpoint("POST", "/a"), "DELETE": Endpoint("DELETE", "/a")}[
        method
    ]
    error = errors.unreadable(Request(endpoint), status=200)
    assert type(error) is kind
    assert error.status == 200
