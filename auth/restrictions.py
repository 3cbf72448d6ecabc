"""What a person did not want an agent to do, remembered for when it comes again. Pure.

A client that registers again is a client that nobody let in: what it was allowed is gone. But who told an agent to keep
its hands off something means the next one of that name too. Anyone may take a name, so memory only ever takes away.
"""

from datetime import timedelta
from typing import Final

RESTRICTION_LIFE: Final = timedelta(days=180)
"""How long it is remembered, from the last change."""
