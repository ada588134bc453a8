"""Training the recogniser: drawn crops first, then drawn crops and photographs together."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from lpr.rules.alphabet import SEATS
from lpr.training.ahead import made_ahead
from lpr.training.pausing import wait_while_paused
from lpr.training.recogniser_net import RecogniserNet
from lpr.training.samples import Photograph, SamplePool
from lpr.training.schedule import Averaged, rate_share, told_of
from lpr.vision.strips import STRIP_HEIGHT_PX, STRIP_WIDTH_PX

_CHECKPOINT_EVERY = 50
_KIND_WEIGHT = 0.3
_LOOK_WEIGHT = 0.2
_COLUMN_PX = 4
_FIRST_SEAT_WEIGHT = 2.0
"""Provinces are the hardest characters: 31 of them, fine strokes, and drawn unlike the street's."""
RATE = 0.0015


@dataclass(frozen=True, slots=True)
class RecogniserRun:
    """What decides a training run, and with the data its result."""

    seed: int
    steps: int
    batch: int = 64
    rate: float = RATE
    photograph_share: float = 0.0
    averaging: float = 0.995
    """Share of the running mean of the weights that a step keeps."""


def train_recogniser(
    run: RecogniserRun,
    photographs: list[Photograph],
    folder: Path,
    *,
    start: Path | None = None,
    pause: Path | None = None,
) -> Path:
    """Train, with a checkpoint now and then; go on from the folder's checkpoint where it has one.

    Parameters
    ----------
    run : RecogniserRun
    photographs : list of Photograph
        Those that may be learnt from; none for drawn crops alone.
    folder : Path
        Gets ``checkpoint.pt`` (weights, running mean, optimiser) and ``run.json``.
    start : Path, optional
        A checkpoint whose weights to begin with.
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
    _note(run, len(photographs), start, folder / "run.json")
    net = RecogniserNet().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=run.rate, weight_decay=0.02)
    first = 0
    if path.is_file():
        kept = torch.load(path, weights_only=True)
        net.load_state_dict(kept["net"])
        optimiser.load_state_dict(kept["optimiser"])
        first = kept["step"]
    elif start is not None:
        net.load_state_dict(torch.load(start, weights_only=True)["mean"])
    averaged = Averaged(net, run.averaging)
    if path.is_file():
        averaged.mean = kept["mean"]
    # A run that goes on sees other samples than one that never stopped, but never the same again.
    pool = SamplePool(run.seed + first, photographs, photograph_share=run.photograph_share)
    batches = made_ahead(lambda: pool.batch(run.batch))
    began, shown = time.monotonic(), np.zeros(4)
    for step in range(first, run.steps):
        wait_while_paused(pause)
        for group in optimiser.param_groups:
            group["lr"] = run.rate * rate_share(step, run.steps)
        samples = next(batches)
        inputs = torch.from_numpy(samples.strips).contiguous(memory_format=torch.channels_last)
        wanted, wanted_kinds = torch.from_numpy(samples.seats), torch.from_numpy(samples.kinds)
        with torch.autocast("cpu", torch.bfloat16):
            said, said_kinds, looked = net.look(inputs)
        loss = _loss(said.float(), wanted) + _KIND_WEIGHT * nn.functional.cross_entropy(
            said_kinds.float(), wanted_kinds
        )
        loss = loss + _LOOK_WEIGHT * _astray(looked.float(), torch.from_numpy(samples.columns))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        averaged.take(net, step - first)
        right = (said.argmax(-1) == wanted).all(-1).float().mean()
        right_kinds = (said_kinds.argmax(-1) == wanted_kinds).float().mean()
        shown += [float(loss.detach()), float(right), float(right_kinds), 1]
        if (step + 1) % 50 == 0:
            rate = (step + 1 - first) * run.batch / (time.monotonic() - began)
            figures = " ".join(f"{figure:.3f}" for figure in shown[:3] / shown[3])
            sys.stderr.write(f"step {step + 1}: loss, plates, kinds {figures}; {rate:.0f}/s\n")
            sys.stderr.flush()
            shown[:] = 0
        if (step + 1) % _CHECKPOINT_EVERY == 0 or step + 1 == run.steps:
            state = {"net": net.state_dict(), "mean": averaged.mean}
            torch.save({**state, "optimiser": optimiser.state_dict(), "step": step + 1}, path)
    batches.close()
    return path


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


def _note(run: RecogniserRun, photographs: int, start: Path | None, path: Path) -> None:
    told = asdict(run) | {"photographs": photographs}
    if start is not None:
        told["start"] = told_of(start)
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def export_recogniser(checkpoint: Path, model: Path) -> None:
    """Write a checkpoint's mean weights as ONNX."""
    net = RecogniserNet()
    net.load_state_dict(torch.load(checkpoint, weights_only=True)["mean"])
    net.eval()
    torch.onnx.export(
        net,
        (torch.zeros(1, 3, STRIP_HEIGHT_PX, STRIP_WIDTH_PX),),
        str(model),
        dynamo=False,
        opset_version=13,
        input_names=["strips"],
        output_names=["seats", "kinds"],
        dynamic_axes={"strips": {0: "plates"}, "seats": {0: "plates"}, "kinds": {0: "plates"}},
    )
