"""One running system for the fault tests, through all of them: it has to bear that too."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.channel_gateway import ChannelGateway
from tests.faults.installation import Installation
from tests.faults.ordeal import Outcome, endure
from tests.faults.paying_ordeal import FAULTS
from tests.quick_files import quick_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

UPLINKS, BAYS, KILLS, SENDERS = 12_000, 900, 11, 3
SEED = 20260302


CHANNEL_SPEED = 400.0
"""At it a channel's longest pause between two attempts, six hours, takes a minute."""


@pytest.fixture(scope="package")
def gateway() -> Iterator[ChannelGateway]:
    """Give the channels that the system is configured with, started."""
    with tempfile.TemporaryDirectory(prefix="greenbay-test-") as folder:
        made = ChannelGateway(Path(folder), FAULTS.format(seed=SEED), CHANNEL_SPEED)
        try:
            made.start()
            yield made
        finally:
            made.close()


@pytest.fixture(scope="package")
def installation(gateway: ChannelGateway) -> Iterator[Installation]:
    """Give the real system, started."""
    # Killing loses no page that the kernel has, on a disk or in memory; the bench uses a disk.
    made = Installation({"PAYMENT_CHANNELS": str(gateway.document)}, within=quick_folder())
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="package")
def ordeal(installation: Installation) -> Outcome:
    """Send a short run's uplinks, every kind of process killed meanwhile."""
    return endure(installation, uplinks=UPLINKS, bays=BAYS, kills=KILLS, senders=SENDERS, seed=SEED)
