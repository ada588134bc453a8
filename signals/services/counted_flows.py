"""A junction's flows in an hour of the day, from what is kept of counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Connection

from signals.rules.counts.tables import LegDay
from signals.rules.counts.turning import CountedTurn, PhaseCount, counted_turns
from signals.services import live_bins, networks
from signals.store import counts, reporters
from signals.store.reporters import DetectorUse

Days = Literal["working", "free"]
TABLE_DAYS: Final = 28
"""Back from the last day that a table counts."""
COUNTING: Final = ("count", "advance")
"""Uses of detectors that count vehicles; of a phase the first that it has is taken."""


def flows(
    connection: Connection, network_id: UUID, signal: str, *, days: Days, hour: int, now: datetime
) -> list[CountedTurn]:
    """Give who turns where at a signal in an hour of working or free days.

    Tables' last four weeks come first, then detectors' last four weeks.

    Raises
    ------
    NotFound
        Where there is no such signal.
    """
    part = networks.parts(connection, network_id, [signal])[signal]
    known = networks.demand(connection, network_id)
    uses = reporters.detectors(connection, network_id, [signal]).get(signal, [])
    rows = live_bins.profile(connection, network_id, signal, days, now) if uses else []
    at_hour = {row["channel"]: row for row in rows if row["hour"] == hour}
    return counted_turns(
        part,
        _legs(connection, network_id, signal, days),
        _phases(uses, at_hour),
        {} if known is None else known[1].flow_vph,
        hour,
    )


def _legs(connection: Connection, network_id: UUID, signal: str, days: Days) -> list[LegDay]:
    last = next(
        (each.last for each in counts.counted(connection, network_id) if each.signal == signal),
        None,
    )
    if last is None:
        return []
    first = last - timedelta(days=TABLE_DAYS - 1)
    return [
        leg
        for leg in counts.legs_of(connection, network_id, [signal], first, last)
        if live_bins.is_working(leg.day) is (days == "working")
    ]


def _phases(uses: Sequence[DetectorUse], rows: dict[int, dict[str, Any]]) -> dict[int, PhaseCount]:
    """Sum up the detectors of each phase, as far as all of them tell."""
    counting = [each for each in uses if each.function in COUNTING]
    served: dict[int, set[int]] = {}
    for use in counting:
        served.setdefault(use.channel, set()).add(use.phase)
    found = {}
    for phase in {each.phase for each in counting}:
        mine = [each for each in counting if each.phase == phase]
        function = min((each.function for each in mine), key=COUNTING.index)
        channels = {each.channel for each in mine if each.function == function}
        # Of a detector that serves two phases nobody knows whom it counted for which.
        if any(channel not in rows or len(served[channel]) > 1 for channel in channels):
            continue
        those = [rows[channel] for channel in channels]
        found[phase] = PhaseCount(
            sum(row["vehicles"] for row in those),
            min(row["days"] for row in those),
            max(row["imputed_share"] for row in those),
        )
    return found
