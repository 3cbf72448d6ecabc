from datetime import UTC, datetime

from auth.pages.views import said, zone_name
from tests.cases import each

MOMENT = datetime(2026, 12, 1, 9, 5, tzinfo=UTC)


@each(
    "zone, time, name",
    [
        ("Europe/Berlin", "1 Dec 2026, 10:05", "Europe/Berlin"),
        ("America/New_York", "1 Dec 2026, 04:05", "America/New_York"),
        (None, "1 Dec 2026, 09:05", "UTC"),
        ("", "1 Dec 2026, 09:05", "UTC"),
        ("Nowhere/At_All", "1 Dec 2026, 09:05", "UTC"),
        ("../../etc/passwd", "1 Dec 2026, 09:05", "UTC"),
        ("Europe", "1 Dec 2026, 09:05", "UTC"),
    ],
)
def test_a_moment_is_said_in_the_persons_own_zone(zone: str | None, time: str, name: str) -> None:
    assert (said(MOMENT, zone), zone_name(zone)) == (time, name)
