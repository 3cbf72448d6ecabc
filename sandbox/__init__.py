"""A Calendly on your machine: the 28 endpoints, OAuth, webhooks and a control panel, with state of its own.

It imports nothing from the packages beside it, so that a mistake made there cannot hide here too.
`running` and `RunningSandbox` are loaded when first asked for: importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.serving import RunningSandbox, running

__all__ = ["RunningSandbox", "running"]


def __getattr__(name: str) -> object:
    """Load the server only when it is wanted (PEP 562)."""
    if name in __all__:
        return getattr(import_module("sandbox.serving"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
