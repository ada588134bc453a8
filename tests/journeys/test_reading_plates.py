"""A plate is read from a picture: candidates for a person, and nothing where there is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from city.errors import Invalid
from city.vehicles import PlateKind
from journeys.read_plate import read_plates
from lpr.rules.reads import Band
from lpr.synthesis.scenes import draw_scene

MOST = 1_048_576


def street(seed: int) -> tuple[bytes, list[str]]:
    """Draw a street with a car, and give what its plate says."""
    scene = draw_scene(np.random.default_rng(seed), (480, 360), (PlateKind.BLUE7,))
    content = cv2.imencode(".jpg", scene.picture)[1].tobytes()
    return content, [each.text for each in scene.plates]


def test_a_plate_is_read_for_a_person_the_surest_first() -> None:
    for seed in (2, 9, 13):  # plates of more than 100 pixels, seen nearly from the front
        content, plates = street(seed)
        first, *others = read_plates(content, MOST)
        assert [first.text] == plates
        assert (first.kind, first.band) == (PlateKind.BLUE7, Band.ACCEPT)
        assert all(each.confidence <= first.confidence for each in others)
        assert plates[0] not in repr(first)


def test_where_there_is_no_plate_nothing_is_read() -> None:
    grey = cv2.imencode(".jpg", np.full((300, 400, 3), 90, np.uint8))[1].tobytes()
    assert read_plates(grey, MOST) == []


def test_what_is_no_picture_is_refused() -> None:
    for content in (b"", b"\xff\xd8\xff no jpeg", b"x" * (MOST + 1)):
        with pytest.raises(Invalid):
            read_plates(content, MOST)
