"""How a phase's greens did in a bin: cycles, greens that were too short, who met green."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from signals.rules.measures.approaches import waits
from signals.rules.measures.cycles import arrivals, tracks_of
from signals.rules.measures.events import (
    GREEN,
    MINUTE_US,
    SECOND_US,
    Events,
    bin_of,
    grouped,
)
from signals.rules.measures.settings import Configuration, Settings
from signals.rules.measures.split_failures import split_failures

BIN_MIN: Final = 5
_COLUMNS: Final = ("TimeStamp", "DeviceId", "Phase", "Cycles", "Split_Failure")
_SETTINGS: Final = replace(Settings(), bin_min=BIN_MIN, no_data_min=BIN_MIN)


@dataclass(frozen=True, slots=True)
class PhaseBin:
    """One phase in one bin; what no detector tells is None."""

    signal: str
    phase: int
    from_us: int
    cycles: int | None
    """Whole cycles that ended in the bin, of which the detectors told all along."""
    split_failures: int | None
    arrivals: int | None
    on_green: float | None
    """Share of arrivals that met green."""
    released: int | None = None
    """Vehicles whose wait for green ended in the bin; who met green waited 0 s."""
    waited_s: float | None = None
    """All of these together."""


def phase_bins(events: Events, configuration: Configuration, from_us: int) -> list[PhaseBin]:
    """Give the bins that begin at an instant.

    The events should begin some minutes before, so that the bin's first cycle is whole.
    """
    found: dict[tuple[str, int], PhaseBin] = {}

    def row(signal: str, phase: int) -> PhaseBin:
        return found.get((signal, phase)) or PhaseBin(
            signal, phase, from_us, None, None, None, None
        )

    table = split_failures(events, configuration, _SETTINGS)
    wanted = np.datetime64(from_us, "us")
    for at, device, phase, cycles, failures in zip(
        *(table[name] for name in _COLUMNS), strict=True
    ):
        if at != wanted:
            continue
        key = str(device), int(str(phase))
        found[key] = replace(row(*key), cycles=int(str(cycles)), split_failures=int(str(failures)))
    uses = configuration.of("Advance")
    tracks = tracks_of(events, uses)
    met = arrivals(events, tracks, uses, 0.0)
    known, waited_us = waits(tracks, met)
    inside = bin_of(met.at_us, BIN_MIN * MINUTE_US) == from_us
    keys, group, sizes = grouped(met.device[inside], met.phase[inside])
    # A phase that nobody met on green is here too, and is what one looks for.
    green = np.bincount(group, met.state[inside] == GREEN, len(sizes))
    for owner, number, total, share in zip(
        *(each.tolist() for each in (*keys, sizes, green / np.maximum(sizes, 1))), strict=True
    ):
        key = events.devices[owner], number
        found[key] = replace(row(*key), arrivals=total, on_green=share)
    # A wait counts where it ends: of who waits still as the bin is over nobody knows how long.
    ends = met.at_us + waited_us
    over = known & (bin_of(ends, BIN_MIN * MINUTE_US) == from_us)
    keys, group, sizes = grouped(met.device[over], met.phase[over])
    waits_s = np.bincount(group, waited_us[over] / SECOND_US, len(sizes))
    for owner, number, total, waited_s in zip(
        *(each.tolist() for each in (*keys, sizes, waits_s)), strict=True
    ):
        key = events.devices[owner], number
        found[key] = replace(row(*key), released=total, waited_s=waited_s)
    return [found[key] for key in sorted(found)]
