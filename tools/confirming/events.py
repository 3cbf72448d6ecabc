"""The question for Calendly's webhook. No condition limits the call."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from tools.confirming.questions import WriteEffects
from tools.events import due_families, watch_events
from tools.toolset.declaring import Call
from tools.toolset.question import Question, stated
from tools.toolset.tool import Tool, tool_of

_SHARED: Final = "All your agents share it."


async def _watch(call: Call, kinds: Sequence[str] | None = None, stop: bool = False) -> Question:
    webhooks = await call.caller.webhooks()
    families = webhooks.families(kinds)
    due = await due_families(webhooks, families, stop=stop, all_of_them=kinds is None)
    facts = (stated("Whose events", "yours"), stated("What they are about", ", ".join(due).replace("_", " ")))
    if stop:
        return Question("Have Calendly tell this server nothing more", facts, (_SHARED, "Events come later then."))
    told = "Names and e-mail addresses of invitees are in what it tells."
    return Question("Have Calendly tell this server at once what happens", facts, (told, _SHARED))


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType({tool_of(watch_events): WriteEffects(_watch)})
