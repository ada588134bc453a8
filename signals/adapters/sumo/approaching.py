"""Vehicles in SUMO that ask for priority.

A vehicle's messages are what it could know by itself: its place on the road, the free travel time
to the stop line, whether it stands in a queue, and what its timetable and its counter say (the
parameters ``lateness_s`` and ``passengers`` of a SUMO vehicle; without them nobody knows). Runs in
the simulation's process: it is given libsumo, never imports it.
"""

from collections.abc import Mapping
from typing import Any, Final

from signals.rules.priority.requests import Message, Request, Told, VehicleClass

CLASSES: Final[Mapping[str, VehicleClass]] = {
    "bus": VehicleClass.BUS,
    "coach": VehicleClass.BUS,
    "tram": VehicleClass.TRAM,
    "emergency": VehicleClass.EMERGENCY,
}
"""Who asks, by SUMO's vehicle class."""
CHECK_IN_M: Final[Mapping[VehicleClass, float]] = {
    VehicleClass.BUS: 250.0,
    VehicleClass.TRAM: 250.0,
    VehicleClass.EMERGENCY: 500.0,
}
"""Before the stop line: a change and a least green or two ahead at 50 km/h."""
EVERY_S: Final = 5.0
"""A vehicle tells its place again so often, as radios of buses do."""
_SPREAD: Final = 0.1
_LEAST_SPREAD_S: Final = 1.0
_SLOWEST_MPS: Final = 1.0
_STANDING_MPS: Final = 2.0
_QUEUED_M: Final = 7.5
"""A vehicle in a queue, with its gap."""


class Approaching:
    """Vehicles with priority on their way to signals, and what they tell."""

    def __init__(self, sumo: Any, groups: Mapping[str, tuple[str, ...]]) -> None:
        self._sumo = sumo
        self._groups = groups
        self._kinds: dict[str, VehicleClass] = {}
        self._asked: dict[str, tuple[str, Request, float]] = {}
        """By vehicle, the signal that knows of it, what it told last and when."""

    def step(self, now_s: float) -> dict[str, list[Message]]:
        """Give the messages of the second that ends now, by signal."""
        vehicles = self._sumo.vehicle
        for name in self._sumo.simulation.getDepartedIDList():
            kind = CLASSES.get(vehicles.getVehicleClass(name))
            if kind is not None:
                self._kinds[name] = kind
        for name in self._sumo.simulation.getArrivedIDList():
            self._kinds.pop(name, None)
        found: dict[str, list[Message]] = {}
        there = set(vehicles.getIDList()) if self._kinds else set()
        for name in [each for each in self._asked if each not in there]:
            self._out(name, found)
        for name, kind in self._kinds.items():
            if name in there:
                self._told(name, kind, now_s, found)
        return found

    def _out(self, name: str, found: dict[str, list[Message]]) -> None:
        light, request, _ = self._asked.pop(name)
        found.setdefault(light, []).append(Message(Told.CHECK_OUT, request))

    def _told(
        self, name: str, kind: VehicleClass, now_s: float, found: dict[str, list[Message]]
    ) -> None:
        ahead = self._sumo.vehicle.getNextTLS(name)
        light, link, away_m = ahead[0][:3] if ahead else ("", -1, 0.0)
        known = self._asked.get(name)
        if known is not None and known[0] != light:
            self._out(name, found)
            known = None
        if light not in self._groups or link >= len(self._groups[light]):
            return
        due = known is None or now_s - known[2] >= EVERY_S
        if not due or away_m > CHECK_IN_M[kind] or self._stops_before(name, away_m):
            return
        request = self._request(name, kind, self._groups[light][link], away_m, now_s)
        self._asked[name] = light, request, now_s
        found.setdefault(light, []).append(Message(Told.CHECK_IN, request))

    def _stops_before(self, name: str, away_m: float) -> bool:
        """Whether it calls at a stop before the signal: it asks when it has left that."""
        vehicles = self._sumo.vehicle
        stops = vehicles.getStops(name, 1)
        if not stops:
            return False
        edge, _, index = stops[0].lane.rpartition("_")
        to_m = vehicles.getDrivingDistance(name, edge, stops[0].endPos, int(index))
        return bool(vehicles.isStopped(name) or 0 <= to_m < away_m)

    def _request(
        self, name: str, kind: VehicleClass, group: str, away_m: float, now_s: float
    ) -> Request:
        vehicles = self._sumo.vehicle
        lane = vehicles.getLaneID(name)
        free_mps = max(vehicles.getAllowedSpeed(name), _SLOWEST_MPS)
        travel_s = away_m / free_mps
        late, aboard = (vehicles.getParameter(name, key) for key in ("lateness_s", "passengers"))
        return Request(
            name,
            kind,
            group,
            now_s + travel_s,
            _LEAST_SPREAD_S + _SPREAD * travel_s,
            float(late) if late else None,
            int(aboard) if aboard else None,
            lane,
            away_m / _QUEUED_M if vehicles.getSpeed(name) < _STANDING_MPS else None,
        )
