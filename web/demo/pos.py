"""POS terminals of the demo's garages: simulated ones that dial our host over TCP, and sell.

They live in the demo's process, beside the cars, and so does the host where `POS_PORT` names none:
the installation has eight Python processes at most. Now and then an answer is lost or a message
comes twice, as on real lines; what a terminal did it remembers in a file of its own.
"""

from __future__ import annotations

import secrets
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog

from city.errors import CityError
from city.identifiers import DistrictCode
from city.people.actors import system_actor
from journeys.answer_pos import answer_frame
from payments import pos_terminals
from payments.adapters.pos_line import PosHost, PosLines
from payments.adapters.pos_terminal import Faults, NoAnswer, PosTerminal, remembered
from payments.rules.pos.requests import Code, Target
from payments.store import pos_terminals as terminal_store
from web.demo.api_client import ApiError
from web.demo.attendants import OPEN_BILLS, PAID_AT_ONCE_SHARE, PAUSE_S, draw
from web.demo.people import WALKERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from city.people.actors import Actor
    from city.works.database import Database, UnitOfWork
    from city.works.settings import Settings
    from web.demo.api_client import ApiClient
    from web.demo.bays import DemoFacility

BUILDER: Final = system_actor("demo")
MERCHANT: Final = "898330154110001"
FOLDER: Final = "pos"
TERMINALS: Final = 3
SHARE: Final = 0.08
"""Of bills that attendants take no cash for, those that are paid at a terminal."""
FAULTS: Final = Faults(lost=0.03, twice=0.03, overtaken=0.02)
KEEPER: Final = WALKERS[0]
"""In whose name the booths read what is owed."""
SETTLES_AFTER: Final = 30
"""Sales: a day of a small booth, in a town whose days are short."""
STEP_S: Final = 5.0
"""Wall time between two steps: a booth has one customer at a time."""
PATIENCE_S: Final = 20.0
THREADS: Final = 2

log = structlog.get_logger("demo")


def homes(facilities: Sequence[DemoFacility]) -> list[DemoFacility]:
    """Choose the garages that have a terminal at their exit: of the district of one attendant."""
    own = [each for each in facilities if each.district == KEEPER.district and each.kind != "kerb"]
    return own[:TERMINALS]


def number_of(home: DemoFacility) -> str:
    """Give the terminal number of a garage."""
    return f"GB{home.code:0>6}"


def register_terminals(uow: UnitOfWork, actor: Actor, facilities: Sequence[DemoFacility]) -> None:
    """Register the garages' terminals; those that are there stay as they are."""
    for home in homes(facilities):
        if terminal_store.hold_terminal(uow.connection, number_of(home)) is None:
            name = f"{home.name.zh} {home.name.en}"
            district = DistrictCode(home.district)
            pos_terminals.register(uow, actor, number_of(home), MERCHANT, name, district)


class Booth:
    """A terminal at a garage's exit, and who stands at it.

    Parameters
    ----------
    api
        The API, as an attendant of the district: it shows what is owed there.
    home
        The garage.
    terminal
        Dials the host.
    """

    def __init__(self, api: ApiClient, home: UUID, terminal: PosTerminal) -> None:
        self._api = api
        self._home = home
        self._terminal = terminal
        self._signed_in = False
        self.sold = 0

    def step(self) -> None:
        """Sell to one driver who wants to pay by card; settle when the batch is long.

        Raises
        ------
        ApiError
            Where the API could not be reached.
        """
        try:
            if not self._signed_in:
                self._terminal.sign_in()
                self._signed_in = True
            if len(self._terminal.memory.done) >= SETTLES_AFTER:
                self._terminal.settle()
                self._terminal.sign_in()
                return
            bill = self._next()
            if bill is not None:
                self._sell(Target(bill_id=UUID(bill["id"])))
        except NoAnswer as lost:
            # It reverses, or asks again, before its next sale.
            log.info("a terminal had no answer", reason=str(lost))

    def close(self) -> None:
        """Hang up."""
        self._terminal.close()

    def _next(self) -> dict[str, Any] | None:
        found = self._api.get(
            "/api/v1/bills", facility_id=self._home, state="open", limit=OPEN_BILLS
        )
        by_card = PAID_AT_ONCE_SHARE, PAID_AT_ONCE_SHARE + SHARE
        for bill in found["items"]:
            if by_card[0] <= draw(bill["id"]) < by_card[1]:
                chosen: dict[str, Any] = bill
                return chosen
        return None

    def _sell(self, target: Target) -> None:
        owed = self._terminal.inquire(target)
        if owed.code != Code.OK:
            return  # somebody else was quicker, as in a street
        # The acquirer has taken it: its reference, and the card as the slip shows it.
        answered = self._terminal.sale(
            target,
            int(owed.message.text(4)),
            reference=secrets.token_hex(6).upper(),
            masked_card=f"622848******{secrets.randbelow(10_000):04d}",
        )
        self.sold += answered.code == Code.OK


class Booths(threading.Thread):
    """All terminals, each taking a step in turn, in a thread of their own.

    Parameters
    ----------
    booths
        They are.
    host
        What they dial, where it is this process's own.
    stopped
        Ends it after the step in hand.
    """

    def __init__(
        self, booths: Sequence[Booth], host: PosHost | None, stopped: threading.Event
    ) -> None:
        super().__init__(name="pos-terminals", daemon=True)
        self._booths = booths
        self._host = host
        self._stopped = stopped

    def run(self) -> None:
        """Sell until told to stop."""
        while self._booths:
            for booth in self._booths:
                begun_s = time.monotonic()
                try:
                    booth.step()
                except (ApiError, CityError) as error:
                    log.info("a terminal waits", reason=str(error))
                    self._stopped.wait(PAUSE_S)
                if self._stopped.wait(max(0.0, STEP_S - (time.monotonic() - begun_s))):
                    return

    def stop(self, patience_s: float) -> None:
        """End the thread, hang up, and close the host."""
        self.join(patience_s)
        for each in self._booths:
            each.close()
        if self._host is not None:
            self._host.stop()


def open_booths(
    settings: Settings,
    database: Database,
    facilities: Sequence[DemoFacility],
    api: ApiClient,
    stopped: threading.Event,
) -> Booths | None:
    """Put the terminals up, with a host of their own where `POS_PORT` names none.

    None where they cannot be had: the city lives without.
    """
    own = None
    try:
        port = settings.pos_port
        if port is None:
            own = PosHost(PosLines(partial(answer_frame, database), "127.0.0.1", 0, THREADS))
            port = own.start()
        (settings.var / FOLDER).mkdir(parents=True, exist_ok=True)
        with database.unit_of_work() as uow:
            register_terminals(uow, BUILDER, facilities)
        address = ("127.0.0.1" if own is not None else settings.own_host.strip("[]"), port)
        booths = [_booth(settings, database, address, home, api) for home in homes(facilities)]
    except (CityError, OSError) as error:
        log.warning("the terminals stay dark", reason=str(error))
        if own is not None:
            own.stop()
        return None
    started = Booths([each for each in booths if each is not None], own, stopped)
    started.start()
    return started


def _booth(
    settings: Settings,
    database: Database,
    address: tuple[str, int],
    home: DemoFacility,
    api: ApiClient,
) -> Booth | None:
    with database.unit_of_work() as uow:
        held = terminal_store.hold_terminal(uow.connection, number_of(home))
    if held is None:
        return None
    # Typed into a real one by hand; here both ends are the same installation's.
    terminal = PosTerminal(
        address,
        held.terminal_no,
        held.merchant_no,
        pos_terminals.master_key(held),
        held.mac,
        remembered(settings.var / FOLDER / f"{held.terminal_no}.json"),
        FAULTS,
        seed=secrets.randbits(32),
        patience_s=PATIENCE_S,
    )
    return Booth(api, UUID(str(home.facility_id)), terminal)
