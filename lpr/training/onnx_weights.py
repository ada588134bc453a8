"""Taking a shipped model up again: the weights of an exported ONNX file, back in their net.

Checkpoints are large and stay where they were made; what is shipped is the ONNX file, and a city
that tunes the model by its own corrections has that alone. The export folds each batch norm into
its convolution, so a norm is laid out anew here: it takes out the mean and deviation that its
convolution's output is measured to have, and puts both back. The net then does what the model
does, in evaluation exactly and in training as nearly as one batch is like another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from city.errors import Invalid
from lpr.training.onnx_file import arrays_of

Arrays = dict[str, Tensor]


def load_onnx(net: nn.Module, model: Path, example: Tensor) -> None:
    """Give a net the weights of a model that was exported from one of its shape.

    Parameters
    ----------
    net : torch.nn.Module
        Left in training mode.
    model : Path
        As ``lpr.training.loop.write_onnx`` makes them.
    example : torch.Tensor
        A batch as the net will learn from; norms are laid out by what it makes of it.

    Raises
    ------
    Invalid
        Where the file is no such model.
    """
    try:
        arrays = arrays_of(model.read_bytes())
    except ValueError:
        raise Invalid("is no model that was exported here", field=model.name) from None
    weights = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    folded = _folded_in(net)
    norms = {each.norm_name for each in folded}
    state = net.state_dict()
    for name in state:
        if name.rpartition(".")[0] not in norms:
            _put(state, name, weights.get(name), model)
    net.load_state_dict(state)
    if any(f"{each.name}.bias" not in weights for each in folded):
        raise Invalid("does not add after each convolution what a norm added", field=model.name)
    _lay_out(net, folded, weights, example)


@dataclass(frozen=True, slots=True)
class _Folded:
    """A convolution, and the norm right behind it that the export folded into it."""

    name: str
    """Of the convolution."""
    norm_name: str
    conv: nn.Conv2d
    norm: nn.BatchNorm2d

    def take(self, mean: Tensor, variance: Tensor, bias: Tensor) -> None:
        """Take out a mean and variance and put them in again, and add what the model added."""
        state = self.norm.state_dict()
        state |= {"running_mean": mean, "running_var": variance}
        state |= {"weight": (variance + self.norm.eps).sqrt(), "bias": bias + mean}
        self.norm.load_state_dict(state)


def _folded_in(net: nn.Module) -> list[_Folded]:
    leaves = [(name, each) for name, each in net.named_modules() if not list(each.children())]
    return [
        _Folded(conv_name, norm_name, conv, norm)
        for (conv_name, conv), (norm_name, norm) in pairwise(leaves)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    ]


def _put(state: Arrays, name: str, value: Tensor | None, model: Path) -> None:
    if value is not None and value.shape != state[name].shape and value.ndim == 2:  # noqa: PLR2004 - a matrix
        # A linear layer over more than two sides is written as a product with its transpose.
        value = value.T
    if value is None or value.shape != state[name].shape:
        raise Invalid(f"has no {name} of the net's shape", field=model.name)
    state[name] = value


def _lay_out(net: nn.Module, folded: list[_Folded], added: Arrays, example: Tensor) -> None:
    """Measure what each convolution makes of an example, and let its norm take that out and in.

    A net in evaluation does the same whatever its norms take out, so one pass measures all.
    """
    measured: dict[str, tuple[Tensor, Tensor]] = {}

    def hook_of(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(_: nn.Module, __: tuple[Tensor, ...], made: Tensor) -> None:
            measured[name] = (made.mean((0, 2, 3)), made.var((0, 2, 3), correction=0))

        return hook

    hooks = [each.conv.register_forward_hook(hook_of(each.name)) for each in folded]
    for each in folded:
        nothing = torch.zeros_like(each.norm.weight)
        each.take(nothing, nothing + (1 - each.norm.eps), added[f"{each.name}.bias"])
    net.eval()
    with torch.no_grad():
        net(example)
    for hook in hooks:
        hook.remove()
    for each in folded:
        each.take(*measured[each.name], added[f"{each.name}.bias"])
    net.train()
