"""Training the refiner on views of drawn scenes alone."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from lpr.training.ahead import made_ahead
from lpr.training.pausing import wait_while_paused
from lpr.training.refiner_net import RefinerNet
from lpr.training.schedule import Averaged, rate_share
from lpr.training.views_pool import ViewPool, Views
from lpr.vision.views import VIEW_HEIGHT_PX, VIEW_WIDTH_PX

_CHECKPOINT_EVERY = 100
_SHOWN_EVERY = 100
_BETA = 0.05
_PLATE_WEIGHT, _ROWS_WEIGHT = 0.3, 0.1
RATE = 0.002


@dataclass(frozen=True, slots=True)
class RefinerRun:
    """What decides a training run, and its result."""

    seed: int
    steps: int
    batch: int = 96
    rate: float = RATE
    averaging: float = 0.995
    """Share of the running mean of the weights that a step keeps."""


def train_refiner(run: RefinerRun, folder: Path, *, pause: Path | None = None) -> Path:
    """Train, with a checkpoint now and then; go on from the folder's checkpoint where it has one.

    Parameters
    ----------
    run : RefinerRun
    folder : Path
        Gets ``checkpoint.pt`` and ``run.json``.
    pause : Path, optional
        Training waits while this file exists.

    Returns
    -------
    Path
        The checkpoint.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(run.seed)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "checkpoint.pt"
    (folder / "run.json").write_text(json.dumps(asdict(run), indent=1) + "\n", encoding="utf-8")
    net = RefinerNet().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=run.rate, weight_decay=0.02)
    averaged, first = Averaged(net, run.averaging), 0
    if path.is_file():
        kept = torch.load(path, weights_only=True)
        net.load_state_dict(kept["net"])
        optimiser.load_state_dict(kept["optimiser"])
        averaged.mean, first = kept["mean"], kept["step"]
    pool = ViewPool(run.seed + first)
    batches = made_ahead(lambda: pool.batch(run.batch))
    began, shown = time.monotonic(), np.zeros(4)
    for step in range(first, run.steps):
        wait_while_paused(pause)
        for group in optimiser.param_groups:
            group["lr"] = run.rate * rate_share(step, run.steps)
        views = next(batches)
        inputs = torch.from_numpy(views.inputs).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            told = net(inputs)
        losses = _losses(told.float(), views)
        optimiser.zero_grad()
        sum(losses).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        averaged.take(net, step - first)
        shown += [*(float(loss.detach()) for loss in losses), 1]
        if (step + 1) % _SHOWN_EVERY == 0:
            rate = (step + 1 - first) * run.batch / (time.monotonic() - began)
            figures = " ".join(f"{figure:.4f}" for figure in shown[:3] / shown[3])
            sys.stderr.write(f"step {step + 1}: moves, plates, rows {figures}; {rate:.0f}/s\n")
            sys.stderr.flush()
            shown[:] = 0
        if (step + 1) % _CHECKPOINT_EVERY == 0 or step + 1 == run.steps:
            state = {"net": net.state_dict(), "mean": averaged.mean}
            torch.save({**state, "optimiser": optimiser.state_dict(), "step": step + 1}, path)
    batches.close()
    return path


def export_refiner(checkpoint: Path, model: Path) -> None:
    """Write a checkpoint's mean weights as ONNX."""
    net = RefinerNet()
    net.load_state_dict(torch.load(checkpoint, weights_only=True)["mean"])
    net.eval()
    torch.onnx.export(
        net,
        (torch.zeros(1, 3, VIEW_HEIGHT_PX, VIEW_WIDTH_PX),),
        str(model),
        dynamo=False,
        opset_version=13,
        input_names=["views"],
        output_names=["told"],
        dynamic_axes={"views": {0: "finds"}, "told": {0: "finds"}},
    )


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
