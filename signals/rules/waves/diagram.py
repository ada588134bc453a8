"""The time-space diagram of a corridor as SVG: reds along the street, bands through the greens."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from signals.rules.waves.corridor import Coordination, Corridor
from signals.rules.waves.link_answer import LinkBand, LinkCoordination

WIDTH, HEIGHT = 960.0, 640.0
LEFT, RIGHT, TOP, BOTTOM = 150.0, 24.0, 64.0, 56.0
CYCLES: Final = 3
RED_HEIGHT: Final = 5.0
OUT_RED, IN_RED = "#c2321f", "#e08a7d"
OUT_BAND, IN_BAND = "#1f7a4d", "#2563a8"
INK, FAINT = "#1d232b", "#c9d0d8"

Point = tuple[float, float]


def time_space_svg(corridor: Corridor, answer: Coordination | LinkCoordination) -> str:
    """Draw three cycles; time goes right, the street up from the first signal to the last.

    The upper red of a signal is the outbound one, the lower the inbound one. Bands by link are
    drawn link by link, and darker what goes through the whole street.
    """
    found = answer.plan if isinstance(answer, LinkCoordination) else answer
    paper = _Paper(corridor, found)
    heading = _heading(found)
    by_link: list[str] = []
    if isinstance(answer, LinkCoordination):
        heading = _links_heading(answer)
        by_link = [*paper.link_bands(answer)]
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}"'
            f' font-family="system-ui, sans-serif" font-size="13" role="img">'
        ),
        f"<title>{escape(heading)}</title>",
        f'<rect width="{WIDTH:.0f}" height="{HEIGHT:.0f}" fill="#ffffff"/>',
        (
            f'<clipPath id="street"><rect x="{LEFT}" y="{TOP - 12}"'
            f' width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM + 24}"/></clipPath>'
        ),
        (
            f'<text x="{LEFT}" y="28" font-size="15" font-weight="600" fill="{INK}">'
            f"{escape(heading)}</text>"
        ),
        *paper.scale(),
        '<g clip-path="url(#street)">',
        *by_link,
        *paper.bands(found.outbound, found.outbound_start, found.outbound_travel, OUT_BAND, 1),
        *paper.bands(found.inbound, found.inbound_start, found.inbound_travel, IN_BAND, -1),
        *paper.reds(),
        "</g>",
        *paper.names(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _heading(found: Coordination) -> str:
    out_s, in_s = found.outbound * found.cycle_s, found.inbound * found.cycle_s
    return f"cycle {found.cycle_s:.1f} s · outbound {out_s:.1f} s · inbound {in_s:.1f} s"


def _links_heading(answer: LinkCoordination) -> str:
    """Give the widths from the narrowest to the widest link, and what goes through."""
    cycle_s, plan = answer.plan.cycle_s, answer.plan
    sides = []
    for name, bands, through in (
        ("out", answer.outbound, plan.outbound),
        ("in", answer.inbound, plan.inbound),
    ):
        widths = [each.width * cycle_s for each in bands]
        sides.append(
            f"{name} {min(widths):.1f} to {max(widths):.1f} s, through {through * cycle_s:.1f} s"
        )
    return f"cycle {cycle_s:.1f} s · {' · '.join(sides)}"


class _Paper:
    """Where times and places lie on the drawing."""

    def __init__(self, corridor: Corridor, found: Coordination) -> None:
        self._corridor, self._signals, self._found = corridor, corridor.signals, found
        places = [each.position_m for each in corridor.signals]
        self._first_m, self._span_m = places[0], places[-1] - places[0]

    def _x(self, cycles: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * cycles / CYCLES

    def _y(self, position_m: float) -> float:
        return (
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (position_m - self._first_m) / self._span_m
        )

    def scale(self) -> Iterator[str]:
        """Draw the times, in seconds."""
        base = HEIGHT - BOTTOM + 16
        for number in range(2 * CYCLES + 1):
            x = self._x(number / 2)
            yield (
                f'<path d="M{x:.1f} {TOP - 12:.1f}V{base:.1f}" stroke="{FAINT}"'
                f' stroke-width="{1 if number % 2 == 0 else 0.5}"/>'
            )
            yield (
                f'<text x="{x:.1f}" y="{base + 16:.1f}" text-anchor="middle" fill="{INK}">'
                f"{number / 2 * self._found.cycle_s:.0f}</text>"
            )
        yield f'<text x="{LEFT - 12}" y="{base + 16:.1f}" text-anchor="end" fill="{INK}">s</text>'

    def names(self) -> Iterator[str]:
        """Write each signal's name where there is room for it."""
        last = float("inf")
        for each in self._signals:
            y = self._y(each.position_m)
            if last - y < 14:  # noqa: PLR2004 - a line of text
                continue
            last = y
            yield (
                f'<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">'
                f"{escape(each.name[:18])}</text>"
            )

    def reds(self) -> Iterator[str]:
        """Draw both directions' reds at each signal."""
        for number, each in enumerate(self._signals):
            y = self._y(each.position_m)
            centre = self._found.offsets[number] + each.red_centre
            showing = self._found.shown(self._corridor, number)
            for turn in range(showing.turns):
                begun = centre + turn / showing.turns
                other = begun + showing.difference
                yield from self._strip(y - RED_HEIGHT, begun, showing.out_red, OUT_RED)
                yield from self._strip(y, other, showing.in_red, IN_RED)

    def _strip(self, y: float, centre: float, red: float, colour: str) -> Iterator[str]:
        start = (centre - red / 2) % 1.0 - 1.0
        for cycle in range(CYCLES + 2):
            x = self._x(start + cycle)
            yield (
                f'<rect x="{x:.2f}" y="{y:.2f}" width="{self._x(red) - self._x(0):.2f}"'
                f' height="{RED_HEIGHT}" fill="{colour}"/>'
            )

    def bands(
        self,
        width: float,
        starts: Sequence[float],
        travel: Sequence[float],
        colour: str,
        way: int,
    ) -> Iterator[str]:
        """Draw a band link by link: it leaves one signal and comes to the next."""
        if width <= 0:
            return
        for link, time in enumerate(travel):
            start = starts[link if way > 0 else link + 1]
            yield from self._band(link, LinkBand(start, width), time, colour, way)

    def link_bands(self, answer: LinkCoordination) -> Iterator[str]:
        """Draw each link's own bands."""
        plan = answer.plan
        for link, (outbound, inbound) in enumerate(
            zip(answer.outbound, answer.inbound, strict=True)
        ):
            yield from self._band(link, outbound, plan.outbound_travel[link], OUT_BAND, 1)
            yield from self._band(link, inbound, plan.inbound_travel[link], IN_BAND, -1)

    def _band(self, link: int, band: LinkBand, time: float, colour: str, way: int) -> Iterator[str]:
        if band.width <= 0:
            return
        here, there = (link, link + 1) if way > 0 else (link + 1, link)
        y_here = self._y(self._signals[here].position_m)
        y_there = self._y(self._signals[there].position_m)
        first = band.begin % 1.0
        for cycle in range(-1 - int(time), CYCLES + 1):
            leave = first + cycle
            corners: list[Point] = [
                (self._x(leave), y_here),
                (self._x(leave + band.width), y_here),
                (self._x(leave + band.width + time), y_there),
                (self._x(leave + time), y_there),
            ]
            drawn = " ".join(f"{x:.2f},{y:.2f}" for x, y in corners)
            yield f'<polygon points="{drawn}" fill="{colour}" fill-opacity="0.28"/>'
