"""What a junction shows now: stage, lamps, seconds left, as its controller says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
from apiflask import APIBlueprint

from city.errors import Unavailable
from signals.adapters.lights import Lights
from signals.rules.live.lights import later_by
from signals.services import networks
from signals.store import cabinets as store
from web import access
from web.api.schemas.signal_lights import SignalLightsOut
from web.api.signals import NETWORK, READERS

if TYPE_CHECKING:
    from uuid import UUID

    from signals.rules.live.lights import Seen

blueprint = APIBlueprint("signal_lights", __name__, url_prefix="/api/v1", tag="Signals")

LIGHTS = f"{NETWORK}/signals/<string:name>/lights"


def last_seen(network_id: UUID, name: str) -> tuple[bool, Seen | None]:
    """Say whether a cabinet is bound to a signal, and give what was seen of it last.

    Its controller is asked each second from then on, for as long as somebody looks.
    """
    wiring = access.wiring()
    with wiring.database.read() as connection:
        networks.parts(connection, network_id, [name])
        bound = bool(store.bindings(connection, network_id, [name]))
    if not bound:
        return False, None
    lights = Lights(wiring.live)
    try:
        lights.want((network_id, name), wiring.wall.now())
        return True, lights.get((network_id, name))
    except redis.RedisError:
        raise Unavailable("the live store does not answer", retry_after_s=5) from None


@blueprint.get(LIGHTS)
@access.allow(*READERS)
@blueprint.output(SignalLightsOut)
@blueprint.doc(summary="What a junction shows now, and for how long, as its controller says")
def signal_lights(network_id: UUID, name: str) -> dict[str, Any]:
    """Show lights."""
    bound, seen = last_seen(network_id, name)
    now = access.wiring().wall.now()
    found: dict[str, Any] = {"now": now, "faults": [], "groups": [], "stages": [], "chain": []}
    if seen is None:
        return found | {"state": "asked" if bound else "no_cabinet"}
    found |= {"at": seen.at, "problem": seen.problem}
    if seen.state is None:
        return found | {"state": "silent"}
    state, layout = seen.state, seen.layout
    gone_s = max(int((now - seen.at).total_seconds()), 0)
    names = {} if layout is None else {each.number: each.name for each in layout.phases}
    return found | {
        "state": "known",
        "control": state.control,
        "plan": state.plan,
        "stage": state.stage,
        "changing": state.changing,
        "elapsed_s": state.elapsed_s,
        "remaining_s": state.remaining_s,
        "faults": list(state.faults),
        "groups": [
            {
                "group": each.name,
                "kind": each.kind,
                "aspect": each.aspect,
                "least_s": each.least_s,
                "most_s": each.most_s,
                "likely_s": each.likely_s,
            }
            for each in (later_by(found_at, gone_s) for found_at in seen.phases)
        ],
        "stages": []
        if layout is None
        else [
            {"stage": each.number, "groups": [names[phase] for phase in sorted(each.phases)]}
            for each in layout.stages
        ],
        "chain": [] if seen.plan is None else [each.stage for each in seen.plan.stages],
    }
