"""Bills paid at a running system while it and the channels' gateway are killed; the reckoning."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from city.errors import Unavailable
from city.time import WallClock
from city.works.database import Database
from journeys.pursue_channels import pursue_all
from payments.adapters.accounts import read_channel_file
from tests.faults.debts import issue_debts
from tests.faults.killing import Killer
from tests.faults.payers import Payers
from tests.faults.reckoning import Reckoning, reckon

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from tests.faults.channel_gateway import ChannelGateway
    from tests.faults.installation import Installation

GATEWAY: Final = "gateway"
KINDS: Final = ("postgres", "postgres backend", "worker", "api", "api worker", GATEWAY)
"""Processes that a payment goes through; whoever kills the supervisor too kills all at once."""
PAY_PATIENCE_S: Final = 5_400.0
SETTLE_PATIENCE_S: Final = 240.0
SETTLE_PATIENCE_A_BILL_S: Final = 0.05
TOLD_PATIENCE_S: Final = 60.0
FAULTS: Final = (
    "seed={seed},unheard=0.2,duplicate=1:3,reorder=0.3,delay=0.2:0.05-0.5,lose=0.05,5xx=0.03,"
    "wrong-amount=0.01,wrong-signature=0.01"
)
"""Each attempt goes out three times, in any order, and of five answers one is lost."""


_UNENDED: Final = text(
    "select (select count(*) from payments.channel_order where state not in ('paid', 'closed'))"
    " + (select count(*) from payments.channel_refund where state = 'asked')"
)


class LaterClock:
    """Wall time some minutes on: what waits is due, and what nobody paid is past its time."""

    def __init__(self) -> None:
        self.ahead = timedelta(minutes=20)

    def now(self) -> datetime:
        """Tell it."""
        return WallClock().now() + self.ahead


class PaymentKiller(Killer):
    """Kills the gateway as well, which has no supervisor: it is started again at once."""

    def __init__(
        self,
        installation: Installation,
        gateway: ChannelGateway,
        kills: int,
        goal: int,
        seed: int,
        kinds: Sequence[str],
    ) -> None:
        super().__init__(installation, kills, goal, seed, kinds=kinds)
        self._gateway = gateway

    def kill(self, kind: str) -> None:
        """Kill one process of a kind."""
        if kind != GATEWAY:
            super().kill(kind)
            return
        self._gateway.kill()
        self._gateway.start()
        self.killed[kind] += 1


@dataclass(frozen=True, slots=True)
class PaymentOutcome:
    """What became of it."""

    bills: int
    done: int
    strange: Sequence[str]
    """Answers that no payer should ever get."""
    statuses: Mapping[str, int]
    notifications: Counter[str]
    kills: Mapping[str, int]
    asked: int
    """Questions that the janitor put to channels when all was paid."""
    books: Reckoning
    seconds: Mapping[str, float]


def endure_payments(
    installation: Installation,
    gateway: ChannelGateway,
    bills: int,
    kills: int,
    payers: int,
    seed: int,
    kinds: Sequence[str] = KINDS,
    within_s: float = PAY_PATIENCE_S,
) -> PaymentOutcome:
    """Have bills paid, kill processes meanwhile, let all come to rest, compare.

    Parameters
    ----------
    installation
        Started with the gateway's `document` as `PAYMENT_CHANNELS`.
    gateway
        Started.
    bills, kills, payers
        How many.
    seed
        Decides bills, what happens to them, victims and moments.
    kinds
        Whom to kill, each at least once where there are as many kills.
    within_s
        Seconds of paying after which no further bill is begun: those stay unpaid, and are held to
        be.
    """
    clock: dict[str, float] = {}
    begun = time.monotonic()
    database = installation.database()
    try:
        debts = issue_debts(database, bills, seed)
    finally:
        database.close()
    clock["issuing"] = time.monotonic() - begun

    begun = time.monotonic()
    paying = Payers(debts, installation, gateway.port, payers)
    killer = PaymentKiller(installation, gateway, kills, bills, seed, kinds)
    untouched: frozenset[int] = frozenset()

    def late() -> None:
        nonlocal untouched
        untouched = paying.stop_taking()

    closing = threading.Timer(within_s, late)
    closing.start()
    paying.start()
    try:
        killer.work(lambda: paying.done, lambda: paying.busy)
        paying.finish(PAY_PATIENCE_S)
    finally:
        closing.cancel()
        paying.halt()
    closing.join()
    debts = debts.without(untouched)
    clock["paying"] = time.monotonic() - begun
    clock["supervisor_away"] = killer.away_s
    clock["answering"] = float(len(paying.answered_in))

    begun = time.monotonic()
    notifications = _all_told(gateway)
    asked = _settle(installation, gateway, SETTLE_PATIENCE_S + SETTLE_PATIENCE_A_BILL_S * bills)
    clock["settling"] = time.monotonic() - begun

    begun = time.monotonic()
    # Another one: the supervisor that it was opened at may be gone.
    database = installation.database()
    try:
        books = reckon(database, debts, paying, gateway.orders())
    finally:
        database.close()
    clock["reckoning"] = time.monotonic() - begun
    return PaymentOutcome(
        bills - len(untouched),
        paying.done,
        paying.strange,
        dict(paying.statuses),
        notifications,
        dict(killer.killed),
        asked,
        books,
        clock,
    )


def _all_told(gateway: ChannelGateway) -> Counter[str]:
    """Let the gateway send what it owes; what is retried for hours is not waited for."""
    deadline = time.monotonic() + TOLD_PATIENCE_S
    while (counts := gateway.notifications())["waiting"] and time.monotonic() < deadline:
        time.sleep(0.1)
    return counts


def _settle(installation: Installation, gateway: ChannelGateway, patience_s: float) -> int:
    """Do the janitor's rounds of the next hours at once, until nothing is left to be asked."""
    clock = LaterClock()
    later = Database(
        installation.record().addresses.database, clock=WallClock(), wall=clock, pool_size=4
    )
    origin = f"http://127.0.0.1:{installation.port}"
    channels = read_channel_file(gateway.document, origin, WallClock())
    deadline, asked = time.monotonic() + patience_s, 0
    try:
        while True:
            try:
                with later.read() as connection:
                    left = connection.execute(_UNENDED).scalar_one()
                if not left:
                    return asked
                asked += pursue_all(later, channels).asked
            except Unavailable:
                time.sleep(0.1)
            assert time.monotonic() < deadline, f"{left} orders and refunds do not end"
            clock.ahead += timedelta(minutes=2)
            time.sleep(0.02)
    finally:
        later.close()
