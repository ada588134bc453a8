"""How the recogniser learns: drawn crops first, then drawn crops and photographs together."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from lpr.rules.alphabet import SEATS
from lpr.training.loop import Figures, Learning, quick_numbers, seen, write_onnx
from lpr.training.recogniser_net import RecogniserNet
from lpr.training.samples import Photograph, SamplePool, Samples
from lpr.vision.strips import STRIP_HEIGHT_PX, STRIP_WIDTH_PX

_KIND_WEIGHT = 0.3
_LOOK_WEIGHT = 0.2
_COLUMN_PX = 4
_FIRST_SEAT_WEIGHT = 2.0
"""Provinces are the hardest characters: 31 of them, fine strokes, and drawn unlike the street's."""


def recogniser_learning(
    photographs: list[Photograph], photograph_share: float
) -> Learning[Samples]:
    """Give how the recogniser learns from drawn crops and these photographs.

    Parameters
    ----------
    photographs : list of Photograph
        Those that may be learnt from; none for drawn crops alone.
    photograph_share : float
        Share of a batch that photographs take.
    """

    def batches(seed: int, size: int) -> Callable[[], Samples]:
        pool = SamplePool(seed, photographs, photograph_share=photograph_share)
        return lambda: pool.batch(size)

    return Learning(
        net=RecogniserNet,
        batches=batches,
        inputs=lambda samples: samples.strips,
        judge=_judge,
        figures="loss, plates, kinds",
        batch=64,
        rate=0.0015,
        averaging=0.995,
        told_every=50,
        kept_every=50,
    )


def export_recogniser(checkpoint: Path, model: Path) -> None:
    """Write a checkpoint's mean weights as ONNX."""
    strips = torch.zeros(1, 3, STRIP_HEIGHT_PX, STRIP_WIDTH_PX)
    axes = {"strips": {0: "plates"}, "seats": {0: "plates"}, "kinds": {0: "plates"}}
    write_onnx(RecogniserNet(), checkpoint, model, strips, axes)


def _judge(net: nn.Module, samples: Samples) -> tuple[Tensor, Figures]:
    wanted, wanted_kinds = torch.from_numpy(samples.seats), torch.from_numpy(samples.kinds)
    with quick_numbers():
        said, said_kinds, looked = net.look(seen(samples.strips))
    kinds = nn.functional.cross_entropy(said_kinds.float(), wanted_kinds)
    astray = _astray(looked.float(), torch.from_numpy(samples.columns))
    loss = _loss(said.float(), wanted) + _KIND_WEIGHT * kinds + _LOOK_WEIGHT * astray
    right = (said.argmax(-1) == wanted).all(-1).float().mean()
    right_kinds = (said_kinds.argmax(-1) == wanted_kinds).float().mean()
    return loss, (loss.item(), right.item(), right_kinds.item())


def _loss(said: Tensor, wanted: Tensor) -> Tensor:
    weights = torch.ones(SEATS)
    weights[0] = _FIRST_SEAT_WEIGHT
    each = nn.functional.cross_entropy(said.transpose(1, 2), wanted, reduction="none")
    return (each * (weights / weights.sum())).sum(1).mean()


def _astray(looked: Tensor, columns: Tensor) -> Tensor:
    """Give how far from its character a seat looks, in columns of features."""
    places = looked.reshape(*columns.shape, -1, STRIP_WIDTH_PX // _COLUMN_PX).sum(2)
    mean = places @ (torch.arange(places.shape[-1], dtype=torch.float32) + 0.5)
    known = ~columns.isnan()
    away = nn.functional.smooth_l1_loss(mean[known], columns[known] / _COLUMN_PX, beta=0.5)
    return away if bool(known.any()) else mean.sum() * 0.0
