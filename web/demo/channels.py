"""What the demo city pays through: the local gateway of the online channels, with keys of its own.

It lives in the demo's process, beside the cars: the installation has eight Python processes at
most. Its journal keeps orders and what it owes across the death of that process.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from payments.gateway.app import Gateway
from payments.gateway.journal import Journal
from payments.gateway.keys import Keys, kept_keys

if TYPE_CHECKING:
    from pathlib import Path

    from city.time import Clock
    from city.works.settings import Settings

FOLDER: Final = "gateway"
SPEED: Final = 10.0
"""Of the channels' own delays: a refund arrives after two seconds, a second attempt of a
notification after one and a half."""


def prepare_channels(settings: Settings, wall: Clock) -> None:
    """Make the keys of the demo's channels, and write what our adapters are configured with.

    Nothing where `PAYMENT_CHANNELS` names accounts: then the city pays through those. The keys stay
    from run to run, and with them every order; the document follows the port.
    """
    origin, path = settings.gateway_origin, settings.channels_path
    if origin is None or path is None:
        return
    document = _keys(settings, wall).client_document(origin)
    _write_private(path, json.dumps(document, indent=1).encode("ascii"))


def open_gateway(settings: Settings, wall: Clock) -> Gateway | None:
    """Serve the demo's channels from threads of this process; None where it has others.

    Raises
    ------
    Invalid
        Where its port or its journal cannot be had.
    """
    if settings.gateway_origin is None:
        return None
    keys = _keys(settings, wall)
    gateway = Gateway(
        keys,
        port=settings.gateway_port,
        speed=SPEED,
        open_day=True,
        clock=wall,
        journal=Journal(settings.var / FOLDER / "journal.db", wall),
    )
    gateway.start()
    return gateway


def _keys(settings: Settings, wall: Clock) -> Keys:
    return kept_keys(settings.var / FOLDER / "keys", wall.now())


def _write_private(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
