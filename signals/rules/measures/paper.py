"""A sheet with a time axis, as SVG: colours that hold on light and on dark ground."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

import numpy as np

from signals.rules.measures.events import MINUTE_US, Ints

WIDTH, HEIGHT = 960.0, 420.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 20.0, 64.0, 48.0
# Middle tones, 3:1 at least against white and against near black alike.
GREEN_INK, YELLOW_INK, RED_INK, BLUE_INK = "#238a57", "#b07a00", "#d0453a", "#3b7dc4"
INK, FAINT = "#767d87", "#8a929c"
_STEPS_MIN: Final = (5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880, 10_080)
_MOST_TICKS: Final = 12
Legend = Sequence[tuple[str, str]]


class Sheet:
    """Where instants and values lie on a drawing.

    Parameters
    ----------
    title : str
    first_us, last_us : int
        The ends of the time axis.
    top : float
        The highest value of the other axis, which starts at 0.
    unit : str
        Its unit.
    """

    def __init__(self, title: str, first_us: int, last_us: int, top: float, unit: str) -> None:
        self._title, self._unit = title, unit
        self._first, self._last = first_us, max(last_us, first_us + MINUTE_US)
        self._top = max(top, 1e-9)

    def x(self, at_us: Ints | int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        """Give where instants lie from the left."""
        share = (np.asarray(at_us) - self._first) / (self._last - self._first)
        return LEFT + (WIDTH - LEFT - RIGHT) * np.clip(share, 0, 1)

    def y(self, value: object) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        """Give where values lie from the top."""
        share = np.clip(np.asarray(value, dtype=float) / self._top, 0, 1)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def dots(self, at_us: Ints, value: object, colour: str, size: float = 2.4) -> str:
        """Draw points as one path of round ends: small and quick, however many."""
        pairs = zip(self.x(at_us).tolist(), self.y(value).tolist(), strict=True)
        path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in pairs)
        return (
            f'<path d="{path}" stroke="{colour}" stroke-width="{size}" stroke-linecap="round"'
            f' fill="none"/>'
            if path
            else ""
        )

    def line(self, at_us: Ints, value: object, colour: str) -> str:
        """Draw a line through points in their order."""
        pairs = zip(self.x(at_us).tolist(), self.y(value).tolist(), strict=True)
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in pairs)
        return (
            f'<path d="M{path}" stroke="{colour}" stroke-width="1.4" fill="none"/>' if path else ""
        )

    def bars(self, at_us: Ints, value: object, colour: str, width_us: int) -> str:
        """Draw bars from the bottom."""
        left, right = self.x(at_us), self.x(np.asarray(at_us) + width_us)
        base = HEIGHT - BOTTOM
        path = "".join(
            f"M{x:.1f} {base:.1f}V{y:.1f}H{max(end - 1, x + 0.5):.1f}V{base:.1f}z"
            for x, end, y in zip(left.tolist(), right.tolist(), self.y(value).tolist(), strict=True)
        )
        return f'<path d="{path}" fill="{colour}" fill-opacity="0.75"/>' if path else ""

    def svg(self, parts: Iterable[str], legend: Legend, labels: Sequence[str] = ()) -> str:
        """Give the whole drawing; ``labels`` replace the values' axis by names, from the bottom."""
        axis = self._names(labels) if labels else self._values()
        return "\n".join(
            [
                (
                    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f}'
                    f' {HEIGHT:.0f}" font-family="system-ui, sans-serif" font-size="12" role="img">'
                ),
                f"<title>{escape(self._title)}</title>",
                (
                    f'<text x="{LEFT}" y="24" font-size="15" font-weight="600" fill="{INK}">'
                    f"{escape(self._title)}</text>"
                ),
                *_legend(legend),
                *self._times(),
                *axis,
                *parts,
                "</svg>",
                "",
            ]
        )

    def _times(self) -> Iterator[str]:
        span_min = (self._last - self._first) / MINUTE_US
        fitting = (each for each in _STEPS_MIN if span_min / each <= _MOST_TICKS)
        step_us = next(fitting, _STEPS_MIN[-1] * (1 + int(span_min / 120_000))) * MINUTE_US
        base = HEIGHT - BOTTOM
        for at_us in range(-(-self._first // step_us) * step_us, self._last + 1, step_us):
            x = float(self.x(at_us))
            written = str(np.datetime64(at_us, "us"))
            day_wide = step_us >= 1440 * MINUTE_US
            text = written[5:10] if day_wide else written[11:16]
            yield f'<path d="M{x:.1f} {TOP:.1f}V{base:.1f}" stroke="{FAINT}" stroke-opacity="0.3"/>'
            yield (
                f'<text x="{x:.1f}" y="{base + 18:.1f}" text-anchor="middle" fill="{INK}">'
                f"{text}</text>"
            )
        day = str(np.datetime64(self._first, "us"))[:10]
        yield f'<text x="{LEFT}" y="{base + 36:.1f}" fill="{INK}">{day}</text>'

    def _values(self) -> Iterator[str]:
        step = _round_step(self._top)
        for number in range(int(self._top / step + 1e-9) + 1):
            value = number * step
            y = float(self.y(value))
            yield (
                f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{FAINT}" stroke-opacity="0.3"/>'
            )
            yield (
                f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">'
                f"{value:g}</text>"
            )
        yield self._unit_text()

    def _unit_text(self) -> str:
        return (
            f'<text x="{LEFT - 8}" y="{TOP - 10}" text-anchor="end" fill="{INK}">'
            f"{escape(self._unit)}</text>"
        )

    def _names(self, labels: Sequence[str]) -> Iterator[str]:
        for number, label in enumerate(labels):
            y = float(self.y(number + 0.5))
            yield (
                f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{FAINT}" stroke-opacity="0.3"/>'
            )
            yield (
                f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">'
                f"{escape(label)}</text>"
            )
        yield self._unit_text()


def _round_step(top: float) -> float:
    """Give a step of 1, 2 or 5 times a power of ten, about five to the axis."""
    power = 10.0 ** np.floor(np.log10(top / 5))
    return float(next(each * power for each in (1, 2, 5, 10) if each * power >= top / 5))


def _legend(legend: Legend) -> Iterator[str]:
    x = LEFT
    for colour, text in legend:
        yield f'<rect x="{x:.0f}" y="36" width="10" height="10" rx="2" fill="{colour}"/>'
        yield f'<text x="{x + 15:.0f}" y="45" fill="{INK}">{escape(text)}</text>'
        x += 27 + sum(12.5 if each > "\u2e80" else 6.6 for each in text)
