"""Waiting for what other threads and processes bring about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 60.0
LOOK_S = 0.02


def eventually(holds: Callable[[], object], seconds: float = PATIENCE_S) -> bool:
    """Wait until a condition holds; say whether it does in the end."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    return bool(holds())
