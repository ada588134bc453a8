"""The refiner: of one rough find, where are its corners, is it a plate, has it two rows."""

import torch
from torch import Tensor, nn

from lpr.vision.views import VIEW_HEIGHT_PX, VIEW_WIDTH_PX

_TOLD = 10


def _block(inputs: int, outputs: int, stride: int = 1, size: int = 3) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class RefinerNet(nn.Module):
    """Views (N x 3 x 48 x 96) to N x 10, as ``lpr.vision.models`` reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Sequential(
            _block(3, 16, 2, 5),
            _block(16, 32),
            _block(32, 48, 2),
            _block(48, 48),
            _block(48, 64, 2),
            _block(64, 64),
            nn.Conv2d(64, 24, 1),
            nn.ReLU(),
        )
        places = VIEW_HEIGHT_PX // 8 * (VIEW_WIDTH_PX // 8)
        self.told = nn.Sequential(nn.Linear(24 * places, 64), nn.ReLU(), nn.Linear(64, _TOLD))

    def forward(self, views: Tensor) -> Tensor:
        """Give eight moves of corners, and the logits of a plate and of two rows."""
        told: Tensor = self.told(torch.flatten(self.seen(views), 1))
        return told
