"""Measures of a signal from what is kept, by the same rules as from files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from city.errors import Invalid
from signals.rules.measures.drawings import drawings
from signals.rules.measures.events import Events, Table, in_order
from signals.rules.measures.report import NEEDS, measure
from signals.rules.measures.settings import Configuration, Settings, WatchLimits
from signals.rules.measures.watchdog import findings
from signals.services import networks
from signals.store import detections as store
from signals.store import reporters
from signals.store.reporters import DetectorUse

ZONE: Final = ZoneInfo("Asia/Shanghai")
"""Bins begin with the street's hours."""
LONGEST: Final = timedelta(days=2)
"""That is worked out while somebody waits."""
FUNCTIONS: Final = {
    "advance": "Advance",
    "presence": "Presence",
    "count": "count",
    "yellow_red": "Yellow_Red",
}


@dataclass(frozen=True)
class Measured:
    """What is known of some signals over a span."""

    events: Events
    tables: dict[str, Table]
    findings: list[dict[str, str | float]]
    pictures: dict[str, str]
    not_told: dict[str, str]


def read_events(
    connection: Connection,
    network_id: UUID,
    names: Sequence[str],
    from_at: datetime,
    until_at: datetime,
) -> Events:
    """Give the kept events of some signals, in the street's time.

    Raises
    ------
    Invalid
        Where there are more than can be read at once.
    """
    places = reporters.places_of(connection, network_id)
    known = sorted((name, places[name]) for name in names if name in places)
    kept = store.events(connection, [where for _, where in known], from_at, until_at)
    if kept is None:
        raise Invalid(f"holds more than {store.MOST_EVENTS} events", field="until")
    return as_events(kept, {where: name for name, where in known}, from_at)


def as_events(kept: store.KeptEvents, names: Mapping[int, str], from_at: datetime) -> Events:
    """Give kept events as the measures take them, in the street's time at an instant.

    Parameters
    ----------
    kept : KeptEvents
    names : Mapping
        Signals by place, in the order of their names.
    from_at : datetime
    """
    number = {where: index for index, where in enumerate(names)}
    device = np.array([number[each] for each in kept.place], dtype=np.int64)
    shift = from_at.astimezone(ZONE).utcoffset() or timedelta()
    at_us = np.array(kept.at_us, dtype=np.int64) + int(shift.total_seconds()) * 1_000_000
    code, parameter = (np.array(each, dtype=np.int64) for each in (kept.code, kept.parameter))
    return in_order(at_us, device, code, parameter, list(names.values()))[0]


def configuration(uses: Mapping[str, Iterable[DetectorUse]]) -> Configuration:
    """Give detectors' uses as the measures take them."""
    rows = [
        (name, use.phase, use.channel, FUNCTIONS[use.function])
        for name, each in uses.items()
        for use in each
    ]
    if not rows:
        return Configuration()
    return Configuration(*(tuple(column) for column in zip(*rows, strict=True)))


def measured(
    connection: Connection,
    network_id: UUID,
    name: str,
    from_at: datetime,
    until_at: datetime,
    *,
    bin_min: int = 15,
    draw: bool = False,
) -> Measured:
    """Work out the measures of a signal over a span of at most two days.

    Raises
    ------
    NotFound
        Where there is no such signal.
    Invalid
        On a span that is none or too long.
    """
    networks.parts(connection, network_id, [name])
    if not timedelta() < until_at - from_at <= LONGEST:
        raise Invalid("must lie after its beginning, by two days at most", field="until")
    found = read_events(
        connection, network_id, [name], from_at.astimezone(UTC), until_at.astimezone(UTC)
    )
    uses = configuration(reporters.detectors(connection, network_id, [name]))
    not_told = {
        measure_name: function for measure_name, function in NEEDS.items() if not uses.of(function)
    }
    if not len(found):
        return Measured(found, {}, [], {}, not_told)
    settings = replace(Settings(), bin_min=bin_min, no_data_min=5 if bin_min % 5 == 0 else bin_min)
    tables, intervals = measure(found, uses, settings)
    said = findings(found, tables, uses, settings, WatchLimits())
    pictures = drawings(found, uses, intervals, tables, settings) if draw else {}
    return Measured(found, tables, said, pictures, not_told)
