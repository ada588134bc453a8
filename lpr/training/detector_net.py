"""The detector: is a plate's middle here, where are its corners, has it two rows.

Fully convolutional, so that it takes pictures of any size in multiples of 32 pixels.
"""

import torch
from torch import Tensor, nn

_FINE, _MIDDLE, _COARSE = 48, 64, 96
_SCORE_AT_FIRST = -4.0


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class DetectorNet(nn.Module):
    """Pictures (N x 3 x H x W) to maps (N x 10 x H/8 x W/8) as ``lpr.vision.models`` reads them.

    Three levels of 8, 16 and 32 pixels: the coarser see what surrounds a plate, and all of a
    large one; what they saw is added to the finer on the way back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            _block(3, 16, 2), _block(16, 24, 2), _block(24, _FINE, 2), _block(_FINE, _FINE)
        )
        self.middle = nn.Sequential(_block(_FINE, _MIDDLE, 2), _block(_MIDDLE, _MIDDLE))
        self.coarse = nn.Sequential(
            _block(_MIDDLE, _COARSE, 2), _block(_COARSE, _COARSE), _block(_COARSE, _COARSE)
        )
        self.to_middle = nn.Conv2d(_COARSE, _MIDDLE, 1)
        self.to_fine = nn.Conv2d(_MIDDLE, _FINE, 1)
        self.joined = _block(_FINE, _FINE)
        self.told = nn.Conv2d(_FINE, 10, 1)
        nn.init.constant_(self.told.bias[:1], _SCORE_AT_FIRST)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give the maps of score, corners and rows."""
        fine = self.fine(pictures)
        middle = self.middle(fine)
        middle = torch.relu(middle + _twice(self.to_middle(self.coarse(middle))))
        told: Tensor = self.told(self.joined(torch.relu(fine + _twice(self.to_fine(middle)))))
        return told


def _twice(maps: Tensor) -> Tensor:
    return nn.functional.interpolate(maps, scale_factor=2.0, mode="nearest")
