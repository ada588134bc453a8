"""How the detector learns: from drawn scenes alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lpr.training.detector_net import DetectorNet
from lpr.training.loop import Figures, Learning, quick_numbers, seen, write_onnx
from lpr.training.scenes_pool import ScenePool, Wanted

_FALL, _SPARE = 2.0, 4.0
"""Exponents of the focal loss. Source: Zhou et al. (2019), Objects as Points, eq. 1."""

Scenes = tuple[NDArray[np.float32], list[Wanted]]


def _batches(seed: int, size: int) -> Callable[[], Scenes]:
    pool = ScenePool(seed)
    return lambda: pool.batch(size)


def _judge(net: nn.Module, scenes: Scenes) -> tuple[Tensor, Figures]:
    windows, wanted = scenes
    with quick_numbers():
        told = net(seen(windows))
    score, corners, rows = _losses(told.float(), wanted)
    return score + corners + rows, (score.item(), corners.item(), rows.item())


DETECTOR: Final = Learning(
    net=DetectorNet,
    batches=_batches,
    inputs=lambda scenes: scenes[0],
    judge=_judge,
    figures="score, corners, rows",
    batch=32,
    rate=0.002,
    averaging=0.99,
    told_every=25,
    kept_every=50,
)


def export_detector(checkpoint: Path, model: Path) -> None:
    """Write a checkpoint's mean weights as ONNX."""
    sides = {0: "pictures", 2: "height", 3: "width"}
    axes = {"pictures": sides, "maps": sides}
    write_onnx(DetectorNet(), checkpoint, model, torch.zeros(1, 3, 384, 640), axes)


def _losses(told: Tensor, wanted: list[Wanted]) -> tuple[Tensor, Tensor, Tensor]:
    score = torch.from_numpy(np.stack([each.score for each in wanted]))
    corners = torch.from_numpy(np.stack([each.corners for each in wanted]))
    rows = torch.from_numpy(np.stack([each.rows for each in wanted]))
    weight = torch.from_numpy(np.stack([each.weight for each in wanted]))
    plates = weight.sum().clamp(min=1)
    chance = told[:, 0].sigmoid().clamp(1e-4, 1 - 1e-4)
    middle = (score == 1).float()
    pull = -middle * (1 - chance) ** _FALL * chance.log()
    push = -(score >= 0).float() * (1 - middle) * (1 - score.clamp(min=0)) ** _SPARE
    push = push * chance**_FALL * (1 - chance).log()
    focal = (pull + push).sum() / plates
    # In shares of the plate's own size, so that a small plate's corners count as much.
    span = (corners.amax(1) - corners.amin(1)).clamp(min=1.0)
    away = nn.functional.smooth_l1_loss(told[:, 1:9], corners, reduction="none", beta=0.1)
    distance = (away.mean(1) / span * 4 * weight).sum() / plates
    layout = nn.functional.binary_cross_entropy_with_logits(told[:, 9], rows, reduction="none")
    return focal, distance, 0.2 * (layout * weight).sum() / plates
