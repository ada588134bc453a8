"""One running system for the fault tests, through all of them: it has to bear that too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.installation import Installation
from tests.faults.ordeal import Outcome, endure

if TYPE_CHECKING:
    from collections.abc import Iterator

UPLINKS, BAYS, KILLS, SENDERS = 12_000, 900, 11, 3
SEED = 20260302


@pytest.fixture(scope="package")
def installation() -> Iterator[Installation]:
    """Give the real system, started."""
    made = Installation()
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="package")
def ordeal(installation: Installation) -> Outcome:
    """Send a short run's uplinks, every kind of process killed meanwhile."""
    return endure(installation, uplinks=UPLINKS, bays=BAYS, kills=KILLS, senders=SENDERS, seed=SEED)
