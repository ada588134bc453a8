"""The detector: is a plate's middle here, where are its corners, has it two rows.

Fully convolutional, so that it takes pictures of any size in multiples of 32 pixels.
"""

import torch
from torch import Tensor, nn

_FINE, _COARSE = 48, 64
_SCORE_AT_FIRST = -4.0


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class DetectorNet(nn.Module):
    """Pictures (N x 3 x H x W) to maps (N x 10 x H/8 x W/8) as ``lpr.vision.models`` reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            _block(3, 16, 2), _block(16, 24, 2), _block(24, _FINE, 2), _block(_FINE, _FINE)
        )
        self.coarse = nn.Sequential(
            _block(_FINE, _COARSE, 2), _block(_COARSE, _COARSE, 2), _block(_COARSE, _COARSE)
        )
        self.back = nn.Conv2d(_COARSE, _FINE, 1)
        self.joined = _block(_FINE, _FINE)
        self.told = nn.Conv2d(_FINE, 10, 1)
        nn.init.constant_(self.told.bias[:1], _SCORE_AT_FIRST)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give the maps of score, corners and rows."""
        fine = self.fine(pictures)
        wide = self.back(self.coarse(fine))
        wide = nn.functional.interpolate(wide, scale_factor=4.0, mode="nearest")
        told: Tensor = self.told(self.joined(torch.relu(fine + wide)))
        return told
