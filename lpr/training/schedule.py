"""The learning rate over a run, the running mean of its weights, and what is told of it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from lpr.vision.models import CARD

if TYPE_CHECKING:
    from torch import nn

_WARM_UP_STEPS = 100
_FALLING = 0.35
_LEAST_SHARE = 0.02


def rate_share(step: int, steps: int) -> float:
    """Give the share of the full rate: it rises, stays, and falls over the last third.

    Until the fall begins a run can be lengthened or ended early by other ``steps``: what was
    learnt at the full rate is the same. Source: Hu et al. (2024), MiniCPM, warm-up, stable, decay.
    """
    rise = min(_WARM_UP_STEPS, max(1, steps // 10))
    fall = max(1, round(steps * _FALLING))
    risen = min(1.0, (step + 1) / rise)
    return max(_LEAST_SHARE, min(risen, (steps - step) / fall))


ONNX: Final = ".onnx"
"""How the name of an exported model ends."""


def told_of(checkpoint: Path) -> dict[str, object]:
    """Tell the run of a checkpoint and the step that it had come to; of a model, its card's."""
    if checkpoint.suffix == ONNX:
        card = json.loads(checkpoint.with_name(CARD).read_text(encoding="utf-8"))
        run = card[checkpoint.stem]["run"]
        return {"model": checkpoint.name, "version": card["version"], "run": run}
    run = json.loads(checkpoint.with_name("run.json").read_text(encoding="utf-8"))
    return {**run, "step": torch.load(checkpoint, weights_only=True)["step"]}


class Averaged:
    """The running mean of a net's weights, which reads better than the last ones.

    Parameters
    ----------
    net : torch.nn.Module
    keep : float
        Share of the mean that a step keeps, once the run is under way.
    """

    def __init__(self, net: "nn.Module", keep: float) -> None:
        self.mean = {name: value.clone() for name, value in net.state_dict().items()}
        self._keep = keep

    def take(self, net: "nn.Module", step: int) -> None:
        """Take the weights after a step in; the first steps count for more."""
        keep = min(self._keep, (1 + step) / (10 + step))
        for name, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                self.mean[name].mul_(keep).add_(value.detach(), alpha=1 - keep)
