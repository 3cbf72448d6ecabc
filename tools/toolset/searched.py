"""What a list or a search looked at, as its answer says it. An empty answer also says why. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, cast

from pydantic import Field
from typing_extensions import TypedDict

from calendly.identifiers import GroupId, Identifier, OrganizationId, UserId

ANY: Final = "any"

FROM_NOW: Final = "What was asked for began in the past, so this begins now."


class Searched(TypedDict, total=False):
    """What was looked at."""

    whose: Annotated[str, Field(description="you, a person, or what else it belongs to")]
    status: Annotated[str, Field(description="any, or the only ones")]
    start_time: str
    end_time: Annotated[str, Field(description="how far it looked")]
    timezone: str
    filters: Annotated[dict[str, str], Field(description="only what fits these")]
    note: str


_NO_FILTERS: Final = frozenset(
    {
        *("user", "users", "organization", "group", "owner", "event_types", "scope", "status", "active"),
        *("start_time", "end_time", "min_start_time", "max_start_time", "min_created_at", "max_created_at"),
        *("min_occurred_at", "max_occurred_at", "date", "days", "timezone", "group_by"),
        *(
            "sort",
            "prefer",
            "count",
            "per_day",
            "page_token",
            "max_pages",
            "continue_from",
            "cursor",
            "columns",
            "exclude",
        ),
        *("match", "duration"),
    }
)
"""Parameters of lists that an answer tells by itself, or that say how it is told."""

EmptyBecause = Annotated[str, Field(description="why there is nothing")]


def searched(
    whose: str,
    *,
    status: str | Literal[False] | None = False,
    start: datetime | None = None,
    end: datetime | None = None,
    note: str | None = None,
) -> Searched:
    """Return what was looked at.

    Args:
        whose: See `whose`.
        status: The only status, None for any, False where there is none.
        start: Where it began, None for no bound.
        end: Where it ended, None for no bound.
        note: A sentence about the range.
    """
    told: Searched = {"whose": whose}
    if status is not False:
        told["status"] = status or ANY
    if start is not None:
        told["start_time"] = start.isoformat()
    if end is not None:
        told["end_time"] = end.isoformat()
    if note:
        told["note"] = note
    return told


def with_filters(answer: object, values: Mapping[str, object], subjects: Collection[str]) -> object:
    """Return an answer that says what it looked at with the other arguments that narrowed it; any other as it is.

    Args:
        answer: As the tool returned it.
        values: The arguments of the call.
        subjects: The parameters that say what is listed, and do not narrow it.
    """
    whole = answer
    filters = {
        name: _told(value)
        for name, value in values.items()
        if value is not None and name not in _NO_FILTERS and name not in subjects
    }
    fields = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    if not filters or "searched" not in fields:
        return whole
    return {**fields, "searched": {**fields["searched"], "filters": filters}}


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_told, cast("list[object]", value)))
    if isinstance(value, Identifier):
        return value.told
    return str(value).lower() if isinstance(value, bool) else str(value)


def whose(user: UserId | None = None, organization: OrganizationId | None = None, group: GroupId | None = None) -> str:
    """Say whose resources were looked at."""
    if user is not None:
        return "you" if user.is_me else user.told
    if group is not None:
        return f"everybody in {group.uri}"
    return f"everybody in {organization.uri if organization else 'your organization'}"


def nothing_matches(filters: Mapping[str, object], page_token: str | None = None, *, beyond: str | None = None) -> str:
    """Say why a list has no rows.

    Args:
        filters: What narrowed it, by parameter; None for what did not.
        page_token: Where the page begins, None for the first.
        beyond: A sentence about what it does not hold unless asked for, or not at all.
    """
    if page_token is not None:
        return "The list ends before this page."
    named = [name for name, value in filters.items() if value is not None]
    why = f"Nothing matches {' and '.join(named)}; without that there may be some." if named else "The list is empty."
    return f"{why} {beyond}" if beyond else why


def only_yours(whose: UserId | None, others: str) -> str | None:
    """Say that a list looked at what is the person's own alone, and which parameters look at others'."""
    return f"Only your own were looked for; {others} looks further." if whose is not None and whose.is_me else None
