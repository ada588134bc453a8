"""Pictures of pages for a person to look at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def shot(page: Page, name: str) -> None:
    """Keep a picture in the folder that GREENBAY_SHOTS names, if it names one."""
    folder = os.environ.get("GREENBAY_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
