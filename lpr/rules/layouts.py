"""Where every character of a plate stands, in millimetres, and what colours it has.

Sources: a digest of GA 36-2018 for the plates of 440x140, 440x220, 480x140 and 220x140 mm
(characters 45x90, gap 12, gap at the dot 34; new energy 43 wide, gap 9; rear plates 80x60 over
65x110). The dimensions of motorcycle, tractor (NY 345.1) and paper plates, of the small marks on
emergency and armed police plates, and of two-row military ones are measured off public pictures,
so they are near and not exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from city.plate_rules import RULES, PlateKind


class Face(StrEnum):
    """Which drawing of a character a cell takes."""

    ONE_ROW = "140"
    REAR_TOP = "220_up"
    REAR_BOTTOM = "220_down"
    NEW_ENERGY = "green"


@dataclass(frozen=True, slots=True)
class Cell:
    """One character's box, from the plate's upper left corner."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    face: Face = Face.ONE_ROW
    marked: bool = False
    """Drawn in the colour of marks, not in ink."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A way in which plates of a kind are laid out."""

    width_mm: float
    height_mm: float
    cells: tuple[Cell, ...]
    """In reading order, one a character."""
    dots: tuple[tuple[float, float], ...] = ()
    rows: int = 1
    framed: bool = True
    """Whether a line runs round the plate a few millimetres inside its edge."""


WIDTH_MM: Final = 440.0
HEIGHT_MM: Final = 140.0
_CELL: Final = (45.0, 90.0)
_MARKS: Final = frozenset("警领使港澳应急WJ")


def layouts_of(kind: PlateKind, text: str) -> tuple[Layout, ...]:
    """Give the layouts in which a text of a kind is made, the usual one first.

    Parameters
    ----------
    kind : PlateKind
        Any but ``unknown``.
    text : str
        A text of the kind.
    """
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker(text)
    after = RULES[kind].dot_after
    return (_one_row(text, _dot_seat(kind, text) if after is None else after, kind),)


def _dot_seat(kind: PlateKind, text: str) -> int:
    if kind is PlateKind.EMBASSY_BLACK:
        return 4 if text[0] == "使" else 3
    if kind is PlateKind.CONSULATE_BLACK:
        return 4 if text[1].isdigit() else 2
    return 3 if kind is PlateKind.AVIATION_GREEN else 2


def _marked(kind: PlateKind, seat: int, character: str) -> bool:
    if kind is PlateKind.MILITARY_WHITE:
        return seat < len("VA")
    if kind is PlateKind.WJ_WHITE:
        return seat < len("WJ")
    return character in _MARKS and not character.isascii()


def _one_row(text: str, dot_after: int, kind: PlateKind) -> Layout:
    """Seven or so characters in a row; longer texts squeeze their gaps, then their characters."""
    width, height = _CELL
    gap, dot_gap = 12.0, 34.0
    room = WIDTH_MM - 2 * 15.5
    taken = len(text) * width + (len(text) - 2) * gap + dot_gap
    if taken > room:
        squeeze = room / taken
        width, gap, dot_gap = width * squeeze, gap * squeeze, dot_gap * squeeze
    taken = len(text) * width + (len(text) - 2) * gap + dot_gap
    x = (WIDTH_MM - taken) / 2
    cells, dots = [], []
    for seat, character in enumerate(text):
        cells.append(Cell(x, 25.0, width, height, marked=_marked(kind, seat, character)))
        step = dot_gap if seat + 1 == dot_after else gap
        if seat + 1 == dot_after:
            dots.append((x + width + dot_gap / 2, 70.0))
        x += width + step
    return Layout(WIDTH_MM, HEIGHT_MM, tuple(cells), tuple(dots))


def _rear(text: str, kind: PlateKind, head: int = 2) -> Layout:
    """Two rows of 440x220 mm: 80x60 over 65x110."""
    cells = list(_row(WIDTH_MM, 15.0, (80.0, 60.0), 60.0, count=head, face=Face.REAR_TOP))
    count = len(text) - head
    cells += _row(WIDTH_MM, 90.0, (65.0, 110.0), 15.0, count=count, face=Face.REAR_BOTTOM)
    marked = (_marked(kind, seat, character) for seat, character in enumerate(text))
    return Layout(
        WIDTH_MM,
        220.0,
        tuple(
            Cell(c.x_mm, c.y_mm, c.width_mm, c.height_mm, c.face, m)
            for c, m in zip(cells, marked, strict=True)
        ),
        ((220.0, 45.0),) if head == 2 else (),  # noqa: PLR2004 - the dot stands between the two
        rows=2,
    )


def _row(
    plate_mm: float,
    y_mm: float,
    size_mm: tuple[float, float],
    gap_mm: float,
    *,
    count: int,
    face: Face,
) -> Sequence[Cell]:
    """Centre a row of like cells."""
    width, height = size_mm
    room = plate_mm - 20.0
    taken = count * width + (count - 1) * gap_mm
    squeeze = min(1.0, room / taken)
    width, gap_mm, taken = width * squeeze, gap_mm * squeeze, taken * squeeze
    x = (plate_mm - taken) / 2
    return [Cell(x + seat * (width + gap_mm), y_mm, width, height, face) for seat in range(count)]


def _new_energy(text: str) -> tuple[Layout, ...]:
    cells, x = [], 15.0
    for seat in range(len(text)):
        width = 45.0 if seat == 0 else 43.0
        cells.append(Cell(x, 25.0, width, 90.0, Face.NEW_ENERGY))
        x += width + (49.0 if seat == 1 else 9.0)
    return (Layout(480.0, HEIGHT_MM, tuple(cells), framed=False),)


def _small_two_row(
    text: str, size_mm: tuple[float, float], head: int, top_mm: float, bottom_mm: float
) -> Layout:
    """Two rows on a plate of another size; rows' heights in millimetres."""
    width, height = size_mm
    space = (height - top_mm - bottom_mm) / 3
    top_size = (top_mm * 0.9, top_mm)
    top = _row(width, space, top_size, top_mm * 0.7, count=head, face=Face.REAR_TOP)
    count = len(text) - head
    bottom = _row(
        width,
        2 * space + top_mm,
        (bottom_mm * 0.55, bottom_mm),
        bottom_mm * 0.15,
        count=count,
        face=Face.REAR_BOTTOM,
    )
    return Layout(width, height, (*top, *bottom), rows=2)


def _motorcycle(text: str) -> tuple[Layout, ...]:
    return (
        _small_two_row(text, (220.0, 140.0), 2, 38.0, 62.0),
        _small_two_row(text, (220.0, 95.0), 2, 26.0, 44.0),
    )


def _tractor(text: str) -> tuple[Layout, ...]:
    return (_small_two_row(text, (300.0, 165.0), 3, 45.0, 75.0),)


def _temporary(text: str) -> tuple[Layout, ...]:
    one_row = _one_row(text, 2, PlateKind.TEMPORARY)
    head = 3 if text[0] == "临" and not text[2].isdigit() else 2
    two_rows = _small_two_row(text, (220.0, 140.0), head, 38.0, 62.0)
    return (
        Layout(one_row.width_mm, one_row.height_mm, one_row.cells, one_row.dots, framed=False),
        Layout(two_rows.width_mm, two_rows.height_mm, two_rows.cells, rows=2, framed=False),
    )


def _emergency(text: str) -> tuple[Layout, ...]:
    """应 over 急 at the right end, each half as high; or side by side on the long plate."""
    body = _one_row(text[:-1], 1, PlateKind.EMERGENCY_WHITE)
    seat = body.cells[-1]
    half = seat.height_mm / 2 - 2
    stacked = (
        *body.cells[:-1],
        Cell(seat.x_mm, seat.y_mm, seat.width_mm, half, marked=True),
        Cell(seat.x_mm, seat.y_mm + half + 4, seat.width_mm, half, marked=True),
    )
    return (
        Layout(WIDTH_MM, HEIGHT_MM, stacked, body.dots),
        _one_row(text, 1, PlateKind.EMERGENCY_WHITE),
    )


def _armed_police(text: str) -> tuple[Layout, ...]:
    """WJ in red, the province small and low beside it where there is one."""
    if not text[2].isdigit() and text[2] > "Z":
        plain = _one_row(text[:2] + text[3:], 2, PlateKind.WJ_WHITE)
        letter = plain.cells[1]
        shift = 16.0
        small = Cell(letter.x_mm + letter.width_mm + 4 - shift / 2, 72.0, 38.0, 43.0)
        left = tuple(
            Cell(c.x_mm - shift / 2, c.y_mm, c.width_mm, c.height_mm, c.face, c.marked)
            for c in plain.cells[:2]
        )
        right = tuple(
            Cell(c.x_mm + shift / 2, c.y_mm, c.width_mm, c.height_mm, c.face, c.marked)
            for c in plain.cells[2:]
        )
        dot = (small.x_mm + small.width_mm / 2, 45.0)
        row = Layout(WIDTH_MM, HEIGHT_MM, (*left, small, *right), (dot,))
        return row, _rear(text, PlateKind.WJ_WHITE, head=3)
    return _one_row(text, 2, PlateKind.WJ_WHITE), _rear(text, PlateKind.WJ_WHITE)


def _embassy(text: str) -> tuple[Layout, ...]:
    kind = PlateKind.EMBASSY_BLACK
    return (_one_row(text, _dot_seat(kind, text), kind),)


_MAKERS: Final = {
    PlateKind.YELLOW2: lambda text: (_rear(text, PlateKind.YELLOW2),),
    PlateKind.TRAILER_YELLOW: lambda text: (
        _rear(text, PlateKind.TRAILER_YELLOW),
        _one_row(text, 2, PlateKind.TRAILER_YELLOW),
    ),
    PlateKind.MILITARY_WHITE: lambda text: (
        _one_row(text, 2, PlateKind.MILITARY_WHITE),
        _rear(text, PlateKind.MILITARY_WHITE),
    ),
    PlateKind.NEV_GREEN8: _new_energy,
    PlateKind.NEV_LARGE8: _new_energy,
    PlateKind.MOTORCYCLE: _motorcycle,
    PlateKind.AGRI_GREEN2: _tractor,
    PlateKind.TEMPORARY: _temporary,
    PlateKind.EMERGENCY_WHITE: _emergency,
    PlateKind.WJ_WHITE: _armed_police,
    PlateKind.EMBASSY_BLACK: _embassy,
}
