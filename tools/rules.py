"""The hours of weekdays and dates, as parameters that several tools take."""

from collections import Counter
from typing import Annotated, Any, Final, Literal, NotRequired, cast

from pydantic import AfterValidator, BeforeValidator, Field, with_config
from typing_extensions import TypedDict

from calendly.models.availability import Interval
from tools.bodies import CLOSED, Variants, given
from tools.day_hours import intervals_of, parse_interval
from tools.fields import AsText, Date, at_most
from tools.toolset.errors import ArgumentError
from tools.working_hours import WEEKDAYS, Weekday

_MOST_RULES: Final = 1_000


def _interval(text: str) -> Interval:
    return intervals_of((parse_interval(text),))[0]


def _as_line(value: object) -> object:
    """Return an interval as Calendly answers it as the line that is taken: `from` is no name in every client."""
    plain = value
    fields = cast("dict[str, object]", value if isinstance(value, dict) else {})
    return f"{fields['from']}-{fields['to']}" if fields.keys() == {"from", "to"} else plain


IntervalLine = Annotated[
    Interval, AsText(_interval), BeforeValidator(_as_line), Field(description="such as 09:00-12:00")
]


@with_config(CLOSED)
class RuleFields(TypedDict):
    """The hours of a weekday or a date."""

    type: Literal["wday", "date"]
    intervals: Annotated[list[IntervalLine], at_most(48), Field(description="empty: closed")]
    wday: NotRequired[Weekday | None]
    date: NotRequired[Date | None]


RuleSet = Annotated[
    list[
        Annotated[
            RuleFields,
            AfterValidator(
                Variants("type", {"wday": (("wday", "intervals"), ()), "date": (("date", "intervals"), ())})
            ),
        ]
    ],
    at_most(_MOST_RULES),
    Field(description="the whole set: all seven weekdays, and dates from today on"),
]


def sent_rules(rules: list[RuleFields]) -> list[dict[str, Any]]:
    """Return rules as Calendly takes them."""
    return [given(rule) for rule in rules]


def check_weekdays(rules: list[RuleFields]) -> None:
    """Raise ArgumentError for rules that do not have each weekday exactly once, as schedules of people want them."""
    found = Counter(rule.get("wday") for rule in rules if rule["type"] == "wday")
    wrong = [
        *(f"{weekday} is missing" for weekday in WEEKDAYS if not found[weekday]),
        *(f"{weekday} is there twice" for weekday in WEEKDAYS if found[weekday] > 1),
    ]
    if wrong:
        raise ArgumentError.of("rules", f"Pass each weekday once, a closed one with no intervals: {', '.join(wrong)}.")
