"""The recogniser: a small convolutional net that looks at all seats of a plate at once.

Each seat has a map of attention over the picture, so that a slanted plate needs no straightening
and a character's look is learnt once for all seats. No recurrent layer: ``cv2.dnn`` runs those
slowly.
"""

import torch
from torch import Tensor, nn

from lpr.rules.alphabet import CLASSES, KINDS, SEATS
from lpr.vision.strips import STRIP_HEIGHT_PX, STRIP_WIDTH_PX

_LAST = 128


def _block(
    inputs: int, outputs: int, stride: int | tuple[int, int] = 1, size: int = 3
) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class _Twofold(nn.Module):
    """A block whose input is added to what it makes, so that deep nets learn from the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = _block(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Add the block to its input."""
        made: Tensor = features + self.block(features)
        return made


class RecogniserNet(nn.Module):
    """Strips (N x 3 x 32 x 128) to logits of seats (N x 9 x classes) and kinds (N x kinds)."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            _block(3, 32, 2, 5),
            _block(32, 64, 2),
            _Twofold(64),
            _Twofold(64),
            _block(64, 96, (2, 1)),
            _Twofold(96),
            _block(96, _LAST),
        )
        # Which seat a character has depends on those beside it: seen at half the size, most of
        # the strip fits into what one place looks at.
        self.wide = nn.Sequential(_block(_LAST, 96, 2), _Twofold(96), _Twofold(96))
        self.back = nn.Conv2d(96, _LAST, 1)
        height, width = STRIP_HEIGHT_PX // 8, STRIP_WIDTH_PX // 4
        self.attention = nn.Conv2d(_LAST, SEATS, 1)
        self.place = nn.Parameter(_first_places(height, width))
        self.drop = nn.Dropout(0.1)
        self.character = nn.Linear(_LAST, CLASSES)
        self.kind = nn.Linear(_LAST, len(KINDS))

    def forward(self, strips: Tensor) -> tuple[Tensor, Tensor]:
        """Give the logits of seats and kinds."""
        seats, kinds, _ = self.look(strips)
        return seats, kinds

    def look(self, strips: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the logits, and where each seat looked: N x seats x places."""
        near = self.trunk(strips)
        wide = nn.functional.interpolate(
            self.back(self.wide(near)), scale_factor=2.0, mode="nearest"
        )
        features = torch.relu(near + wide)
        weights = (self.attention(features) + self.place).flatten(2).softmax(-1)
        seats = weights @ features.flatten(2).transpose(1, 2)
        return self.character(self.drop(seats)), self.kind(features.mean((2, 3))), weights


def _first_places(height: int, width: int) -> Tensor:
    """Let each seat start by looking about where it stands on a plate of eight characters."""
    column = torch.linspace(0, 1, width)[None, :]
    seat = (torch.arange(SEATS, dtype=torch.float32)[:, None] + 0.5) / (SEATS - 1)
    near = -((column - seat) ** 2) / (2 * 0.1**2)
    return near[None, :, None, :].expand(1, SEATS, height, width).clamp(min=-4).clone()
