"""Controls of webhooks: what was sent, and what goes wrong on the way."""

from typing import Final, Literal, cast

from sandbox.errors import not_found
from sandbox.records.as_json import JsonObject, stamp, webhook_subscription_json
from sandbox.requests.fields import InputFields
from sandbox.state.deliveries import Delivery
from sandbox.state.delivery_faults import CORRUPTIONS, Corruption, DeliveryFault
from sandbox.state.sandbox import Sandbox

STATES: Final = ("active", "disabled")

MOST_COPIES: Final = 1000
LONGEST_DELAY: Final = 86_400


def list_deliveries(sandbox: Sandbox, _fields: InputFields) -> object:
    """List the deliveries, oldest first, each with its attempts. No key and no address of a receiver is told."""
    return [_delivery_json(delivery) for delivery in sandbox.deliveries.kept]


def replay_delivery(sandbox: Sandbox, fields: InputFields) -> object:
    """Send a delivery again, signed anew: {"delivery": id, "times": number}. Nothing is sent a second time if it fails.

    It goes out even after its subscription was disabled or deleted.
    """
    identifier = fields.text("delivery", required=True)
    times = fields.whole_number("times", least=1, most=MOST_COPIES) or 1
    fields.check()
    found = next((one for one in sandbox.deliveries.kept if one.id == identifier), None)
    if found is None:
        raise not_found()
    sandbox.deliveries.replay(found, times)
    return _delivery_json(found)


def add_delivery_fault(sandbox: Sandbox, fields: InputFields) -> object:
    """Add a fault of deliveries: {"duplicate", "delay", "reorder", "corrupt", "drop", "times"}.

    It hits the next `times` attempts, by default one. `duplicate` is how many copies follow, true for one;
    `delay` is in seconds of the sandbox's clock. With `"reorder": true` the attempts that are hit, at least two, go
    out in reverse order. `corrupt` is "body", "signature" or "time". With `"drop": true` nothing is sent, and
    the attempt has failed.
    """
    sent = fields.raw("duplicate")
    corrupt = fields.choice("corrupt", CORRUPTIONS)
    fault = DeliveryFault(
        duplicate=int(sent)
        if isinstance(sent, bool)
        else fields.whole_number("duplicate", least=1, most=MOST_COPIES) or 0,
        delay=fields.number("delay", least=0, most=LONGEST_DELAY) or 0,
        reorder=fields.boolean("reorder"),
        corrupt=cast("Corruption | None", corrupt or None),
        drop=fields.boolean("drop"),
        times=fields.whole_number("times", least=1, most=1_000_000) or 1,
    )
    if not (fault.duplicate or fault.delay or fault.reorder or fault.corrupt or fault.drop):
        fields.refuse("drop", "a fault of deliveries needs duplicate, delay, reorder, corrupt or drop")
    fields.check()
    sandbox.deliveries.faults.add(fault)
    return {"times": fault.times}


def set_webhook_state(sandbox: Sandbox, fields: InputFields) -> object:
    """Disable a subscription or make it active again: {"webhook": URI, "state"}."""
    identifier = fields.reference("webhook", "webhook_subscriptions", required=True)
    state = fields.choice("state", STATES, required=True)
    fields.check()
    hook = sandbox.records.webhooks.get(identifier)
    if hook is None:
        raise not_found()
    hook.state = cast("Literal['active', 'disabled']", state)
    hook.retry_started_at = None
    hook.updated_at = sandbox.clock.now()
    return {"resource": webhook_subscription_json(hook)}


def _delivery_json(delivery: Delivery) -> JsonObject:
    return {
        "id": delivery.id,
        "event": delivery.event,
        "subscription": delivery.subscription.uri,
        "attempts": [{"time": stamp(one.time), "status": one.status} for one in delivery.attempts],
    }


WEBHOOK_CONTROLS: Final = {
    "replays": replay_delivery,
    "delivery_faults": add_delivery_fault,
    "webhook_states": set_webhook_state,
}
