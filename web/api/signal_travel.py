"""Travel times and where vehicles go, over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from signals.rules.passes.shares import ReadingRate
from web import access
from web.acts import act
from web.api.schemas.signal_travel import (
    SignalOriginsOut,
    SignalOriginsQuery,
    SignalReadingRateIn,
    SignalReadingRateOut,
    SignalTravelOut,
    SignalTravelQuery,
)
from web.api.signals import AUTHORS, NETWORK, READERS

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signal_travel", __name__, url_prefix="/api/v1", tag="Signals")


@blueprint.get(f"{NETWORK}/travel-times")
@access.allow(*READERS)
@blueprint.input(SignalTravelQuery, location="query")
@blueprint.output(SignalTravelOut)
@blueprint.doc(
    summary="How long vehicles took from signal to signal",
    description=(
        "By marks of the day that two signals read; who stopped on the way is left out. Median, 85 "
        "and 95 % with 95 % intervals by order statistics. Fewer than five drives are not told."
    ),
)
def signal_travel_times(network_id: UUID, query_data: SignalTravelQuery) -> dict[str, Any]:
    """Give travel times."""
    from signals.services import travel  # noqa: PLC0415 - SciPy is slow to load

    with access.wiring().database.read() as connection:
        found = travel.travel_times(
            connection,
            network_id,
            query_data.from_at,
            query_data.until_at,
            access.wiring().wall.now(),
            query_data.from_signal,
            query_data.to_signal,
        )
    return asdict(found)


@blueprint.get(f"{NETWORK}/origins")
@access.allow(*READERS)
@blueprint.input(SignalOriginsQuery, location="query")
@blueprint.output(SignalOriginsOut)
@blueprint.doc(
    summary="Where those who entered an area at a signal left it",
    description=(
        "The first and the last end that read a vehicle's mark, an hour apart at most from end to "
        "end. Shares with 95 % intervals, by each end's reading rate where all are known."
    ),
)
def signal_origins(network_id: UUID, query_data: SignalOriginsQuery) -> dict[str, Any]:
    """Give origins and destinations."""
    from signals.services import travel  # noqa: PLC0415 - SciPy is slow to load

    ends = [each.strip() for each in query_data.ends.split(",") if each.strip()]
    with access.wiring().database.read() as connection:
        found = travel.origins_and_destinations(
            connection,
            network_id,
            query_data.from_at,
            query_data.until_at,
            access.wiring().wall.now(),
            ends,
        )
    return {
        "settled": found.settled,
        "corrected": found.corrected,
        "origins": [
            {
                "signal": each.signal,
                "vehicles": each.vehicles,
                "destinations": [
                    {"signal": name, "share": asdict(share)} for name, share in each.destinations
                ],
            }
            for each in found.origins
        ],
    }


@blueprint.put(f"{NETWORK}/signals/<string:name>/reading-rate")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalReadingRateIn)
@blueprint.output(SignalReadingRateOut)
@blueprint.doc(
    summary="Say how many of the vehicles that passed a signal its cameras read",
    description="By a count beside them. Shares of where vehicles go are put right by it.",
)
def set_signal_reading_rate(
    uow: UnitOfWork, network_id: UUID, name: str, json_data: SignalReadingRateIn
) -> dict[str, Any]:
    """Set a reading rate."""
    from signals.services import travel  # noqa: PLC0415 - SciPy is slow to load

    rate = ReadingRate(json_data.vehicles, json_data.read)
    travel.set_reading_rate(uow, access.known_actor(), network_id, name, rate)
    return {"signal": name, "vehicles": rate.vehicles, "read": rate.read}
