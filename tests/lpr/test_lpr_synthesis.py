"""Plates and scenes made by ourselves."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from city.plate_rules import PlateKind
from city.vehicles import PlateNumber
from lpr.commands import render
from lpr.rules.corners import sensible
from lpr.rules.layouts import layouts_of
from lpr.rules.serials import DRAWN_KINDS, draw_text
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.faces import draw_face
from lpr.synthesis.poses import corners_seen
from lpr.synthesis.scenes import draw_scene
from lpr.vision.manifests import read_manifest

if TYPE_CHECKING:
    from pathlib import Path

KINDS = pytest.mark.parametrize("kind", DRAWN_KINDS)


@pytest.fixture(autouse=True)
def _without_the_real_face(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fonts alone, so that the tests see the same plates everywhere."""
    monkeypatch.delenv("GREENBAY_DATA", raising=False)


@KINDS
def test_a_drawn_text_is_a_plate_of_its_kind(kind: PlateKind) -> None:
    random = np.random.default_rng(1)
    for _ in range(30):
        text = draw_text(kind, random)
        assert PlateNumber(text, kind).text == text


@KINDS
def test_characters_stand_inside_the_plate_and_apart(kind: PlateKind) -> None:
    random = np.random.default_rng(2)
    for _ in range(10):
        text = draw_text(kind, random)
        for layout in layouts_of(kind, text):
            assert len(layout.cells) == len(text)
            for cell in layout.cells:
                assert cell.x_mm >= 0
                assert cell.x_mm + cell.width_mm <= layout.width_mm
                assert cell.y_mm >= 0
                assert cell.y_mm + cell.height_mm <= layout.height_mm
            for one, other in zip(layout.cells, layout.cells[1:], strict=False):
                beside = one.x_mm + one.width_mm <= other.x_mm + 1e-6
                below = one.y_mm + one.height_mm <= other.y_mm + 1e-6
                assert beside or below


def test_an_ordinary_plate_has_the_published_dimensions() -> None:
    (layout,) = layouts_of(PlateKind.BLUE7, "京A12345")
    first, second, third = layout.cells[:3]
    assert (layout.width_mm, layout.height_mm) == (440, 140)
    assert (first.width_mm, first.height_mm) == (45, 90)
    assert first.x_mm == pytest.approx(15.5)
    assert second.x_mm - first.x_mm == 45 + 12
    assert third.x_mm - second.x_mm == 45 + 34


@pytest.mark.parametrize(
    ("kind", "blue_green_red"),
    [
        (PlateKind.BLUE7, (2, 1, 0)),
        (PlateKind.YELLOW7, (0, 1, 2)),
        (PlateKind.AVIATION_GREEN, (2, 0, 1)),
    ],
)
def test_the_ground_has_the_colour_of_the_kind(
    kind: PlateKind, blue_green_red: tuple[int, int, int]
) -> None:
    random = np.random.default_rng(3)
    mean = np.mean(
        [np.median(draw_face(kind, random).picture, axis=(0, 1)) for _ in range(5)], axis=0
    )
    weakest, _, strongest = blue_green_red
    assert mean[strongest] > mean[weakest] + 20


def test_crops_and_scenes_follow_from_their_seed_alone() -> None:
    one, other = (
        (
            draw_crop(PlateKind.NEV_GREEN8, np.random.default_rng(4)),
            draw_scene(np.random.default_rng(5), (200, 160)),
        )
        for _ in range(2)
    )
    assert np.array_equal(one[0].picture, other[0].picture)
    assert one[0].text == other[0].text
    assert np.array_equal(one[1].picture, other[1].picture)


def test_plates_are_seen_from_the_front_and_from_aside_but_never_as_a_sliver() -> None:
    random = np.random.default_rng(2)
    shapes = (440 / 140, 440 / 220, 1.57)
    quads = [corners_seen(shape, 200, random) for shape in shapes for _ in range(300)]
    slants = [abs(np.degrees(np.arctan2(*(quad[1] - quad[0])[::-1]))) for quad in quads]
    wide = [float(np.linalg.norm(quad[1] - quad[0])) for quad in quads]
    assert all(sensible(quad) for quad in quads)
    assert sum(slant > 25 for slant in slants) > 40
    assert sum(slant < 10 for slant in slants) > 400
    assert min(wide) < 110
    assert max(wide) > 190


def test_a_scenes_corners_lie_in_it_and_go_clockwise() -> None:
    random, seen = np.random.default_rng(6), 0
    for _ in range(8):
        scene = draw_scene(random, (320, 240))
        for plate in scene.plates:
            seen += 1
            assert (plate.corners >= 0).all()
            assert (plate.corners < (320, 240)).all()
            assert cv2.contourArea(plate.corners, oriented=True) > 100
    assert seen > 3


def test_render_writes_pictures_that_their_manifest_describes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = ["--kind", "blue7", "--kind", "no_plate"]
    for form in ("crop", "scene"):
        folder = tmp_path / form
        given = ["--form", form, "--size", "200x160", "--count", "2", "--out", str(folder)]
        assert render.run([*given, *kinds]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["pictures"] == 4
        assert told["plate_face"] == "drawn font"
        pictures = read_manifest(folder / "manifest.csv")
        assert [len(picture.plates) for picture in pictures] == [1, 1, 0, 0]
        assert {picture.form for picture in pictures} == {form}
        assert all(cv2.imread(str(picture.path)) is not None for picture in pictures)
    assert pictures[0].plates[0].corners is not None


def test_render_again_gives_the_same_bytes_and_more_leaves_the_first_as_they_are(
    tmp_path: Path,
) -> None:
    render.run(["--kind", "wj_white", "--count", "1", "--seed", "9", "--out", str(tmp_path / "a")])
    render.run(["--kind", "wj_white", "--count", "2", "--seed", "9", "--out", str(tmp_path / "b")])
    name = "crop-wj_white-9-00000.png"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    with (tmp_path / "b" / "manifest.csv").open(encoding="utf-8") as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    assert labels[0] != labels[1]
