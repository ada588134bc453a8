"""What the nets learn from: windows, views and strips with what is wanted of them."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from city.plate_rules import PlateKind
from lpr.synthesis.crops import draw_crop
from lpr.training.ahead import made_ahead
from lpr.training.samples import SamplePool
from lpr.training.scenes_pool import ScenePool, wanted_of
from lpr.training.views_pool import ViewPool, rough_of
from lpr.vision.models import finds_of
from lpr.vision.strips import columns_of, strip_of

QUAD = np.array([[70, 90], [170, 100], [168, 132], [68, 122]], np.float32)


@pytest.fixture(autouse=True)
def _without_the_real_face(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GREENBAY_DATA", raising=False)


def test_batches_are_made_in_order_and_ahead() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    batches = made_ahead(make)
    assert list(islice(batches, 5)) == [0, 1, 2, 3, 4]
    batches.close()
    assert len(made) <= 9


def test_what_cannot_be_made_stops_the_learning() -> None:
    def make() -> int:
        raise ValueError("no scene")

    with pytest.raises(ValueError, match="no scene"):
        next(made_ahead(make))


def test_the_maps_that_are_wanted_of_the_detector_read_as_the_plate_itself() -> None:
    wanted = wanted_of([QUAD], [2])
    told = np.concatenate([wanted.score[None], wanted.corners, wanted.rows[None]])
    told[0] = np.where(told[0] == 1, 9.0, -9.0)
    (found,) = finds_of(told.astype(np.float32), 0.5)
    assert found.corners == pytest.approx(QUAD, abs=1e-3)
    assert found.rows == 2


def test_a_plate_mostly_outside_its_window_is_neither_wanted_nor_unwanted() -> None:
    wanted = wanted_of([QUAD - (120, 0)], [1])
    assert wanted.score.max() == 0
    assert wanted.score.min() == -1
    assert wanted.weight.sum() == 0


def test_rough_finds_are_off_by_as_much_as_a_detectors_and_keep_the_order_of_corners() -> None:
    random = np.random.default_rng(8)
    rough = [rough_of(QUAD, random) for _ in range(200)]
    away = np.array([np.abs(each - QUAD).mean() for each in rough]) / 32
    assert 0.03 < np.median(away) < 0.2
    assert 0.2 < np.quantile(away, 0.95) < 0.6
    assert all((each[1] - each[0])[0] > 0 and (each[3] - each[0])[1] > 0 for each in rough)


def test_pools_follow_from_their_seed_and_give_what_the_nets_take() -> None:
    views = [ViewPool(seed, drawn_anew=1).batch(4) for seed in (1, 1, 2)]
    assert views[0].inputs.shape == (4, 3, 48, 96)
    assert (views[0].inputs == views[1].inputs).all()
    assert (views[0].inputs != views[2].inputs).any()
    assert (views[0].moves[views[0].plates == 0] == 0).all()
    windows = [ScenePool(seed).batch(2)[0] for seed in (1, 1)]
    assert windows[0].shape == (2, 3, 256, 256)
    assert (windows[0] == windows[1]).all()
    strips = [SamplePool(seed, []).batch(4).strips for seed in (1, 1)]
    assert strips[0].shape == (4, 3, 32, 128)
    assert (strips[0] == strips[1]).all()


@pytest.mark.parametrize("rows", [1, 2])
def test_a_marked_place_is_in_the_column_of_the_strip_that_is_told(rows: int) -> None:
    for x, y in ((70, 25), (150, 25), (40, 75), (180, 75)):
        picture = np.zeros((100, 220, 3), np.uint8)
        picture[y - 6 : y + 6, x - 3 : x + 4] = 255
        strip = strip_of(picture, rows).max(axis=(0, 2)).astype(float)
        middle = float((strip * (np.arange(128) + 0.5)).sum() / strip.sum())
        (told,) = columns_of(np.array([[x + 0.5, y]], np.float32), (220, 100), rows)
        assert told == pytest.approx(middle, abs=0.6)


def test_a_character_of_a_drawn_crop_has_its_middle_in_the_crop() -> None:
    random = np.random.default_rng(3)
    for kind in (PlateKind.BLUE7, PlateKind.YELLOW2, PlateKind.EMERGENCY_WHITE):
        crop = draw_crop(kind, random)
        height, width = crop.picture.shape[:2]
        assert crop.middles.shape == (len(crop.text), 2)
        assert (crop.middles > 0).all()
        assert (crop.middles < (width, height)).all()
        columns = columns_of(crop.middles, (width, height), crop.rows)
        assert (np.diff(columns)[: 6 if crop.rows == 1 else 1] > 0).all()
