"""Training the detector on drawn scenes alone."""

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
from lpr.training.detector_net import DetectorNet
from lpr.training.pausing import wait_while_paused
from lpr.training.scenes_pool import ScenePool, Wanted
from lpr.training.schedule import Averaged, rate_share

_CHECKPOINT_EVERY = 50
_SHOWN_EVERY = 25
RATE = 0.002
_FALL, _SPARE = 2.0, 4.0
"""Exponents of the focal loss. Source: Zhou et al. (2019), Objects as Points, eq. 1."""


@dataclass(frozen=True, slots=True)
class DetectorRun:
    """What decides a training run, and its result."""

    seed: int
    steps: int
    batch: int = 32
    rate: float = RATE
    averaging: float = 0.99
    """Share of the running mean of the weights that a step keeps."""


def train_detector(run: DetectorRun, folder: Path, *, pause: Path | None = None) -> Path:
    """Train, with a checkpoint now and then; go on from the folder's checkpoint where it has one.

    Parameters
    ----------
    run : DetectorRun
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
    net = DetectorNet().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=run.rate, weight_decay=0.02)
    averaged, first = Averaged(net, run.averaging), 0
    if path.is_file():
        kept = torch.load(path, weights_only=True)
        net.load_state_dict(kept["net"])
        optimiser.load_state_dict(kept["optimiser"])
        averaged.mean, first = kept["mean"], kept["step"]
    pool = ScenePool(run.seed + first)
    batches = made_ahead(lambda: pool.batch(run.batch))
    began, shown = time.monotonic(), np.zeros(4)
    for step in range(first, run.steps):
        wait_while_paused(pause)
        for group in optimiser.param_groups:
            group["lr"] = run.rate * rate_share(step, run.steps)
        windows, wanted = next(batches)
        inputs = torch.from_numpy(windows).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            told = net(inputs)
        losses = _losses(told.float(), wanted)
        optimiser.zero_grad()
        sum(losses).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        averaged.take(net, step - first)
        shown += [*(float(loss.detach()) for loss in losses), 1]
        if (step + 1) % _SHOWN_EVERY == 0:
            rate = (step + 1 - first) * run.batch / (time.monotonic() - began)
            figures = " ".join(f"{figure:.3f}" for figure in shown[:3] / shown[3])
            sys.stderr.write(f"step {step + 1}: score, corners, rows {figures}; {rate:.0f}/s\n")
            sys.stderr.flush()
            shown[:] = 0
        if (step + 1) % _CHECKPOINT_EVERY == 0 or step + 1 == run.steps:
            state = {"net": net.state_dict(), "mean": averaged.mean}
            torch.save({**state, "optimiser": optimiser.state_dict(), "step": step + 1}, path)
    batches.close()
    return path


def export_detector(checkpoint: Path, model: Path) -> None:
    """Write a checkpoint's mean weights as ONNX."""
    net = DetectorNet()
    net.load_state_dict(torch.load(checkpoint, weights_only=True)["mean"])
    net.eval()
    sides = {0: "pictures", 2: "height", 3: "width"}
    torch.onnx.export(
        net,
        (torch.zeros(1, 3, 384, 640),),
        str(model),
        dynamo=False,
        opset_version=13,
        input_names=["pictures"],
        output_names=["maps"],
        dynamic_axes={"pictures": sides, "maps": sides},
    )


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
