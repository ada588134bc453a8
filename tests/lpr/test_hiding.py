"""A frame shows one plate and nobody else: no other plate, no face, wherever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from city.errors import Invalid
from city.vehicles import PlateKind
from lpr.rules.corners import Found
from lpr.synthesis.faces import draw_face
from lpr.vision.evidence import prepared
from lpr.vision.hiding import shown

if TYPE_CHECKING:
    from lpr.vision.strips import Picture

PLATE = np.array([[300, 300], [440, 300], [440, 345], [300, 345]], np.float32)


class Finder:
    """A detector that finds what it is told is there."""

    def __init__(self, *found: np.ndarray) -> None:
        self._found = [Found(each.astype(np.float32), 1, 0.9) for each in found]

    def rough(self, _picture: Picture, _least: float | None = None) -> list[Found]:
        return self._found

    def find(self, _picture: Picture) -> list[Found]:
        return self._found


def checked(size: tuple[int, int] = (540, 960), cell: int = 4) -> Picture:
    """Draw a picture whose every part is full of detail, as a face or a plate is."""
    rows, columns = np.indices(size) // cell
    board = ((rows + columns) % 2 * 255).astype(np.uint8)
    return np.repeat(board[..., None], 3, axis=2)


def detail(picture: Picture) -> float:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.abs(np.diff(grey, axis=1)).mean())


def test_what_is_not_the_vehicles_front_loses_all_detail_and_its_plate_keeps_it() -> None:
    picture = checked()
    done = shown(picture, PLATE, Finder(PLATE))  # type: ignore[arg-type]  # all that is asked of a detector
    assert np.array_equal(done.frame[300:345, 300:440], picture[300:345, 300:440])
    # The windscreen above, people beside, the car behind: a face is 50 pixels wide here.
    for part in (done.frame[:200], done.frame[:, :20], done.frame[:, 800:], done.frame[460:]):
        assert detail(part) < detail(picture) / 20
    assert done.crop is not None
    assert done.crop.shape[:2] == (54, 149)


def test_another_plate_beside_is_unreadable() -> None:
    drawn = draw_face(PlateKind.BLUE7, np.random.default_rng(7)).picture
    face = np.asarray(cv2.resize(drawn, (140, 45)), np.uint8)
    picture = np.full((540, 960, 3), 90, np.uint8)
    other = PLATE + np.array([200, 20], np.float32)
    picture[300:345, 300:440] = face
    picture[320:365, 500:640] = face
    done = shown(picture, PLATE, Finder(PLATE, other))  # type: ignore[arg-type]  # as above
    assert detail(done.frame[320:365, 500:640]) < detail(face) / 3
    assert np.array_equal(done.frame[300:345, 300:440], face)


def test_where_no_plate_is_known_nothing_is_shown_but_colours() -> None:
    picture = checked()
    done = shown(picture, None, Finder())  # type: ignore[arg-type]  # as above
    assert (done.crop, done.corners) == (None, None)
    assert detail(done.frame) < detail(picture) / 20


@pytest.mark.parametrize(
    "corners",
    [
        ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
        ((-5.0, 0.0), (100.0, 0.0), (100.0, 40.0), (0.0, 40.0)),
        ((900.0, 500.0), (2000.0, 500.0), (2000.0, 540.0), (900.0, 540.0)),
    ],
)
def test_corners_that_are_no_plates_are_not_believed(
    corners: tuple[tuple[float, float], ...],
) -> None:
    _, coded = cv2.imencode(".jpg", np.full((540, 960, 3), 90, np.uint8))
    _, crop, told = prepared(coded.tobytes(), corners, 12_000_000, 85)
    assert (crop, told) == (None, None)


def test_what_cannot_be_opened_or_is_huge_is_refused_unpacked() -> None:
    _, coded = cv2.imencode(".jpg", np.zeros((100, 200, 3), np.uint8))
    for content, most in ((b"\xff\xd8\xffnonsense", 10**6), (coded.tobytes(), 10_000)):
        with pytest.raises(Invalid):
            prepared(content, None, most, 85)
