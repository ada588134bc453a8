"""A crossroads of our own: four arms with left-turn lanes, bicycle lanes, crossings with refuges.

Drawn for the arm whose traffic comes from the south and turned by quarter turns for the others.
Right-hand traffic; metres; the crossings are 24 m long with a refuge in the middle.
"""

from typing import Any

from signals.rules.model.documents import network_from_json
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.model.stages import GreenStage, programme_from_stages
from signals.rules.safety.case import Case, intergreens, prepare, yielding
from signals.rules.safety.profiles import GB

ARMS = ("south", "east", "north", "west")
NAME = "crossroads"
_LANES = {"bikes": 8.75, "through": 5.25, "left": 1.75}
_FLASHING = {"aspect": "flashing_green", "duration_s": 3}
_YELLOW = {"aspect": "yellow", "duration_s": 3}

Points = list[tuple[float, float]]


def turned(points: Points, quarters: int) -> list[list[float]]:
    """Turn points counter-clockwise by quarter turns: south's right-hand neighbour is east."""
    found = points
    for _ in range(quarters):
        found = [(-y, x) for x, y in found]
    return [[x, y] for x, y in found]


def document(*, waiting_area: bool = False, refuge: bool = True) -> dict[str, Any]:
    roads, movements, groups = [], [], []
    for place, arm in enumerate(ARMS):
        lanes = []
        for lane, x in _LANES.items():
            value: dict[str, Any] = {
                "name": f"{arm}-{lane}",
                "speed_mps": 13.89,
                "shape": turned([(x, -224), (x, -24)], place),
            }
            if lane == "bikes":
                value["allow"] = ["bicycle"]
            if lane == "left" and waiting_area:
                value["waiting_area"] = "left"
            lanes.append(value)
        out = [
            {
                "name": f"{arm}-out-{lane}",
                "speed_mps": 13.89,
                "shape": turned([(-x, -24), (-x, -224)], place),
            }
            for lane, x in _LANES.items()
        ]
        roads += [
            {"name": f"{arm}-in", "start": f"{arm}-end", "end": NAME, "lanes": lanes},
            {"name": f"{arm}-out", "start": NAME, "end": f"{arm}-end", "lanes": out},
        ]
        left, ahead, right = (ARMS[(place + step) % 4] for step in (3, 2, 1))
        drawn: list[tuple[str, str, str, Points]] = [
            ("through", f"{ahead}-out-through", "straight", [(5.25, -24), (5.25, 24)]),
            (
                "through",
                f"{right}-out-through",
                "right",
                [(5.25, -24), (5.25, -14), (14, -5.25), (24, -5.25)],
            ),
            (
                "left",
                f"{left}-out-left",
                "left",
                [(1.75, -24), (1.75, -6), (-6, 1.75), (-24, 1.75)],
            ),
            ("bikes", f"{ahead}-out-bikes", "straight", [(8.75, -24), (8.75, 24)]),
        ]
        movements += [
            {
                "group": f"{arm}-{lane}",
                "from_lane": f"{arm}-{lane}",
                "to_lane": end,
                "turn": turn,
                "kind": "bicycle" if lane == "bikes" else "vehicle",
                "path": [{"shape": turned(line, place)}],
            }
            for lane, end, turn, line in drawn
        ]
        crossing: dict[str, Any] = {
            "group": f"{arm}-walk",
            "from_lane": f"{arm} kerb west",
            "to_lane": f"{arm} kerb east",
            "turn": "crossing",
            "kind": "pedestrian",
            "path": [{"shape": turned([(-12, -18), (12, -18)], place), "width_m": 4}],
        }
        if refuge:
            crossing["refuge_m"] = 12
        movements.append(crossing)
        groups += [
            {"name": f"{arm}-through", "kind": "vehicle", "losing": [_FLASHING, _YELLOW]},
            {"name": f"{arm}-left", "kind": "vehicle", "losing": [_FLASHING, _YELLOW]},
            {"name": f"{arm}-bikes", "kind": "bicycle", "losing": [_FLASHING, _YELLOW]},
            {
                "name": f"{arm}-walk",
                "kind": "pedestrian",
                "losing": [{"aspect": "flashing_green", "duration_s": 10 if refuge else 20}],
            },
        ]
    return {
        "roads": roads,
        "junctions": [{"name": NAME, "groups": groups, "movements": movements}],
    }


def network(**kinds: bool) -> SignalNetwork:
    return network_from_json(document(**kinds))


def case_of(found: SignalNetwork) -> Case:
    return prepare(found.junctions[0], found, GB)


def stages(through_s: float = 28, left_s: float = 8) -> list[GreenStage]:
    """Opposite arms together, straight on before left; people walk beside those who go straight."""
    found = []
    for one, other, walk in (
        ("south", "north", ("east-walk", "west-walk")),
        ("east", "west", ("south-walk", "north-walk")),
    ):
        through = {f"{arm}-{lane}" for arm in (one, other) for lane in ("through", "bikes")}
        found += [
            GreenStage(f"{one} ahead", frozenset(through | set(walk)), through_s),
            GreenStage(f"{one} left", frozenset({f"{one}-left", f"{other}-left"}), left_s),
        ]
    return found


def plan(
    case: Case, through_s: float = 28, left_s: float = 8, *, left_first: bool = False
) -> Programme:
    matrix, gives = intergreens(case), yielding(case)
    order = stages(through_s, left_s)
    if left_first:
        order = [order[1], order[0], order[3], order[2]]
    return programme_from_stages(
        case.junction,
        "day",
        order,
        intergreen=lambda ended, started: matrix.get((ended, started), 0.0),
        yields=lambda one, other: (one, other) in gives,
    )
