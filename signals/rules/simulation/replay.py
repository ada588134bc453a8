"""A few minutes of a run kept to be looked at: vehicles second by second, and what lamps showed."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import CODES
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.plans import Interval

FORMAT: Final = "greenbay-replay/1"
_DM: Final = 10


@dataclass(frozen=True, slots=True)
class Track:
    """Where a vehicle was."""

    from_s: float
    places_dm: tuple[int, ...]
    """x and y in turn, a second each."""


def side_json(
    tracks: Iterable[Track],
    shown: Mapping[str, Sequence[Interval]],
    *,
    shown_from_s: float,
    from_s: float,
    until_s: float,
) -> dict[str, JsonValue]:
    """Give one run's window.

    Vehicles: their first second, then x and y in decimetres, then the steps from second to second.
    Lamps: by signal the states that differ from the one before, each from its second, a letter a
    group (``aspects.CODES``).

    Parameters
    ----------
    tracks : Iterable of Track
    shown : Mapping
        By signal, all that it showed.
    shown_from_s : float
        When the first state of each signal was shown first.
    from_s, until_s : float
        The window.
    """
    return {
        "vehicles": [_steps(each, from_s) for each in tracks if each.from_s < until_s],
        "lamps": {
            name: _states(intervals, shown_from_s - from_s, until_s - from_s)
            for name, intervals in shown.items()
        },
    }


def ground_json(network: SignalNetwork) -> dict[str, JsonValue]:
    """Give what a replay is drawn over: lanes, ways through junctions, and where lamps stand."""
    lanes: list[JsonValue] = [
        [lane.width_m or 0.0, _line(lane.shape)] for road in network.roads for lane in road.lanes
    ]
    lanes += [
        [piece.width_m or 0.0, _line(piece.shape)]
        for junction in network.junctions
        for each in junction.movements
        if each.kind is not GroupKind.PEDESTRIAN
        for piece in each.pieces
    ]
    heads: dict[str, JsonValue] = {}
    for junction in network.junctions:
        place = {group.name: index for index, group in enumerate(junction.groups)}
        stops: dict[tuple[str, int], list[JsonValue]] = {}
        for each in junction.movements:
            if each.kind is GroupKind.PEDESTRIAN:
                continue
            road = network.road_of[each.from_lane]
            lane = next(lane for lane in road.lanes if lane.name == each.from_lane)
            line = _line(lane.shape)[-4:]
            stops.setdefault((each.from_lane, place[each.group]), [place[each.group], line])
        heads[junction.name] = list(stops.values())
    return {"lanes": lanes, "heads": heads}


def packed(document: Mapping[str, JsonValue]) -> bytes:
    """Give a replay's document as it is kept and sent: gzipped, the same bytes for the same."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return gzip.compress(text.encode(), 6, mtime=0)


def unpacked(content: bytes) -> dict[str, JsonValue]:
    """Give a document that was packed here."""
    found: dict[str, JsonValue] = json.loads(gzip.decompress(content))
    return found


def _steps(track: Track, from_s: float) -> list[JsonValue]:
    places = track.places_dm
    later = (here - before for here, before in zip(places[2:], places, strict=False))
    return [round(track.from_s - from_s), *places[:2], *later]


def _states(intervals: Sequence[Interval], begins_s: float, until_s: float) -> list[JsonValue]:
    """Give the states shown within 0 and an end; the first of them from before or at 0."""
    found: list[JsonValue] = []
    at_s = begins_s
    for each in intervals:
        ends_s = at_s + each.duration_s
        if ends_s > 0 and at_s < until_s:
            state = "".join(CODES[aspect] for aspect in each.shows)
            found.append([max(round(at_s), 0), state])
        at_s = ends_s
    return found


def _line(shape: Sequence[tuple[float, float]]) -> list[JsonValue]:
    return [round(value * _DM) for point in shape for value in point]
