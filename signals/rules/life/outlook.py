"""What the delay model foretells of a junction under a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from signals.rules.delay.service import chinese_level, hcm_level
from signals.rules.model.plans import Programme
from signals.rules.plans.delay_of_plan import (
    LaneResult,
    lane_results,
    lanes_of,
    opposing_of,
    total_delay_s,
)
from signals.rules.safety.case import Case


@dataclass(frozen=True, slots=True)
class Demand:
    """Who drives where, and for how long."""

    hours: float
    flow_vph: Mapping[tuple[str, str], float]
    """By road from and road to."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a junction fares; without traffic, nothing is known of its level."""

    signal: str
    flow_vph: float
    delay_s: float
    """Mean of a vehicle."""
    saturation: float
    """Of the fullest lane."""
    level: str | None
    """A to F by the Highway Capacity Manual."""
    grade: int | None
    """1 to 4 by the Chinese table."""
    lanes: tuple[LaneResult, ...]

    def as_json(self) -> dict[str, JsonValue]:
        """Give its document, lanes with traffic alone."""
        return {
            "signal": self.signal,
            "flow_vph": round(self.flow_vph, 1),
            "delay_s": round(self.delay_s, 2),
            "saturation": round(self.saturation, 3),
            "level": self.level,
            "grade": self.grade,
            "lanes": [
                {
                    "lane": each.lane,
                    "flow_vph": round(each.flow_vph, 1),
                    "capacity_vph": round(each.capacity_vph, 1),
                    "saturation": round(each.saturation, 3),
                    "delay_s": round(each.delay_s, 2),
                }
                for each in self.lanes
                if each.flow_vph > 0
            ],
        }


def outlook(case: Case, programme: Programme, demand: Demand) -> Outlook:
    """Foretell a junction's delay.

    Cost grows with lanes times intervals; milliseconds for a junction.
    """
    lanes = lanes_of(case.junction, case.network, demand.flow_vph)
    results = lane_results(programme, lanes, opposing_of(case.pairs), demand.hours)
    return outlook_of_lanes(case.junction.name, results)


def outlook_of_lanes(signal: str, results: tuple[LaneResult, ...]) -> Outlook:
    """Give how a junction fares by how its lanes do."""
    flow_vph = sum(each.flow_vph for each in results)
    if flow_vph <= 0:
        return Outlook(signal, 0.0, 0.0, 0.0, None, None, results)
    delay_s = total_delay_s(results) / flow_vph
    worst = max(each.saturation for each in results)
    return Outlook(
        signal,
        flow_vph,
        delay_s,
        worst,
        str(hcm_level(delay_s, worst)),
        int(chinese_level(delay_s, worst)),
        results,
    )


def mean_delay_s(outlooks: Sequence[Outlook]) -> float | None:
    """Give the mean delay of a vehicle over junctions; None without traffic."""
    flow_vph = sum(each.flow_vph for each in outlooks)
    if flow_vph <= 0:
        return None
    return sum(each.delay_s * each.flow_vph for each in outlooks) / flow_vph
