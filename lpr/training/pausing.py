"""Letting other work have the machine for a while."""

import time
from pathlib import Path

_LOOK_EVERY_S = 2.0


def wait_while_paused(pause: Path | None) -> None:
    """Wait as long as the file exists."""
    while pause is not None and pause.exists():
        time.sleep(_LOOK_EVERY_S)
