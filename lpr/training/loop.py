"""Learning step by step, the same for every net: rate, running mean, checkpoints, what is told."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Generic

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lpr.training.ahead import Batch, made_ahead
from lpr.training.onnx_weights import load_onnx
from lpr.training.pausing import wait_while_paused
from lpr.training.schedule import ONNX, Averaged, rate_share, told_of

_WEIGHT_DECAY = 0.02
_LONGEST_GRADIENT = 5.0
_MEASURED = 4
"""Batches' worth of samples by which the norms of a model taken up again are laid out."""

Figures = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Run:
    """What is asked of one run; with the data it decides the result."""

    seed: int
    steps: int
    rate: float | None = None
    """The full rate; the net's own where none is given."""
    threads: int = 1
    """That compute the net; a further one draws."""


@dataclass(frozen=True, slots=True)
class Learning(Generic[Batch]):
    """What one net learns from, how, and how far off it is.

    Parameters
    ----------
    net : callable
        Makes the net with its first weights.
    batches : callable
        Given a seed and a size, gives what makes the next batch.
    inputs : callable
        Gives what of a batch the net takes in.
    judge : callable
        Given the net and a batch, gives the loss to descend and three figures to tell.
    figures : str
        What the three figures are, as told.
    batch : int
        Size of a batch.
    rate : float
        The full rate.
    averaging : float
        Share of the running mean of the weights that a step keeps.
    told_every, kept_every : int
        Steps between two lines told, and between two checkpoints.
    """

    net: Callable[[], nn.Module]
    batches: Callable[[int, int], Callable[[], Batch]]
    inputs: Callable[[Batch], NDArray[np.float32]]
    judge: Callable[[nn.Module, Batch], tuple[Tensor, Figures]]
    figures: str
    batch: int
    rate: float
    averaging: float
    told_every: int
    kept_every: int


def learn(
    run: Run,
    learning: Learning[Batch],
    folder: Path,
    *,
    data: dict[str, object] | None = None,
    starts: Sequence[Path] = (),
    pause: Path | None = None,
) -> Path:
    """Train, with a checkpoint now and then; go on from the folder's checkpoint where it has one.

    Parameters
    ----------
    run : Run
    learning : Learning
    folder : Path
        Gets ``checkpoint.pt`` (weights, running mean, optimiser) and ``run.json``.
    data : dict, optional
        What ``run.json`` is to say of what was learnt from.
    starts : sequence of Path
        A checkpoint, or a model that was exported (``.onnx``), whose weights to begin with; of
        several checkpoints that learnt apart from one start, the mean.
    pause : Path, optional
        Training waits while this file exists.

    Returns
    -------
    Path
        The checkpoint.
    """
    torch.set_num_threads(run.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(run.seed)
    folder.mkdir(parents=True, exist_ok=True)
    full_rate = learning.rate if run.rate is None else run.rate
    told = {
        "seed": run.seed,
        "steps": run.steps,
        "batch": learning.batch,
        "rate": full_rate,
        "averaging": learning.averaging,
        **(data or {}),
        **({"start": [told_of(start) for start in starts]} if starts else {}),
    }
    (folder / "run.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    path = folder / "checkpoint.pt"
    net = learning.net().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=full_rate, weight_decay=_WEIGHT_DECAY)
    kept = torch.load(path, weights_only=True) if path.is_file() else None
    if kept is not None:
        net.load_state_dict(kept["net"])
        optimiser.load_state_dict(kept["optimiser"])
    elif starts:
        _begin_with(net, starts, learning, run.seed)
    averaged, first = Averaged(net, learning.averaging), 0
    if kept is not None:
        averaged.mean, first = kept["mean"], kept["step"]
    # A run that goes on sees other samples than one that never stopped, but never the same again.
    batches = made_ahead(learning.batches(run.seed + first, learning.batch))
    began, shown, since = time.monotonic(), np.zeros(3), 0
    for step in range(first, run.steps):
        wait_while_paused(pause)
        for group in optimiser.param_groups:
            group["lr"] = full_rate * rate_share(step, run.steps)
        loss, figures = learning.judge(net, next(batches))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), _LONGEST_GRADIENT)
        optimiser.step()
        averaged.take(net, step - first)
        shown, since = shown + figures, since + 1
        if (step + 1) % learning.told_every == 0:
            rate = (step + 1 - first) * learning.batch / (time.monotonic() - began)
            means = " ".join(f"{figure:.4f}" for figure in shown / since)
            sys.stderr.write(f"step {step + 1}: {learning.figures} {means}; {rate:.0f}/s\n")
            sys.stderr.flush()
            shown, since = np.zeros(3), 0
        if (step + 1) % learning.kept_every == 0 or step + 1 == run.steps:
            state = {"net": net.state_dict(), "mean": averaged.mean}
            # Whole or not at all: a run that ends while it writes keeps the last checkpoint.
            part = path.with_suffix(".part")
            torch.save({**state, "optimiser": optimiser.state_dict(), "step": step + 1}, part)
            part.replace(path)
    batches.close()
    return path


def _begin_with(
    net: nn.Module, starts: Sequence[Path], learning: Learning[Batch], seed: int
) -> None:
    if starts[0].suffix == ONNX:
        example = learning.inputs(learning.batches(seed, _MEASURED * learning.batch)())
        load_onnx(net, starts[0], seen(example))
        return
    # Nets that learnt apart from one start lie in one valley: their mean reads better than each.
    # Source: Wortsman et al. (2022), Model soups.
    means = [torch.load(start, weights_only=True)["mean"] for start in starts]
    mixed = {name: sum(mean[name] for mean in means) / len(means) for name in means[0]}
    net.load_state_dict(mixed)


def quick_numbers() -> torch.autocast:
    """Compute in bfloat16 where the processor does so several times faster, and only there.

    Processors with AVX-512 but without AMX take a third longer in bfloat16 than in float32, and
    more than a hundred times as long in float16.
    """
    return torch.autocast("cpu", torch.bfloat16, enabled=_has_amx())


@lru_cache(maxsize=1)
def _has_amx() -> bool:
    told = Path("/proc/cpuinfo")
    return told.is_file() and "amx_bf16" in told.read_text(encoding="ascii", errors="replace")


def seen(pictures: NDArray[np.float32]) -> Tensor:
    """Give a batch's pictures as the nets take them: channels last, the faster order."""
    return torch.from_numpy(pictures).contiguous(memory_format=torch.channels_last)


def write_onnx(
    net: nn.Module, checkpoint: Path, model: Path, example: Tensor, axes: dict[str, dict[int, str]]
) -> None:
    """Write a checkpoint's mean weights as ONNX.

    Parameters
    ----------
    net : torch.nn.Module
        Of the checkpoint's shape; its weights are replaced.
    checkpoint, model : Path
    example : Tensor
        An input of the net.
    axes : dict
        The sides that vary, by name: the input first, then the outputs.
    """
    net.load_state_dict(torch.load(checkpoint, weights_only=True)["mean"])
    net.eval()
    taken, *given = axes
    torch.onnx.export(
        net,
        (example,),
        str(model),
        dynamo=False,
        opset_version=13,
        input_names=[taken],
        output_names=given,
        dynamic_axes=axes,
    )
