"""How the refiner learns: from views of drawn scenes alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from lpr.training.loop import Figures, Learning, quick_numbers, seen, write_onnx
from lpr.training.refiner_net import RefinerNet
from lpr.training.views_pool import ViewPool, Views
from lpr.vision.views import VIEW_HEIGHT_PX, VIEW_WIDTH_PX

_BETA = 0.05
_PLATE_WEIGHT, _ROWS_WEIGHT = 0.3, 0.1


def _batches(seed: int, size: int) -> Callable[[], Views]:
    pool = ViewPool(seed)
    return lambda: pool.batch(size)


def _judge(net: nn.Module, views: Views) -> tuple[Tensor, Figures]:
    with quick_numbers():
        told = net(seen(views.inputs))
    moves, plates, rows = _losses(told.float(), views)
    return moves + plates + rows, (moves.item(), plates.item(), rows.item())


REFINER: Final = Learning(
    net=RefinerNet,
    batches=_batches,
    inputs=lambda views: views.inputs,
    judge=_judge,
    figures="moves, plates, rows",
    batch=96,
    rate=0.002,
    averaging=0.995,
    told_every=100,
    kept_every=100,
)


def export_refiner(checkpoint: Path, model: Path) -> None:
    """Write a checkpoint's mean weights as ONNX."""
    views = torch.zeros(1, 3, VIEW_HEIGHT_PX, VIEW_WIDTH_PX)
    axes = {"views": {0: "finds"}, "told": {0: "finds"}}
    write_onnx(RefinerNet(), checkpoint, model, views, axes)


def _losses(told: Tensor, views: Views) -> tuple[Tensor, Tensor, Tensor]:
    plates, rows = torch.from_numpy(views.plates), torch.from_numpy(views.rows)
    count = plates.sum().clamp(min=1)
    moves = torch.from_numpy(views.moves)
    away = nn.functional.smooth_l1_loss(told[:, :8], moves, reduction="none", beta=_BETA)
    entropy = nn.functional.binary_cross_entropy_with_logits
    layout = entropy(told[:, 9], rows, reduction="none")
    return (
        (away.mean(1) * plates).sum() / count,
        _PLATE_WEIGHT * entropy(told[:, 8], plates),
        _ROWS_WEIGHT * (layout * plates).sum() / count,
    )
