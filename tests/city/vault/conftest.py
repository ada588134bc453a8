"""A key ring of the test's own, never the machine's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from city.vault import FileKeys

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    """Give a key file that does not exist yet."""
    return FileKeys(tmp_path / "keys" / "vault.json")
