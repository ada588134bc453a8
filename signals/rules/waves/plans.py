"""A network's plan from its offsets and its pace alone: bands, travel times, what it is worth."""

from collections.abc import Sequence

from signals.rules.waves.corridor import Coordination, LeftTurns
from signals.rules.waves.network import Network, NetworkCoordination
from signals.rules.waves.shape import Point
from signals.rules.waves.ways import Band, Way, patterns_of, widest_band


def bands_of(ways: Sequence[Way], offsets: Sequence[float], pace: float) -> list[Band]:
    """Give the widest band of every way; one without weight is worth no search but costs little."""
    return [widest_band(way, offsets, pace) for way in ways]


def worth_of(ways: Sequence[Way], bands: Sequence[Band]) -> float:
    """Give the weighted sum of bands."""
    return sum(way.weight * band.width for way, band in zip(ways, bands, strict=True))


def point_of(
    network: Network,
    ways: Sequence[Way],
    offsets: Sequence[float],
    pace: float,
    bands: Sequence[Band],
) -> Point:
    """Give a plan as the values of the programme's variables."""
    before, after, out_travel, in_travel, on, patterns = [], [], [], [], [], []
    for number, corridor in enumerate(network.corridors):
        out_way, in_way = ways[2 * number], ways[2 * number + 1]
        out_band, in_band = bands[2 * number], bands[2 * number + 1]
        before.append(
            [
                _near_zero((at - offsets[signal] - begins[0]) % 1.0)
                for at, signal, begins in zip(
                    out_band.begins, out_way.signals, out_way.begins, strict=True
                )
            ]
        )
        after.append(
            [
                _near_zero((offsets[signal] + begins[choice] + green - at - in_band.width) % 1.0)
                for at, signal, begins, choice, green in zip(
                    in_band.begins,
                    in_way.signals,
                    in_way.begins,
                    in_band.choices,
                    in_way.greens,
                    strict=True,
                )
            ][::-1]
        )
        out_travel.append(out_band.travel)
        in_travel.append(in_band.travel[::-1])
        on.append((out_band.width > 0, in_band.width > 0))
        patterns.append(
            [
                patterns_of(corridor, place)[choice]
                for place, choice in enumerate(reversed(in_band.choices))
            ]
        )
    return Point(pace, before, after, out_travel, in_travel, on, patterns)


def answer_of(
    network: Network,
    ways: Sequence[Way],
    offsets: Sequence[float],
    pace: float,
    bounds: Sequence[float],
) -> NetworkCoordination:
    """Give a plan as the network's answer, its bound still open.

    `bounds` are what each street could have by itself.
    """
    bands = bands_of(ways, offsets, pace)
    names = network.signals
    first = offsets[0]
    streets = []
    for number, corridor in enumerate(network.corridors):
        out_way, in_way = ways[2 * number], ways[2 * number + 1]
        out_band, in_band = bands[2 * number], bands[2 * number + 1]
        begin = offsets[out_way.signals[0]]
        chosen: tuple[LeftTurns | None, ...] = tuple(
            each.patterns[choice] if each.patterns else None
            for each, choice in zip(corridor.signals, reversed(in_band.choices), strict=True)
        )
        worth = out_way.weight * out_band.width + in_way.weight * in_band.width
        streets.append(
            Coordination(
                cycle_s=1 / pace,
                offsets=tuple((offsets[signal] - begin) % 1.0 for signal in out_way.signals),
                outbound=out_band.width,
                inbound=in_band.width,
                objective=worth,
                bound=max(worth, bounds[number]),
                outbound_travel=out_band.travel,
                inbound_travel=in_band.travel[::-1],
                outbound_start=tuple(each - begin for each in out_band.begins),
                inbound_start=tuple(each - begin for each in reversed(in_band.begins)),
                patterns=chosen,
            )
        )
    objective = worth_of(ways, bands)
    return NetworkCoordination(
        cycle_s=1 / pace,
        offsets={name: (offsets[signal] - first) % 1.0 for signal, name in enumerate(names)},
        streets=tuple(streets),
        objective=objective,
        bound=float("inf"),
    )


def _near_zero(value: float) -> float:
    """Give 0 for what is a whisker below a whole cycle."""
    return 0.0 if value > 1 - 1e-7 else value
