"""Reading a JSON object out of a body."""

import json
from typing import cast


def read_object(text: bytes) -> dict[str, object] | None:
    """Read a JSON object whose texts can be written again (a lone surrogate cannot); None for anything else."""
    try:
        body = cast("object", json.loads(text))
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", body) if isinstance(body, dict) else None
