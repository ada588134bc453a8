"""How signals, streets and outlooks are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from signals.rules.life.bands import bands, common_cycle_s
from signals.rules.life.waiting import speeds_of
from signals.services import trials
from web.refusals import as_asked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from signals.rules.life.bands import Band, Direction, Stop
    from signals.rules.life.outlook import Outlook
    from signals.rules.model.plans import Programme
    from signals.store.networks import DemandRecord, SignalRecord
    from signals.store.optimisations import Optimisation
    from signals.store.running_plans import RunningPlan

KPH: Final = 3.6
FOUND_DIGITS: Final = 6


def outlook_json(found: Outlook) -> dict[str, Any]:
    """Give how a junction fares."""
    return dict(found.as_json())


def signal_json(
    row: SignalRecord,
    running: tuple[RunningPlan, Programme] | None,
    outlook: Outlook | None,
) -> dict[str, Any]:
    """Give a junction with what it runs."""
    return {
        "name": row.name,
        "title": {"zh": row.title_zh, "en": row.title_en},
        "x_m": row.x_m,
        "y_m": row.y_m,
        "running": None if running is None else _running(*running),
        "outlook": None if outlook is None else outlook_json(outlook),
    }


def _running(row: RunningPlan, plan: Programme) -> dict[str, Any]:
    return {
        "origin": row.origin,
        "version_id": row.version_id,
        "name": plan.name,
        "cycle_s": plan.cycle_s,
        "offset_s": plan.offset_s,
        "from_at": row.from_at,
        "change": row.change,
    }


def street_json(
    connection: Connection,
    network_id: UUID,
    names: Sequence[str],
    plans: Mapping[str, Programme],
    speeds_kph: tuple[float | None, float | None],
) -> dict[str, Any]:
    """Give a street under plans: stops, bands, what waits."""
    stops = trials.street_of(connection, network_id, names, plans)
    permitted = speeds_of(stops)
    out_mps, in_mps = (
        permitted[side] if given is None else given / KPH for side, given in enumerate(speeds_kph)
    )
    waits = trials.waits_of(connection, network_id, stops, (out_mps, in_mps))
    found = bands(stops, out_mps, in_mps)
    vehicles = [] if waits is None else [v for v in (waits.outbound_veh, waits.inbound_veh) if v]
    return {
        "stops": [_stop(stop) for stop in stops],
        "cycle_s": common_cycle_s(stops),
        "outbound_kph": out_mps * KPH,
        "inbound_kph": in_mps * KPH,
        "outbound": None if found is None else _band(found[0]),
        "inbound": None if found is None else _band(found[1]),
        "outbound_delay_s": None if waits is None else waits.outbound_delay_s,
        "inbound_delay_s": None if waits is None else waits.inbound_delay_s,
        "waiting_vehicles": sum(vehicles) if vehicles else None,
    }


def _stop(stop: Stop) -> dict[str, Any]:
    return {
        "signal": stop.signal,
        "position_m": round(stop.position_m, 3),
        "cycle_s": stop.cycle_s,
        "offset_s": stop.offset_s,
        "outbound": _direction(stop.outbound),
        "inbound": _direction(stop.inbound),
    }


def _direction(found: Direction | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "group": found.group,
        "road": found.road,
        "speed_kph": round(found.speed_mps * KPH, 2),
        "greens": found.greens,
    }


def _band(found: Band) -> dict[str, Any]:
    return {
        "width_s": round(found.width_s, FOUND_DIGITS),
        "begin_s": round(found.begin_s, FOUND_DIGITS),
    }


def optimisation_json(found: Optimisation) -> dict[str, Any]:
    """Give an optimisation's document."""
    return {
        "id": found.id,
        "network_id": found.network_id,
        "profile": found.profile,
        "status": found.status,
        "done": found.done,
        "total": len(found.signals),
        "requested_at": found.requested_at,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "problem": None if found.problem is None else as_asked(found.problem),
        "version_id": found.version_id,
        "result": found.result,
    }


def demand_json(found: DemandRecord) -> dict[str, Any]:
    """Give a demand without its flows."""
    return {
        "id": found.id,
        "name": found.name,
        "source": found.source,
        "hours": found.hours,
        "recorded_at": found.recorded_at,
    }
