"""Moments at which whatever reckons with dates goes wrong, if anywhere."""

from datetime import UTC, datetime
from typing import Final

DATES: Final = {
    name: datetime.fromisoformat(moment).replace(tzinfo=UTC)
    for name, moment in {
        "January has 31 days": "2027-01-31T09:00",
        "February has 28 days": "2027-02-28T22:30",
        "a leap day": "2028-02-29T09:00",
        "a day before New York's clocks go forward": "2027-03-13T17:00",
        "the day on which Europe's clocks go forward": "2027-03-28T00:30",
        "April has 30 days": "2027-04-30T23:59:59",
        "a Wednesday in September, both with long names": "2027-09-29T12:00",
        "the days before Europe's clocks go back, a week before New York's": "2027-10-29T18:00",
        "the hour that Europe has twice": "2027-10-31T00:30",
        "the hour that New York has twice": "2027-11-07T05:30",
        "a Friday evening": "2027-06-11T19:45",
        "a Sunday": "2027-08-15T11:00",
        "New Year's Eve, in Berlin next year": "2027-12-31T23:50",
        "1 January": "2028-01-01T00:00",
    }.items()
}
