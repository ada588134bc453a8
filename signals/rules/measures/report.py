"""All measures of a file of events, by name."""

import numpy as np

from signals.rules.measures.approaches import approach_delay, approach_volume
from signals.rules.measures.counts import (
    actuations,
    communications,
    coordination,
    coordination_by_bin,
    has_data_table,
    people_on_foot,
    splits,
    terminations,
    unique_presses,
    walks,
)
from signals.rules.measures.cycles import (
    arrivals,
    arrivals_on_green,
    green_shares,
    platoon_ratio,
    tracks_of,
    yellow_red,
)
from signals.rules.measures.events import MINUTE_US, Events, Table
from signals.rules.measures.health import detector_health
from signals.rules.measures.intervals import Intervals, intervals, timeline
from signals.rules.measures.priority import preemptions, priority
from signals.rules.measures.settings import Configuration, Settings
from signals.rules.measures.split_failures import split_failures
from signals.rules.measures.trust import incomplete
from signals.rules.measures.waits import pedestrian_delay, phase_wait

NEVER_CUT = frozenset({"has_data", "timeline", "preemptions", "priority", "detector_health"})
"""Whole bins are not asked of these."""
NEEDS = {
    "arrival_on_green": "Advance",
    "platoon_ratio": "Advance",
    "approach_delay": "Advance",
    "split_failures": "Presence",
    "yellow_red": "Yellow_Red",
}
"""Measures that need to know a detector's function."""


def measure(
    events: Events, configuration: Configuration, settings: Settings
) -> tuple[dict[str, Table], Intervals]:
    """Work out every measure.

    Cost grows as sorting the events does: about a second a million on one core.

    Returns
    -------
    tuple
        A table a measure, and the timeline's intervals, of which others are made.
    """
    uses = configuration.of("Advance")
    tracks = tracks_of(events, uses)
    met = arrivals(events, tracks, uses, settings.latency_s)
    shares = green_shares(met, settings.bin_min * MINUTE_US)
    found = intervals(events, settings)
    tables: dict[str, Table] = {
        "actuations": actuations(events, settings),
        "arrival_on_green": arrivals_on_green(events, shares),
        "platoon_ratio": platoon_ratio(events, tracks, shares, settings),
        "communications": communications(events, settings),
        "coordination": coordination(events, settings),
        "coordination_agg": coordination_by_bin(events, settings),
        "has_data": has_data_table(events, settings),
        "ped": walks(events, settings),
        "unique_ped": unique_presses(events, settings),
        "full_ped": people_on_foot(events, settings),
        "ped_delay": pedestrian_delay(events, found, settings),
        "phase_wait": phase_wait(events, found, settings),
        "split_failures": split_failures(events, configuration, settings),
        "splits": splits(events, settings),
        "terminations": terminations(events, settings),
        "timeline": timeline(events, found),
        "yellow_red": yellow_red(events, configuration, settings),
        "approach_volume": approach_volume(events, configuration, settings),
        "approach_delay": approach_delay(events, tracks, met, settings),
        "preemptions": preemptions(events),
        "priority": priority(events),
        "detector_health": detector_health(events, configuration, settings),
    }
    if settings.only_complete:
        tables = {
            name: table if name in NEVER_CUT else _complete(events, table, settings)
            for name, table in tables.items()
        }
    return tables, found


def _complete(events: Events, table: Table, settings: Settings) -> Table:
    """Leave out rows of bins without whole data."""
    place = {name: number for number, name in enumerate(events.devices)}
    device = np.array([place[str(each)] for each in table["DeviceId"]], dtype=np.int64)
    bins = np.asarray(table["TimeStamp"]).astype("datetime64[us]").astype(np.int64)
    kept = np.flatnonzero(~incomplete(events, settings, device, bins))
    cut: Table = {}
    for name, column in table.items():
        # No table with empty cells comes here: the timeline is never cut.
        cut[name] = (
            [str(column[each]) for each in kept] if isinstance(column, list) else column[kept]
        )
    return cut


def rows_in(table: Table) -> int:
    """Count a table's rows."""
    return len(next(iter(table.values())))
