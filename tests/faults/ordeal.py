"""The whole of it: a running system, uplinks sent at it, its processes killed, the reckoning."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from city.time import WallClock, to_ms
from tests.faults.checking import Findings, check
from tests.faults.draining import drain
from tests.faults.killing import Killer
from tests.faults.networks import Pace, Senders
from tests.faults.town import SPAN, found_town
from tests.faults.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.faults.installation import Installation
    from tests.faults.networks import Ledger
    from tests.faults.town import Town
    from tests.faults.traffic import Frame

SEND_PATIENCE_S: Final = 1_500.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it."""

    town: Town
    traffic: Traffic
    answered: int
    """Of its sendings."""
    strange: int
    """Answers that no network server should ever get."""
    frames: dict[int, Frame]
    """Everything that was sent, by number; later traffic included."""
    ledger: Ledger
    """What was answered of it."""
    findings: Findings
    kills: Mapping[str, int]
    seconds: Mapping[str, float]

    def add(self, traffic: Traffic, ledger: Ledger) -> None:
        """Add what was sent afterwards."""
        self.frames.update(traffic.frames)
        self.ledger.add(ledger)


def endure(
    installation: Installation,
    *,
    uplinks: int,
    bays: int,
    kills: int,
    senders: int,
    seed: int,
) -> Outcome:
    """Send uplinks at a started installation, kill its processes meanwhile, compare in the end.

    Parameters
    ----------
    installation
        Started, without places.
    uplinks
        Sendings, repeated ones included.
    bays, kills, senders
        How many.
    seed
        Decides frames, order, victims and moments.
    """
    clock: dict[str, float] = {}
    begun = time.monotonic()
    end_at = WallClock().now() - timedelta(minutes=10)
    begin_at = end_at - SPAN
    database = installation.database()
    try:
        town = found_town(
            database, bays, since_at=begin_at - timedelta(days=1), moved_at=begin_at + SPAN / 2
        )
    finally:
        database.close()
    traffic = Traffic(town, uplinks, seed, to_ms(begin_at), to_ms(end_at))
    clock["preparing"] = time.monotonic() - begun

    begun = time.monotonic()
    sending = Senders(traffic, installation.port, town.token, Pace(senders))
    killer = Killer(installation, kills, len(traffic.sendings), seed)
    sending.start()
    try:
        killer.work(lambda: sending.answered, lambda: sending.busy)
        ledger = sending.finish(patience_s=SEND_PATIENCE_S)
    finally:
        sending.halt()
    clock["sending"] = time.monotonic() - begun
    clock["supervisor_away"] = killer.away_s
    clock["draining"] = drain(installation)

    begun = time.monotonic()
    findings = check(installation, town, traffic.frames, ledger)
    clock["checking"] = time.monotonic() - begun
    return Outcome(
        town,
        traffic,
        ledger.done,
        len(ledger.strange),
        dict(traffic.frames),
        ledger,
        findings,
        dict(killer.killed),
        clock,
    )
