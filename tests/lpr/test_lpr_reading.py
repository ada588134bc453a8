"""The committed models read what our own renderer draws, and the commands say so."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from city.errors import Invalid
from city.plate_rules import PlateKind
from lpr.commands import evaluate, read, render
from lpr.rules.corners import Found
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.faces import draw_face
from lpr.synthesis.scenes import draw_scene, paste
from lpr.vision import models, reading
from lpr.vision.models import (
    MODELS,
    PARTS,
    Detector,
    Recogniser,
    detector_input,
    finds_of,
    refined_of,
)
from lpr.vision.reading import read_crop, read_scene, straightened
from lpr.vision.strips import Picture, batch_of, strip_of
from lpr.vision.views import ROUGH, view_of

if TYPE_CHECKING:
    from pathlib import Path

DATA = os.environ.get("GREENBAY_DATA")


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.fixture(autouse=True)
def _without_the_real_face(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fonts alone, so that the tests see the same plates everywhere."""
    monkeypatch.delenv("GREENBAY_DATA", raising=False)


def test_the_models_are_those_of_their_card_and_small() -> None:
    card = json.loads((MODELS / "card.json").read_text(encoding="utf-8"))
    sizes = [(MODELS / card[part]["file"]).stat().st_size for part in PARTS]
    assert sizes == [card[part]["bytes"] for part in PARTS]
    assert sum(sizes) <= 5_000_000
    assert Recogniser().card.version == Detector().card.version == card["version"]


def test_a_model_that_is_not_its_cards_is_refused(tmp_path: Path) -> None:
    shutil.copytree(MODELS, tmp_path / "models")
    with (tmp_path / "models" / "recogniser.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(Invalid, match="hash differs"):
        Recogniser(tmp_path / "models")


def test_a_folder_without_a_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no model card"):
        Detector(tmp_path)


def test_most_clean_plates_in_the_real_face_are_read_exactly(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    if DATA is None:
        pytest.skip("GREENBAY_DATA is unset: there is no real plate face")
    monkeypatch.setenv("GREENBAY_DATA", DATA)
    random, right = np.random.default_rng(1), 0
    for _ in range(30):
        face = draw_face(PlateKind.BLUE7, random)
        plates = read_crop(face.picture, recogniser)
        right += [plate.read.text for plate in plates] == [face.text]
    assert right >= 24


def test_a_strip_has_one_size_whatever_the_rows_and_a_batch_is_level() -> None:
    random = np.random.default_rng(2)
    strips = [
        strip_of(draw_face(kind, random).picture, rows)
        for kind, rows in ((PlateKind.BLUE7, 1), (PlateKind.YELLOW2, 2))
    ]
    batch = batch_of(strips)
    assert batch.shape == (2, 3, 32, 128)
    assert batch.mean(axis=(1, 2, 3)) == pytest.approx([0, 0], abs=1e-4)
    assert batch.std(axis=(1, 2, 3)) == pytest.approx([1, 1], abs=1e-3)


def test_straightening_undoes_a_slant() -> None:
    face = draw_face(PlateKind.BLUE7, np.random.default_rng(3)).picture
    corners = np.array([[60, 40], [270, 80], [262, 150], [52, 108]], np.float32)
    height, width = face.shape[:2]
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners)
    scene = cv2.warpPerspective(face, matrix, (320, 200))
    upright = straightened(np.asarray(scene, np.uint8), Found(corners, 1, 0.9))
    high, wide = upright.shape[:2]
    left, top = round(wide * 0.02), round(high * 0.04)
    inner = upright[top : high - top, left : wide - left]
    again = cv2.resize(face, (inner.shape[1], inner.shape[0]))
    apart = np.abs(again.astype(int) - inner.astype(int)).mean()
    mirrored = np.abs(again[:, ::-1].astype(int) - inner.astype(int)).mean()
    assert apart < 20 < mirrored


def test_maps_become_finds_with_corners_in_pixels() -> None:
    maps = np.full((10, 8, 12), -9.0, np.float32)
    maps[0, 4, 6], maps[0, 4, 7] = 3.0, 2.0
    quad = np.array([[-3, -1], [3, -1], [3, 1], [-3, 1]], np.float32)
    maps[1:9, 4, 6] = quad.ravel()
    maps[9, 4, 6] = 4.0
    (found,) = finds_of(maps, 0.5)
    assert found.corners.tolist() == [[28, 28], [76, 28], [76, 44], [28, 44]]
    assert found.rows == 2
    assert found.score == pytest.approx(0.9526, abs=1e-3)
    assert finds_of(maps, 0.99) == []


@pytest.mark.parametrize("side_px", [90, 700])
def test_a_view_shows_a_find_straight_and_small_and_tells_the_way_back(side_px: int) -> None:
    face = draw_face(PlateKind.BLUE7, np.random.default_rng(4)).picture
    quad = np.array([[0.1, 0.3], [0.8, 0.35], [0.79, 0.6], [0.11, 0.55]]) * side_px
    corners = quad.astype(np.float32)
    flat = np.array([[0, 0], [220, 0], [220, 70], [0, 70]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners)
    scene = np.asarray(cv2.warpPerspective(face, matrix, (side_px, side_px)), np.uint8)
    view, back = view_of(scene, corners)
    assert view.shape == (48, 96, 3)
    assert cv2.perspectiveTransform(ROUGH[None], back)[0] == pytest.approx(corners, abs=0.01)
    (left, top), (right, bottom) = ROUGH[0].astype(int), ROUGH[2].astype(int)
    seen = view[top:bottom, left:right].astype(int)
    small = cv2.resize(face, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    apart = np.abs(seen - small.astype(int)).mean()
    mirrored = np.abs(seen - small[:, ::-1].astype(int)).mean()
    assert apart < 0.7 * mirrored


def test_a_find_outside_the_picture_has_a_view_too() -> None:
    corners = np.array([[-90, -40], [-20, -40], [-20, -15], [-90, -15]], np.float32)
    view, _ = view_of(np.full((40, 60, 3), 9, np.uint8), corners)
    assert (view == 9).all()


def test_the_refiner_moves_corners_by_pixels_of_the_view() -> None:
    told = np.zeros(10, np.float32)
    told[0], told[7], told[8], told[9] = 0.5, -0.25, 2.0, -1.0
    found = refined_of(told, np.diag([2.0, 2.0, 1.0]))
    moved = (found.corners - 2 * ROUGH).tolist()
    assert moved == [[8, 0], [0, 0], [0, 0], [0, -4]]
    assert found.rows == 1
    assert found.score == pytest.approx(0.8808, abs=1e-3)


def test_most_plates_of_drawn_scenes_are_found_to_a_tenth_of_their_height() -> None:
    random, near, plates = np.random.default_rng(6), 0, 0
    detector = Detector()
    for _ in range(8):
        scene = draw_scene(random, (640, 360))
        found = detector.find(scene.picture)
        for plate in scene.plates:
            tall = float(np.linalg.norm(plate.corners[3] - plate.corners[0]))
            away = [float(np.abs(each.corners - plate.corners).mean()) for each in found]
            plates += 1
            near += min(away, default=np.inf) <= 0.1 * tall
    assert plates >= 8
    assert near >= 0.6 * plates


def test_plates_near_by_and_from_the_side_are_found(recogniser: Recogniser) -> None:
    """A plate that fills half of the picture, and one seen from far aside and above."""
    random, detector = np.random.default_rng(4), Detector()
    near = np.array([[70, 90], [530, 120], [520, 262], [66, 240]], np.float32)
    aside = np.array([[250, 100], [360, 160], [362, 215], [250, 150]], np.float32)
    for quad in (near, aside):
        face = draw_face(PlateKind.BLUE7, random)
        scene = np.full((360, 640, 3), (90, 100, 110), np.uint8)
        paste(scene, face.picture, quad, random)
        best = detector.find(scene)[0]
        tall = float(np.linalg.norm(quad[3] - quad[0]))
        assert np.abs(best.corners - quad).mean() < 0.1 * tall
        assert read_scene(scene, detector, recogniser)[0].read.text == face.text


def test_a_picture_is_enlarged_at_most_twice_and_looked_at_once_a_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector, sides = Detector(), list[int]()

    def seen_by(_net: object, seen: Picture, _least: float) -> list[Found]:
        sides.append(max(seen.shape))
        return []

    monkeypatch.setattr(models, "_seen_by", seen_by)
    for height, width in ((720, 1280), (200, 120), (90, 60)):
        detector.rough(np.zeros((height, width, 3), np.uint8))
    assert sides == [576, 288, 400, 288, 180]


def test_the_detectors_input_is_padded_to_what_the_net_takes() -> None:
    assert detector_input(np.zeros((50, 70, 3), np.uint8)).shape == (1, 3, 64, 96)


def test_read_gives_a_line_a_picture_and_goes_on_after_a_bad_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render.run(["--form", "face", "--kind", "blue7", "--out", str(tmp_path)])
    capsys.readouterr()
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"")
    good = tmp_path / "face-blue7-0-00000.png"
    assert read.run(["--form", "crop", str(bad), str(good)]) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"path": str(bad), "error": first["error"]}
    assert "is empty" in first["error"]
    assert second["path"] == str(good)
    assert second["ms"] > 0
    (plate,) = second["plates"]
    assert len(plate["corners"]) == 4
    assert plate["kind"] in set(PlateKind)
    assert plate["confidence"] == min(plate["confidences"])


def test_evaluate_counts_what_the_renderer_drew_and_names_what_it_could_not_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render.run(["--form", "scene", "--kind", "blue7", "--count", "3", "--out", str(tmp_path)])
    (tmp_path / "scene-blue7-0-00002.png").write_bytes(b"broken")
    capsys.readouterr()
    assert evaluate.run([str(tmp_path / "manifest.csv")]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["pictures"] == 3
    assert told["plates"] == 3
    assert [error["path"] for error in told["errors"]] == [
        str(tmp_path / "scene-blue7-0-00002.png")
    ]
    assert told["scene"]["plates"] == 3
    assert told["right"] == sum(kind["right"] for kind in told["kinds"].values())
    assert evaluate.run([str(tmp_path / "manifest.csv"), "--form", "scene"]) == 1
    with pytest.raises(Invalid, match="no such picture"):
        evaluate.run([str(tmp_path / "manifest.csv"), "--form", "crop"])


def test_a_slanted_plate_that_one_look_leaves_in_doubt_is_looked_at_again(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(8)
    crops = [draw_crop(PlateKind.BLUE7, random) for _ in range(60)]

    def right() -> int:
        found = [(read_crop(crop.picture, recogniser), crop.text) for crop in crops]
        return sum([plate.read.text for plate in plates] == [text] for plates, text in found)

    again = right()
    monkeypatch.setattr(reading, "_SURE", 0.0)
    once = right()
    assert again > once > 20


def test_each_look_brings_corners_nearer(recogniser: Recogniser) -> None:
    random, first, last = np.random.default_rng(6), [], []
    for _ in range(12):
        scene = draw_scene(random, (400, 300), kinds=(PlateKind.BLUE7,))
        (plate,) = scene.plates
        tall = float(np.linalg.norm(plate.corners[3] - plate.corners[0]))
        rough = plate.corners + random.normal(0, 0.15 * tall, (4, 2)).astype(np.float32)
        found = Found(rough, 1, 1.0)
        for _ in range(2):
            found = recogniser.refiner.followed(scene.picture, found) or found
        first.append(np.abs(rough - plate.corners).mean() / tall)
        last.append(np.abs(found.corners - plate.corners).mean() / tall)
        assert found.rows == 1
    assert np.median(last) < 0.7 * np.median(first)
