"""Settings as a question spells them."""

from collections.abc import Mapping
from typing import cast


def spelled(value: object) -> str:
    """Return a number, a yes or no, a place, hours, or a list of these, on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(spelled, cast("list[object]", value)))
    if isinstance(value, Mapping):
        if "rules" in value:
            return f"hours of its own, in {cast('Mapping[str, object]', value).get('timezone')}"
        place = cast("Mapping[str, object]", value)
        more = [str(place[name]) for name in ("location", "phone_number", "additional_info") if place.get(name)]
        kind = str(place.get("kind")).replace("_", " ")
        return f"{kind} ({', '.join(more)})" if more else kind
    return f"{value:g}" if isinstance(value, float) else str(value)
